//! Identity: what makes two deliveries the same death of the same message (rule R3).
//!
//! A message that bears a message id and a time of death has one: a hash of the place where it was consumed, and of all that
//! came: exchange, routing key, properties, headers, body. In the headers stand its deaths and our redelivery; all of it stays
//! the same when the broker delivers that death again (after a crash, or as the second copy of at-least-once dead-lettering).
//! What does not are the broker's counts of deliveries, and the order of the headers, which it sorts when it adds such a count. A
//! message that lacks either has none: two like it may be twins, and both are kept.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::convention::Recognised;
use super::headers::{self, COPY_ID};
use super::message::{Message, Properties, Table, Value};
use super::place::Source;

/// The identity of this death, where it can be told apart.
pub fn of(source: &Source, message: &Message, read: &Recognised) -> Option<Uuid> {
    let is_named = read.message_id.is_some() || message.properties.message_id.is_some();
    (is_named && read.died_at.is_some()).then(|| of_content(source, message))
}

/// The identity that this message has if it has one: it depends on nothing that a convention reads.
pub fn of_content(source: &Source, message: &Message) -> Uuid {
    let mut fields = Fields(Vec::with_capacity(1024));
    // The home broker has no name here, so that identities stay the same when other brokers join.
    let broker = source.away().map_or("", |away| &away.broker);
    for text in [broker, vhost(source), source.queue(), &message.exchange, &message.routing_key] {
        fields.bytes(text.as_bytes());
    }
    fields.properties(&message.properties);
    let hash = Sha256::new_with_prefix(b"dead-letter identity 2")
        .chain_update((fields.0.len() as u64).to_be_bytes())
        .chain_update(&fields.0)
        .chain_update(&message.body);
    uuid_of(&hash.finalize())
}

fn vhost(source: &Source) -> &str {
    source.place().map_or("/", |place| &place.vhost)
}

/// Whether these are the properties of two deliveries of one message.
pub fn are_of_one_message(one: &Properties, other: &Properties) -> bool {
    let fields = |properties| {
        let mut fields = Fields(Vec::new());
        fields.properties(properties);
        fields.0
    };
    fields(one) == fields(other)
}

/// Everything in a form in which no two lists of fields are equal.
struct Fields(Vec<u8>);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn option(&mut self, bytes: Option<&[u8]>) {
        self.0.push(u8::from(bytes.is_some()));
        self.bytes(bytes.unwrap_or_default());
    }

    fn properties(&mut self, properties: &Properties) {
        let Properties {
            content_type,
            content_encoding,
            headers,
            delivery_mode,
            priority,
            correlation_id,
            reply_to,
            expiration,
            message_id,
            timestamp,
            kind,
            user_id,
            app_id,
            cluster_id,
        } = properties;
        let texts = [
            content_type,
            content_encoding,
            correlation_id,
            reply_to,
            expiration,
            message_id,
            kind,
            user_id,
            app_id,
            cluster_id,
        ];
        for text in texts {
            self.option(text.as_deref());
        }
        self.option(delivery_mode.as_ref().map(std::slice::from_ref));
        self.option(priority.as_ref().map(std::slice::from_ref));
        self.option(timestamp.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        let mut headers: Vec<&(Vec<u8>, Value)> = headers
            .iter()
            .flat_map(|Table(headers)| headers)
            .filter(|(name, _)| !headers::is_written_on_delivery(name))
            .collect();
        if !headers.is_sorted_by_key(|(name, _)| name) {
            // Those of one name stay in their order.
            headers.sort_by_key(|(name, _)| name);
        }
        for (name, value) in headers {
            self.bytes(name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(yes) => self.scalar(b't', [u8::from(*yes)]),
            Value::I8(n) => self.scalar(b'b', n.to_be_bytes()),
            Value::U8(n) => self.scalar(b'B', n.to_be_bytes()),
            Value::I16(n) => self.scalar(b's', n.to_be_bytes()),
            Value::U16(n) => self.scalar(b'u', n.to_be_bytes()),
            Value::I32(n) => self.scalar(b'I', n.to_be_bytes()),
            Value::U32(n) => self.scalar(b'i', n.to_be_bytes()),
            Value::I64(n) => self.scalar(b'l', n.to_be_bytes()),
            Value::F32(n) => self.scalar(b'f', n.to_bits().to_be_bytes()),
            Value::F64(n) => self.scalar(b'd', n.to_bits().to_be_bytes()),
            Value::Decimal { scale, value } => {
                self.scalar(b'D', [*scale]);
                self.0.extend_from_slice(&value.to_be_bytes());
            }
            Value::Timestamp(seconds) => self.scalar(b'T', seconds.to_be_bytes()),
            Value::Void => self.scalar(b'V', []),
            Value::LongString(bytes) => self.text(b'S', bytes),
            Value::Bytes(bytes) => self.text(b'x', bytes),
            Value::Array(values) => {
                self.scalar(b'A', (values.len() as u64).to_be_bytes());
                for value in values {
                    self.value(value);
                }
            }
            Value::Table(Table(entries)) => {
                self.scalar(b'F', (entries.len() as u64).to_be_bytes());
                for (name, value) in entries {
                    self.bytes(name);
                    self.value(value);
                }
            }
        }
    }

    fn scalar<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.0.push(tag);
        self.0.extend_from_slice(&bytes);
    }

    fn text(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.bytes(bytes);
    }
}

