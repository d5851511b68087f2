//! Back-off: what is put back does not drown the service that has just recovered.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::amqp::Publisher;
use crate::domain::operation::{Operation, Target};
use crate::store::ChunkItem;

/// How long what was seen of a queue holds.
const FRESH: Duration = Duration::from_millis(500);

/// How many messages wait in the queues that a worker publishes to, as it last looked, and with what it has sent since.
#[derive(Debug, Default)]
pub(super) struct Crowding(HashMap<String, (Instant, u32)>);

impl Crowding {
    /// The queues of these items in which more messages wait than the operation allows, and how many. The others' messages are
    /// taken to be sent.
    pub async fn of<'i>(
        &mut self,
        publisher: &mut Publisher,
        operation: &Operation,
        items: impl Iterator<Item = &'i ChunkItem>,
    ) -> HashMap<String, u32> {
        let mut crowded = HashMap::new();
        let Some(most) = operation.max_queue_depth else { return crowded };
        self.0.retain(|_, (seen, _)| seen.elapsed() < FRESH);
        let mut going: HashMap<&str, u32> = HashMap::new();
        for queue in items.filter_map(|item| target_queue(operation, item)) {
            let depth = if let Some((_, depth)) = self.0.get(queue) {
                *depth
            } else {
                // One that cannot be looked at is found out when it is published to.
                let depth = publisher.depth(queue).await.unwrap_or_default();
                self.0.insert(queue.to_owned(), (Instant::now(), depth));
                depth
            };
            if i64::from(depth) > most {
                crowded.insert(queue.to_owned(), depth);
            } else {
                *going.entry(queue).or_default() += 1;
            }
        }
        for (queue, count) in going {
            if let Some((_, depth)) = self.0.get_mut(queue) {
                *depth = depth.saturating_add(count);
            }
        }
        crowded
    }
}

/// The queue that the item's message goes to, where that is known beforehand.
pub(super) fn target_queue<'i>(operation: &'i Operation, item: &'i ChunkItem) -> Option<&'i str> {
    match &operation.target {
        Target::Queue => item.origin.queue.as_deref(),
        Target::Explicit { exchange, routing_key } if exchange.is_empty() => Some(routing_key),
        Target::Exchange | Target::Explicit { .. } => None,
    }
}
