//! Redelivers the messages of a chunk.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use uuid::Uuid;

use super::chunk_result::ChunkResult;
use super::publishers::Publishers;
use crate::amqp::{Outgoing, Receipt, Refusal, lane_to};
use crate::domain::convention::{Conventions, Provenance};
use crate::domain::dead_letter::Payload;
use crate::domain::edit::Edit;
use crate::domain::message::{Message, Table};
use crate::domain::operation::{Operation, RoutingKey, Target};
use crate::domain::patch;
use crate::domain::place::Place;
use crate::domain::redelivered::first_routing;
use crate::domain::redelivery::{self, Destination, Mark};
use crate::domain::wire;
use crate::memory_budget;
use crate::store::ChunkItem;

/// Publishes the items, and settles those with a known outcome: `sent` only if confirmed and not returned (rule R7). Items with
/// an unknown outcome stay open, to be published again under the same redelivery id.
///
/// An edit can make a large message of a small one, and take long. So messages are prepared in portions, and none after `within`,
/// or after a portion with an unknown outcome.
pub(super) async fn redeliver(
    publishers: &mut Publishers,
    conventions: &Conventions,
    operation: &Operation,
    items: Vec<&mut ChunkItem>,
    within: Duration,
) -> ChunkResult {
    let (mut done, mut portion) = (ChunkResult::default(), Portion::default());
    let until = Instant::now() + within;
    let redelivery = Redelivery {
        conventions,
        target: &operation.target,
        copy: operation.copy,
        routing_key: operation.routing_key,
    };
    let edit = operation.edit.clone().map(Arc::new);
    for item in items {
        let payload = std::mem::take(&mut item.payload);
        let outgoing = match (redelivery.outgoing(item.redelivery_id, &item.provenance, payload), &edit) {
            (Ok(outgoing), Some(edit)) => edit_blocking(edit.clone(), outgoing).await,
            (outgoing, _) => outgoing,
        };
        match outgoing {
            Ok(message) => portion.add(item, message),
            Err(refusal) => done.settle(item, Receipt::Refused(refusal)),
        }
        let is_late = Instant::now() > until;
        if is_late || portion.bytes >= PORTION {
            std::mem::take(&mut portion).publish(publishers, &mut done).await;
            if is_late || done.hold.is_some() {
                return done;
            }
        }
    }
    portion.publish(publishers, &mut done).await;
    done
}

/// Messages that are published together.
#[derive(Default)]
struct Portion<'i> {
    items: Vec<&'i ChunkItem>,
    messages: Vec<(Place, Outgoing)>,
    /// Bytes of bodies and headers.
    bytes: usize,
}

impl<'i> Portion<'i> {
    fn add(&mut self, item: &'i ChunkItem, message: Outgoing) {
        let Some(place) = item.place.clone() else { return };
        self.bytes += message.body.len() + message.properties.headers.as_ref().map_or(0, Table::size);
        self.items.push(item);
        self.messages.push((place, message));
    }

    async fn publish(self, publishers: &mut Publishers, done: &mut ChunkResult) {
        if self.messages.is_empty() {
            return;
        }
        let receipts = publishers.publish(self.messages).await;
        for (item, receipt) in self.items.into_iter().zip(receipts) {
            done.settle(item, receipt);
        }
    }
}

/// How an operation publishes its messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redelivery<'o> {
    pub conventions: &'o Conventions,
    pub target: &'o Target,
    pub copy: bool,
    pub routing_key: RoutingKey,
}

/// Size of a portion in bytes. A single message may be larger.
const PORTION: usize = 4 << 20;
/// An edit that needs no more memory than this, in bytes, reserves none.
const SMALL: usize = 3 << 20;

/// Applies the edit on a blocking thread: a large body takes a while, and memory.
async fn edit_blocking(edit: Arc<Edit>, mut outgoing: Outgoing) -> Result<Outgoing, Refusal> {
    let needed = patch::memory(&edit.patch, outgoing.body.len());
    let _reserved = if needed > SMALL { Some(memory_budget::reserve(needed).await) } else { None };
    let changing = spawn_blocking(move || apply_edit(&edit, &mut outgoing).map(|()| outgoing));
    changing
        .await
        .unwrap_or_else(|_| Err(Refusal::new("edit", "it cannot be changed: a fault of dead-letter")))
}