/// The identity that the release before gave to this death. It leaves out most properties and headers: it finds what may be a
/// copy.
pub fn of_the_release_before(source: &Source, message: &Message, read: &Recognised) -> Option<Uuid> {
    let message_id =
        read.message_id.as_deref().map(str::as_bytes).or(message.properties.message_id.as_deref())?;
    let died_at: DateTime<Utc> = read.died_at?;
    // Two copies that die in the same second are two.
    let copy = || message.properties.header_text(COPY_ID);
    let redelivered = read.redelivered.as_ref();
    let redelivery = redelivered.map(|redelivered| Cow::Borrowed(&redelivered.id[..])).or_else(copy);
    let deaths = read.deaths - redelivered.map_or(0, |redelivered| redelivered.deaths.into());
    let text = |field: &Option<String>| field.clone().map(String::into_bytes);
    let mut hash = Sha256::new_with_prefix(b"dead-letter identity 1");
    let mut field = |bytes: Option<&[u8]>| {
        // Length first, absent told from empty: no two lists of fields run together.
        hash.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    field(Some(vhost(source).as_bytes()));
    field(Some(source.queue().as_bytes()));
    field(text(&read.origin.queue).as_deref());
    field(text(&read.origin.exchange).as_deref());
    field(text(&read.origin.routing_key).as_deref());
    field(text(&read.failure.reason).as_deref());
    field(Some(message_id));
    field(Some(&message.body));
    field(Some(&deaths.to_be_bytes()));
    field(Some(&died_at.timestamp_micros().to_be_bytes()));
    field(redelivery.as_deref().map(str::as_bytes));
    if let Some(away) = source.away() {
        field(Some(away.broker.as_bytes()));
    }
    Some(uuid_of(&hash.finalize()))
}

/// The id under which a dead letter is redelivered by an operation: the same each time it is tried (rule R10). It begins with the
/// time that the dead letter's id begins with, by which the database finds what died again.
pub fn redelivery_id(operation: Uuid, dead_letter: Uuid) -> Uuid {
    let hash = redelivery_hash("dead-letter redelivery 2", operation, dead_letter);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&dead_letter.as_bytes()[..6]);
    bytes[6..].copy_from_slice(&hash[6..16]);
    Uuid::new_v8(bytes)
}

/// The same for operations from before release 0.3.
pub fn former_redelivery_id(operation: Uuid, dead_letter: Uuid) -> Uuid {
    uuid_of(&redelivery_hash("dead-letter redelivery 1", operation, dead_letter))
}

