//! What a worker did with a chunk, before it is recorded.

use crate::amqp::Receipt;
use crate::domain::operation::{Hold, Outcome, Settled};
use crate::store::{Chunk, ChunkItem};

/// The outcomes of a chunk. Items without one stay open.
#[derive(Debug, Default)]
pub(super) struct ChunkResult {
    /// Items with an outcome.
    pub settled: Vec<Settled>,
    /// Kinds of the refusals, for metrics.
    pub refusals: Vec<&'static str>,
    /// Why some items stay open.
    pub hold: Option<Hold>,
}

impl ChunkResult {
    /// Whether every item of the chunk has an outcome.
    pub fn is_complete(&self, chunk: &Chunk) -> bool {
        self.hold.is_none() && self.settled.len() == chunk.items.len()
    }

    /// Notes the receipt of an item.
    pub fn settle(&mut self, item: &ChunkItem, receipt: Receipt) {
        let (outcome, detail) = match receipt {
            Receipt::Confirmed => (Outcome::Sent, None),
            Receipt::Refused(refusal) => {
                self.refusals.push(refusal.kind);
                (Outcome::Refused, Some(refusal.detail))
            }
            Receipt::Unknown(why) => {
                self.hold = Some(Hold::Failed(why));
                return;
            }
        };
        self.settled.push(Settled {
            position: item.position,
            dead_letter: item.dead_letter,
            outcome,
            detail,
            redelivery_id: Some(item.redelivery_id),
        });
    }
}