/// Applies the edit.
pub(super) fn apply_edit(edit: &Edit, outgoing: &mut Outgoing) -> Result<(), Refusal> {
    let properties = std::mem::take(&mut outgoing.properties);
    let mut message = Message::at_rest(properties, std::mem::take(&mut outgoing.body));
    edit.apply(&mut message).map_err(|error| Refusal::new("edit", error.to_string()))?;
    Message { properties: outgoing.properties, body: outgoing.body, .. } = message;
    Ok(())
}

impl Redelivery<'_> {
    /// The message to publish under this redelivery id, before the edit.
    pub fn outgoing(&self, id: Uuid, from: &Provenance, payload: Payload) -> Result<Outgoing, Refusal> {
        let Address { exchange, routing_key, queue } = self.address(from)?;
        let properties = wire::decode(&payload.properties).map_err(|error| {
            Refusal::new("unencodable", format!("Its properties cannot be read: {error}"))
        })?;
        let tells_routing = first_routing(&properties, from.origin.queue.as_deref()).is_some();
        let is_forged = tells_routing && from.has_other_routing;
        if is_forged && *self.target == Target::Exchange {
            let why = "Its exchange and routing key are not those of the message that was redelivered: name a target with `to`";
            return Err(Refusal::new("origin_claimed", why));
        }
        let original = Message::at_rest(properties, payload.body);
        let mark = if self.copy { Mark::Copy(id) } else { Mark::Redelivery(id) };
        let to = if queue.is_some() { Destination::Queue } else { Destination::Exchange };
        let mut message = redelivery::message(self.conventions, original, payload.decoding, mark, to);
        // A claimed routing is not written: next time it would look like ours.
        let is_known = from.claimed_by.is_none() && !is_forged;
        if is_known && !self.copy && *self.target == Target::Queue {
            redelivery::keep_first_routing(&mut message, &from.origin);
        }
        let Message { properties, body, .. } = message;
        let lane = queue.filter(|_| !exchange.is_empty());
        Ok(Outgoing { exchange, routing_key, lane, properties, body })
    }

    fn address(&self, from: &Provenance) -> Result<Address, Refusal> {
        let origin = &from.origin;
        if !matches!(self.target, Target::Explicit { .. })
            && let Some(why) = from.refusal(self.conventions.claims())
        {
            return Err(Refusal::new("origin_claimed", why));
        }
        match self.target {
            Target::Queue => {
                let queue = known("queue", origin.queue.as_ref())?;
                match self.routing_key {
                    RoutingKey::Queue => Ok(Address::queue(queue)),
                    RoutingKey::Original => {
                        let routing_key = as_published("routing key", origin.routing_key.as_ref())?;
                        Ok(Address::lane(queue, routing_key))
                    }
                }
            }
            Target::Exchange => Ok(Address {
                exchange: as_published("exchange", origin.exchange.as_ref())?,
                routing_key: as_published("routing key", origin.routing_key.as_ref())?,
                queue: None,
            }),
            Target::Explicit { exchange, routing_key } if exchange.is_empty() => {
                Ok(Address::queue(routing_key.clone()))
            }
            Target::Explicit { exchange, routing_key } => {
                Ok(Address { exchange: exchange.clone(), routing_key: routing_key.clone(), queue: None })
            }
        }
    }
}

/// Where a message is published.
struct Address {
    exchange: String,
    routing_key: String,
    /// The queue, if it goes to one only.
    queue: Option<String>,
}

impl Address {
    fn queue(queue: String) -> Self {
        Self { exchange: String::new(), routing_key: queue.clone(), queue: Some(queue) }
    }

    fn lane(queue: String, routing_key: String) -> Self {
        if routing_key == queue {
            return Self::queue(queue);
        }
        Self { exchange: lane_to(&queue), routing_key, queue: Some(queue) }
    }
}

fn known(what: &str, name: Option<&String>) -> Result<String, Refusal> {
    name.cloned()
        .ok_or_else(|| Refusal::new("no_origin", format!("Its {what} is not known: name a target with `to`")))
}

/// A name with a replacement character is not the original one, and would lead elsewhere.
fn as_published(what: &str, name: Option<&String>) -> Result<String, Refusal> {
    let name = known(what, name)?;
    if name.contains(char::REPLACEMENT_CHARACTER) {
        let detail = format!("Its {what} is not UTF-8: name a target with `to`");
        return Err(Refusal::new("no_origin", detail));
    }
    Ok(name)
}
