//! Watches the depth of the source beside the pump.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::amqp::{AmqpError, QueueProbe};
use crate::telemetry::SourceMetrics;

/// Pause between readings of the depth.
const INTERVAL: Duration = Duration::from_secs(2);
/// A consumer that gets nothing for this long from a queue with messages is abandoned.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Records the depth of the queue. A broker that answers slowly still delivers messages and takes acks.
///
/// Ends if messages wait, none arrives, and none is in flight: then the broker has lost the consumer without saying so.
pub(super) async fn monitor_depth(queue: QueueProbe, metrics: SourceMetrics) -> AmqpError {
    let (mut came, mut waits_since) = (0, Instant::now());
    loop {
        if let Ok(messages) = queue.depth().await {
            metrics.depth.set(messages.into());
            let came_before = std::mem::replace(&mut came, metrics.ingested.get() + metrics.duplicates.get());
            let idle = metrics.consuming.get() == 1 && metrics.in_flight.get() == 0 && came == came_before;
            if messages == 0 || !idle {
                waits_since = Instant::now();
            } else if waits_since.elapsed() >= LONGEST_SILENCE {
                return AmqpError::Unavailable(format!("{messages} messages wait, and none comes"));
            }
        }
        sleep(INTERVAL).await;
    }
}
