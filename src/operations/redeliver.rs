//! Publishing the messages of a chunk again.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::publishers::Publishers;
use super::worker::Done;
use crate::amqp::{Outgoing, Receipt, Refusal, codec};
use crate::domain::convention::{Claims, Conventions, Provenance};
use crate::domain::dead_letter::Payload;
use crate::domain::edit::Edit;
use crate::domain::identity::redelivery_id;
use crate::domain::message::Message;
use crate::domain::operation::{Operation, Outcome, Settled, Target};
use crate::domain::patch::MAX_BYTES;
use crate::domain::redelivery::{self, Mark};
use crate::room;
use crate::store::ChunkItem;

/// Publishes each, and settles those whose fate is known: sent only if confirmed and not returned (rule R7). The others
/// stay open, to be published again under the same redelivery id.
pub(super) async fn redeliver<'i>(
    publishers: &mut Publishers,
    conventions: &Conventions,
    operation: &Operation,
    items: impl Iterator<Item = &'i ChunkItem>,
) -> Done {
    let mut done = Done::default();
    let mut going = Vec::new();
    let mut messages = Vec::new();
    let road = Road { conventions, operation: operation.id, target: &operation.target, copy: operation.copy };
    let edit = operation.edit.clone().map(Arc::new);
    for item in items {
        let outgoing = match (road.outgoing(item.dead_letter, &item.provenance, &item.payload), &edit) {
            (Ok(outgoing), Some(edit)) => changed(edit.clone(), outgoing).await,
            (outgoing, _) => outgoing,
        };
        match outgoing {
            Ok(message) => {
                // Where nobody has said yet what is home, nobody asks for operations either.
                let Some(place) = item.place.clone() else { continue };
                going.push(item);
                messages.push((place, message));
            }
            Err(refusal) => done.settle(operation, item, Receipt::Refused(refusal)),
        }
    }
    if messages.is_empty() {
        return done;
    }
    let receipts = publishers.publish(messages).await;
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

/// How the messages of an operation go out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Road<'o> {
    pub conventions: &'o Conventions,
    pub operation: Uuid,
    pub target: &'o Target,
    pub copy: bool,
}

/// Bodies that need no room of their own.
const SMALL: usize = 1 << 20;

/// Beside the threads that serve others: a large body takes a while, and room.
async fn changed(edit: Arc<Edit>, mut outgoing: Outgoing) -> Result<Outgoing, Refusal> {
    // The body as it is, as it becomes, and as it is in between. A small one needs no room, and one that is larger than what can be
    // patched is refused at once.
    let size = outgoing.body.len();
    let _room = if (SMALL..=MAX_BYTES).contains(&size) { Some(room::take(3 * size).await) } else { None };
    let changing = spawn_blocking(move || edited(&edit, &mut outgoing).map(|()| outgoing));
    changing
        .await
        .unwrap_or_else(|_| Err(Refusal::new("edit", "it cannot be changed: a fault of dead-letter")))
}

/// Makes the changes that are asked for.
pub(super) fn edited(edit: &Edit, outgoing: &mut Outgoing) -> Result<(), Refusal> {
    let properties = std::mem::take(&mut outgoing.properties);
    let mut message = Message::at_rest(properties, std::mem::take(&mut outgoing.body));
    edit.apply(&mut message).map_err(|error| Refusal::new("edit", error.to_string()))?;
    Message { properties: outgoing.properties, body: outgoing.body, .. } = message;
    Ok(())
}

impl Road<'_> {
    /// The message as it goes out but for what is changed in it, or why it cannot.
    pub fn outgoing(&self, id: Uuid, from: &Provenance, payload: &Payload) -> Result<Outgoing, Refusal> {
        let (exchange, routing_key) = address(self.target, from, self.conventions.claims())?;
        let properties = codec::decode(&payload.properties).map_err(|error| {
            Refusal::new("unencodable", format!("Its properties cannot be read: {error}"))
        })?;
        let tells_routing =
            redelivery::remembered_routing(&properties, from.origin.queue.as_deref()).is_some();
        let is_forged = tells_routing && from.has_other_routing;
        if is_forged && *self.target == Target::Exchange {
            let why = "Its exchange and routing key are not those of the message that was redelivered: name a target with `to`";
            return Err(Refusal::new("origin_claimed", why));
        }
        let original = Message::at_rest(properties, payload.body.clone());
        let id = redelivery_id(self.operation, id);
        let mark = if self.copy { Mark::Copy(id) } else { Mark::Redelivery(id) };
        let mut message = redelivery::message(self.conventions, original, mark, exchange.is_empty());
        // What is only claimed is not handed on: the next time it would look like ours.
        let is_known = from.claimed_by.is_none() && !is_forged;
        if is_known && !self.copy && *self.target == Target::Queue {
            redelivery::remember_routing(&mut message, &from.origin);
        }
        let Message { properties, body, .. } = message;
        Ok(Outgoing { exchange, routing_key, properties, body })
    }
}

/// Exchange and routing key.
fn address(target: &Target, from: &Provenance, claims: &Claims) -> Result<(String, String), Refusal> {
    let origin = &from.origin;
    if !matches!(target, Target::Explicit { .. })
        && let Some(why) = from.refusal(claims)
    {
        return Err(Refusal::new("origin_claimed", why));
    }
    let unknown =
        |what: &str| Refusal::new("no_origin", format!("Its {what} is not known: name a target with `to`"));
    Ok(match target {
        Target::Queue => (String::new(), origin.queue.clone().ok_or_else(|| unknown("queue"))?),
        Target::Exchange => (
            origin.exchange.clone().ok_or_else(|| unknown("exchange"))?,
            origin.routing_key.clone().ok_or_else(|| unknown("routing key"))?,
        ),
        Target::Explicit { exchange, routing_key } => (exchange.clone(), routing_key.clone()),
    })
}
