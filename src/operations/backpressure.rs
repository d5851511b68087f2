//! Back-pressure: redelivered messages do not overload a service that has just recovered.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::publishers::Publishers;
use crate::domain::operation::{Operation, Target};
use crate::domain::place::Place;
use crate::store::ChunkItem;

/// How long a depth stays valid.
const FRESH: Duration = Duration::from_millis(500);

/// The latest known depth of the queues that a worker publishes to, with the messages that it has sent since.
#[derive(Debug, Default)]
pub(super) struct Backpressure(HashMap<Queue, (Instant, u32)>);

/// Place and name of a queue.
type Queue = (Place, String);

impl Backpressure {
    /// The target queues with more ready messages than the operation allows, and how many. Counts the messages to all other
    /// queues as sent.
    pub async fn queues_over_limit<'i>(
        &mut self,
        publishers: &mut Publishers,
        operation: &Operation,
        items: impl Iterator<Item = &'i ChunkItem>,
    ) -> HashMap<Queue, u32> {
        let mut over_limit = HashMap::new();
        let Some(most) = operation.max_queue_depth else { return over_limit };
        self.0.retain(|_, (seen, _)| seen.elapsed() < FRESH);
        let mut going: HashMap<Queue, u32> = HashMap::new();
        for queue in items.filter_map(|item| target_queue(operation, item)) {
            let depth = if let Some((_, depth)) = self.0.get(&queue) {
                *depth
            } else {
                // A queue that cannot be inspected fails when it is published to.
                let depth = publishers.depth(&queue.0, &queue.1).await.unwrap_or_default();
                self.0.insert(queue.clone(), (Instant::now(), depth));
                depth
            };
            if i64::from(depth) > most {
                over_limit.insert(queue, depth);
            } else {
                *going.entry(queue).or_default() += 1;
            }
        }
        for (queue, count) in going {
            if let Some((_, depth)) = self.0.get_mut(&queue) {
                *depth = depth.saturating_add(count);
            }
        }
        over_limit
    }
}

/// The queue that the item's message goes to, if that is known before it is published.
pub(super) fn target_queue(operation: &Operation, item: &ChunkItem) -> Option<Queue> {
    let queue = match &operation.target {
        Target::Queue => item.provenance.origin.queue.as_ref()?,
        Target::Explicit { exchange, routing_key } if exchange.is_empty() => routing_key,
        Target::Exchange | Target::Explicit { .. } => return None,
    };
    Some((item.place.clone()?, queue.clone()))
}
