//! Identity: what makes two deliveries the same death of the same message (rule R3).
//!
//! A message that bears a message id and a time of death has one: a hash of everything that stays the same when the
//! broker delivers that death again (after a crash, or as the second copy of at-least-once dead-lettering) and that differs
//! when the message dies again. One that lacks either has none: two like it may be twins, and both are kept.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::convention::Recognised;
use super::message::Message;
use super::place::Source;
use super::redelivery::COPY_ID;
use crate::planted::{Bug, planted};

/// The identity of this death, where it can be told apart.
pub fn of(source: &Source, message: &Message, read: &Recognised) -> Option<Uuid> {
    if planted(Bug::TwinsByContent) && message.properties.message_id.is_none() {
        return Some(uuid_of(&Sha256::digest(&message.body)));
    }
    let message_id =
        read.message_id.as_deref().map(str::as_bytes).or(message.properties.message_id.as_deref())?;
    let died_at: DateTime<Utc> = read.died_at?;
    // Two copies that die in the same second are two.
    let copy = || message.properties.header_text(COPY_ID);
    let redelivery = read.redelivery(&message.properties).or_else(copy);
    let text = |field: &Option<String>| field.clone().map(String::into_bytes);
    let mut hash = Sha256::new_with_prefix(b"dead-letter identity 1");
    let mut field = |bytes: Option<&[u8]>| {
        // Length first, absent told from empty: no two lists of fields run together.
        hash.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    let place = source.place();
    field(Some(place.map_or("/", |place| &place.vhost).as_bytes()));
    field(Some(source.queue().as_bytes()));
    field(text(&read.origin.queue).as_deref());
    field(text(&read.origin.exchange).as_deref());
    field(text(&read.origin.routing_key).as_deref());
    field(text(&read.failure.reason).as_deref());
    field(Some(message_id));
    field(Some(&message.body));
    field(Some(&read.deaths.to_be_bytes()));
    field(Some(&died_at.timestamp_micros().to_be_bytes()));
    field(redelivery.as_deref().map(str::as_bytes));
    if let Some(away) = source.away() {
        field(Some(away.broker.as_bytes()));
    }
    Some(uuid_of(&hash.finalize()))
}

/// The id under which a dead letter is redelivered by an operation: the same each time it is tried (rule R10).
pub fn redelivery_id(operation: Uuid, dead_letter: Uuid) -> Uuid {
    if planted(Bug::RandomRedeliveryId) {
        return Uuid::new_v4();
    }
    let hash = Sha256::new_with_prefix(b"dead-letter redelivery 1")
        .chain_update(operation)
        .chain_update(dead_letter)
        .finalize();
    uuid_of(&hash)
}

/// The first 122 bits of a hash as a version 8 UUID.
pub(super) fn uuid_of(hash: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Properties, Table, Value};
    use crate::domain::place::Place;
    use crate::domain::redelivery::{COPY_ID, REDELIVERY_ID};

    fn message() -> Message {
        Message {
            exchange: String::new(),
            routing_key: String::new(),
            properties: Properties { message_id: Some(b"m1".to_vec()), ..Properties::default() },
            body: b"body".to_vec(),
        }
    }

    fn read() -> Recognised {
        Recognised { died_at: DateTime::from_timestamp(1_000, 0), deaths: 1, ..Recognised::default() }
    }

    #[test]
    fn the_same_death_has_the_same_identity_and_any_difference_another() {
        let source = |broker, vhost, queue| Source::new(queue, Place::new(broker, vhost), broker == "b");
        let here = source("b", "/", "dead-letter");
        let same = of(&here, &message(), &read());
        assert!(same.is_some());
        assert_eq!(same, of(&here, &message(), &read()));

        let mut other_body = message();
        other_body.body.push(b'!');
        let mut again = read();
        again.deaths = 2;
        let mut later = read();
        later.died_at = DateTime::from_timestamp(1_001, 0);
        let mut elsewhere = read();
        elsewhere.origin.queue = Some("q".into());
        let mut returned = message();
        returned.properties.headers =
            Some(Table(vec![(REDELIVERY_ID.as_bytes().to_vec(), Value::text("r1"))]));
        let mut copied = message();
        copied.properties.headers = Some(Table(vec![(COPY_ID.as_bytes().to_vec(), Value::text("c1"))]));
        let others = [
            of(&here, &copied, &read()),
            of(&source("b", "/v", "dead-letter"), &message(), &read()),
            of(&source("c", "/", "dead-letter"), &message(), &read()),
            of(&source("b", "/", "other"), &message(), &read()),
            of(&here, &other_body, &read()),
            of(&here, &message(), &again),
            of(&here, &message(), &later),
            of(&here, &message(), &elsewhere),
            of(&here, &returned, &read()),
        ];
        assert!(others.iter().all(|other| other.is_some() && *other != same));
    }

    #[test]
    fn twins_without_an_id_or_a_time_have_none() {
        let mut unnamed = message();
        unnamed.properties.message_id = None;
        assert_eq!(of(&"q".into(), &unnamed, &read()), None);
        assert_eq!(of(&"q".into(), &message(), &Recognised::default()), None);
    }
}
