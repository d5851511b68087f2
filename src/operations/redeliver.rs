//! Publishing the messages of a chunk again.

use super::worker::Done;
use crate::amqp::{Outgoing, Publisher, Receipt, Refusal, codec};
use crate::domain::convention::Conventions;
use crate::domain::identity::redelivery_id;
use crate::domain::message::Message;
use crate::domain::operation::{Operation, Outcome, Settled, Target};
use crate::domain::redelivery;
use crate::store::ChunkItem;

/// Publishes each, and settles those whose fate is known: sent only if confirmed and not returned (rule R7). The others
/// stay open, to be published again under the same redelivery id.
pub(super) async fn redeliver<'i>(
    publisher: &mut Publisher,
    conventions: &Conventions,
    operation: &Operation,
    items: impl Iterator<Item = &'i ChunkItem>,
) -> Done {
    let mut done = Done::default();
    let mut going = Vec::new();
    let mut messages = Vec::new();
    for item in items {
        match outgoing(conventions, operation, item) {
            Ok(message) => {
                going.push(item);
                messages.push(message);
            }
            Err(refusal) => done.settle(operation, item, Receipt::Refused(refusal)),
        }
    }
    if messages.is_empty() {
        return done;
    }
    let receipts = publisher.publish(&messages).await;
    for (item, receipt) in going.into_iter().zip(receipts) {
        done.settle(operation, item, receipt);
    }
    done
}

impl Done {
    pub(super) fn settle(&mut self, operation: &Operation, item: &ChunkItem, receipt: Receipt) {
        let (outcome, detail) = match receipt {
            Receipt::Confirmed => (Outcome::Sent, None),
            Receipt::Refused(refusal) => {
                self.refusals.push(refusal.kind);
                (Outcome::Refused, Some(refusal.detail))
            }
            Receipt::Unknown(why) => {
                self.waits_for = Some(why);
                return;
            }
        };
        self.settled.push(Settled {
            position: item.position,
            dead_letter: item.dead_letter,
            outcome,
            detail,
            redelivery_id: Some(redelivery_id(operation.id, item.dead_letter)),
        });
    }
}

/// The message as it goes out, or why it cannot.
fn outgoing(conventions: &Conventions, operation: &Operation, item: &ChunkItem) -> Result<Outgoing, Refusal> {
    let unknown = |what: &str| {
        Refusal::new(
            "no_origin",
            format!("the {what} that it died in or was published with is not known: name a target with `to`"),
        )
    };
    let (exchange, routing_key) = match &operation.target {
        Target::Queue => (String::new(), item.origin.queue.clone().ok_or_else(|| unknown("queue"))?),
        Target::Exchange => (
            item.origin.exchange.clone().ok_or_else(|| unknown("exchange"))?,
            item.origin.routing_key.clone().ok_or_else(|| unknown("routing key"))?,
        ),
        Target::Explicit { exchange, routing_key } => (exchange.clone(), routing_key.clone()),
    };
    let properties = codec::decode(&item.payload.properties)
        .map_err(|error| Refusal::new("unencodable", format!("its properties cannot be read: {error}")))?;
    let id = redelivery_id(operation.id, item.dead_letter);
    let original = Message {
        exchange: String::new(),
        routing_key: String::new(),
        properties,
        body: item.payload.body.clone(),
    };
    let Message { properties, body, .. } =
        redelivery::message(conventions, original, id, exchange.is_empty());
    Ok(Outgoing { exchange, routing_key, properties, body })
}