fn redelivery_hash(scheme: &str, operation: Uuid, dead_letter: Uuid) -> [u8; 32] {
    Sha256::new_with_prefix(scheme).chain_update(operation).chain_update(dead_letter).finalize().into()
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
    use crate::domain::headers::REDELIVERY_ID;
    use crate::domain::place::Place;
    use crate::domain::redelivered::Redelivered;

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

    fn source(broker: &str, vhost: &str, queue: &str) -> Source {
        let place = Place::new(broker, vhost);
        if broker == "b" { Source::at_home(queue, place) } else { Source::elsewhere(queue, place) }
    }

    fn table(headers: &[(&str, Value)]) -> Table {
        Table(headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone())).collect())
    }

    fn with(headers: &[(&str, Value)]) -> Message {
        let mut message = message();
        message.properties.headers = Some(table(headers));
        message
    }

    fn identity(message: &Message) -> Option<Uuid> {
        let identity = of(&source("b", "/", "dead-letter"), message, &read());
        assert!(identity.is_some());
        identity
    }

    #[test]
    fn the_same_death_has_the_same_identity_and_any_difference_another() {
        assert_eq!(identity(&message()), identity(&message()));
        let change = |change: fn(&mut Properties)| {
            let mut message = message();
            change(&mut message.properties);
            message
        };
        let text = Value::text;
        let all = [
            message(),
            Message { body: b"body!".to_vec(), ..message() },
            Message { routing_key: "other".into(), ..message() },
            Message { exchange: "other".into(), ..message() },
            change(|properties| properties.message_id = Some(b"m2".to_vec())),
            change(|properties| properties.correlation_id = Some(b"c".to_vec())),
            change(|properties| properties.reply_to = Some(b"c".to_vec())),
            change(|properties| properties.kind = Some(b"c".to_vec())),
            change(|properties| properties.app_id = Some(b"c".to_vec())),
            change(|properties| properties.app_id = Some(vec![])),
            change(|properties| properties.priority = Some(0)),
            change(|properties| properties.delivery_mode = Some(0)),
            change(|properties| properties.timestamp = Some(0)),
            with(&[("tenant", text("a"))]),
            with(&[("tenant", text("b"))]),
            with(&[("tenant", Value::Bytes(b"a".to_vec()))]),
            with(&[("tenant", text("a")), ("tenant", text("b"))]),
            with(&[("tenant", text("b")), ("tenant", text("a"))]),
            with(&[(REDELIVERY_ID, text("r1"))]),
            with(&[(COPY_ID, text("r1"))]),
            with(&[("x-death", Value::Array(vec![Value::Table(table(&[("count", Value::I64(1))]))]))]),
            with(&[("x-death", Value::Array(vec![Value::Table(table(&[("count", Value::I64(2))]))]))]),
            with(&[("a", Value::Array(vec![text("b")])), ("c", text("d"))]),
            with(&[("a", Value::Array(vec![text("b"), text("c")])), ("d", Value::Void)]),
        ];
        for (number, one) in all.iter().enumerate() {
            for other in &all[number + 1..] {
                assert_ne!(identity(one), identity(other), "{one:?} {other:?}");
            }
            for other in
                [source("b", "/v", "dead-letter"), source("c", "/", "dead-letter"), source("b", "/", "other")]
            {
                assert_ne!(of(&other, one, &read()), identity(one));
            }
        }
    }

    #[test]
    fn what_the_broker_changes_from_one_delivery_to_the_next_is_left_out() {
        let (b, a, twin) = (("b", Value::text("1")), ("a", Value::text("2")), ("b", Value::text("3")));
        let first = with(&[b.clone(), a.clone(), twin.clone()]);
        // Sorted, and counted.
        let again =
            with(&[a, b, twin, ("x-acquired-count", Value::I64(2)), ("x-delivery-count", Value::I64(1))]);
        assert_eq!(identity(&first), identity(&again));
        assert_eq!(identity(&message()), identity(&with(&[("x-delivery-count", Value::I64(1))])));
        assert!(are_of_one_message(&first.properties, &again.properties));
        assert!(!are_of_one_message(&first.properties, &message().properties));
    }

    /// They are stored: a release that computes others would store duplicates.
    #[test]
    fn they_are_the_same_in_each_release() {
        let message = with(&[
            ("x-death", Value::Array(vec![Value::Table(table(&[("count", Value::I64(1))]))])),
            ("small", Value::I8(-1)),
            ("price", Value::Decimal { scale: 2, value: 995 }),
            (COPY_ID, Value::text("c1")),
        ]);
        let home = source("b", "/", "dead-letter");
        let away = source("c", "/v", "dead-letter");
        let told = Recognised { deaths: 5, ..read() };
        let redelivered = Some(Redelivered { id: "r1".into(), count: 1, deaths: 2 });
        let again = Recognised { redelivered, ..told.clone() };
        let former = |source, read| of_the_release_before(source, &message, read).unwrap();
        let found = [
            of_content(&home, &message),
            of_content(&away, &message),
            former(&home, &told),
            former(&away, &told),
            former(&home, &again),
            former_redelivery_id(Uuid::from_u128(1), Uuid::from_u128(2)),
            redelivery_id(Uuid::from_u128(1), Uuid::from_u128(2)),
        ];
        let pinned = [
            "8a3b7d8e-ce67-8815-bf21-0d9c98bd5734",
            "40c024a8-9c64-85ab-8169-3a4b5ec1e915",
            "014a5d15-122a-8592-a074-3167710d42ad",
            "84f3ec4b-8a66-81c3-9e20-88bb9bd71fe3",
            "930c6f00-28a2-853f-b1b7-3374a9f2fcf6",
            "a701a0a6-9ee0-82ac-9c5d-58c6f018e952",
            "00000000-0000-8f9d-b170-bcc1daaff6c6",
        ];
        assert_eq!(found.map(|id| id.to_string()), pinned);
    }

    #[test]
    fn twins_without_an_id_or_a_time_have_none() {
        let mut unnamed = message();
        unnamed.properties.message_id = None;
        assert_eq!(of(&source("b", "/", "q"), &unnamed, &read()), None);
        assert_eq!(of(&source("b", "/", "q"), &message(), &Recognised::default()), None);
    }
}
