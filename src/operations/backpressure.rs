//! Back-off: what is put back does not drown the service that has just recovered.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::publishers::Publishers;
use crate::domain::operation::{Operation, Target};
use crate::domain::place::Place;
use crate::store::ChunkItem;

/// How long what was seen of a queue holds.
const FRESH: Duration = Duration::from_millis(500);

/// How many messages wait in the queues that a worker publishes to, as it last looked, and with what it has sent since.
#[derive(Debug, Default)]
pub(super) struct Backpressure(HashMap<Queue, (Instant, u32)>);

/// Where it is, and its name.
type Queue = (Place, String);

impl Backpressure {
    /// The queues of these items in which more messages wait than the operation allows, and how many. The others' messages are
    /// taken to be sent.
    pub async fn of<'i>(
        &mut self,
        publishers: &mut Publishers,
        operation: &Operation,
        items: impl Iterator<Item = &'i ChunkItem>,
    ) -> HashMap<Queue, u32> {
        let mut crowded = HashMap::new();
        let Some(most) = operation.max_queue_depth else { return crowded };
        self.0.retain(|_, (seen, _)| seen.elapsed() < FRESH);
        let mut going: HashMap<Queue, u32> = HashMap::new();
        for queue in items.filter_map(|item| target_queue(operation, item)) {
            let depth = if let Some((_, depth)) = self.0.get(&queue) {
                *depth
            } else {
                // One that cannot be looked at is found out when it is published to.
                let depth = publishers.depth(&queue.0, &queue.1).await.unwrap_or_default();
                self.0.insert(queue.clone(), (Instant::now(), depth));
                depth
            };
            if i64::from(depth) > most {
                crowded.insert(queue, depth);
            } else {
                *going.entry(queue).or_default() += 1;
            }
        }
        for (queue, count) in going {
            if let Some((_, depth)) = self.0.get_mut(&queue) {
                *depth = depth.saturating_add(count);
            }
        }
        crowded
    }
}

/// The queue that the item's message goes to, where that is known beforehand.
pub(super) fn target_queue(operation: &Operation, item: &ChunkItem) -> Option<Queue> {
    let queue = match &operation.target {
        Target::Queue => item.provenance.origin.queue.as_ref()?,
        Target::Explicit { exchange, routing_key } if exchange.is_empty() => routing_key,
        Target::Exchange | Target::Explicit { .. } => return None,
    };
    Some((item.place.clone()?, queue.clone()))
}
