//! From a message to a row. Derived fields may be wrong or missing, and never cost the message (rule R4).

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::amqp::Received;
use crate::domain::convention::{Conventions, Decoding, Failure};
use crate::domain::dead_letter::{Derived, NewDeadLetter};
use crate::domain::fingerprint::{self, Fingerprint};
use crate::domain::identity;
use crate::domain::message::storable_text;
use crate::domain::place::Source;
use crate::domain::service::{ServiceRule, UNKNOWN};

/// Longest text of a property; short strings have 255 bytes at most.
const MAX_PROPERTY: usize = 255;

/// How to decode messages of a source.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    /// The source.
    pub source: &'a Source,
    /// Derives the service from the queue.
    pub service_rule: &'a ServiceRule,
    /// Describes failures.
    pub conventions: &'a Conventions,
    /// How much of the message is decoded.
    pub decoding: Decoding,
}

/// The derived fields of a message.
struct Facts {
    identity: Option<Uuid>,
    former_identity: Option<Uuid>,
    latest_death: Option<DateTime<Utc>>,
    derived: Derived,
    fingerprint: Fingerprint,
    warning: Option<String>,
}

/// Decodes a message that arrived under this id. If decoding panics, the message is stored without derived fields.
pub fn decode(decoder: Decoder<'_>, id: Uuid, received: Received) -> NewDeadLetter {
    let facts = caught(|| read(decoder, &received)).unwrap_or_else(|| Facts::none(decoder.source));
    let Received { message, properties, .. } = received;
    NewDeadLetter {
        id,
        identity: facts.identity,
        former_identity: facts.former_identity,
        latest_death: facts.latest_death,
        source: decoder.source.clone(),
        derived: facts.derived,
        fingerprint: facts.fingerprint,
        warning: facts.warning,
        properties,
        body: message.body,
    }
}

fn read(decoder: Decoder<'_>, received: &Received) -> Facts {
    let Received { message, unreadable, .. } = received;
    let (conventions, queue) = (decoder.conventions, decoder.source.queue());
    let read = conventions.read(queue, message, decoder.decoding);
    let believed = read.origin.queue.as_deref().filter(|_| !read.origin_refused);
    let service = decoder.service_rule.service(believed).to_owned();
    let identity = identity::of(decoder.source, message, &read);
    let former_identity = match (decoder.decoding, identity) {
        // The fields that give it an identity may be in the part that is not decoded. If it is stored under one, this is a copy.
        (Decoding::HeadersOnly, None) => Some(identity::of_content(decoder.source, message)),
        // Only a crash during an upgrade leaves such a copy. The flag merely saves the lookup for new messages.
        _ if received.redelivered => identity::of_the_release_before(decoder.source, message, &read),
        _ => None,
    };
    let properties = &message.properties;
    let text = |field: &Option<Vec<u8>>| field.as_deref().map(|bytes| storable_text(bytes, MAX_PROPERTY));
    let fingerprint = fingerprint::of(&service, &read.failure).away(decoder.source.away());
    let derived = Derived {
        service,
        redelivery_id: read
            .redelivered
            .as_ref()
            .and_then(|redelivered| Uuid::parse_str(&redelivered.id).ok()),
        message_id: read.message_id.or_else(|| text(&properties.message_id)),
        correlation_id: read.correlation_id.or_else(|| text(&properties.correlation_id)),
        message_type: read.message_type.or_else(|| text(&properties.kind)),
        convention: Some(read.convention.to_owned()),
        died_at: read.died_at,
        deaths: i32::try_from(read.deaths).unwrap_or(i32::MAX),
        redeliveries: read.redelivered.as_ref().map_or(0, |redelivered| redelivered.count),
        origin: read.origin,
        origin_told_by: read.origin_told_by,
        reason: read.failure.reason,
        error_type: read.failure.error_type,
        error_message: read.failure.error_message,
    };
    let warning = unreadable.map(|error| format!("the properties cannot be read: {error}")).or(read.warning);
    Facts { identity, former_identity, latest_death: read.latest_death, derived, fingerprint, warning }
}

impl Facts {
    /// Of a message whose decoding panicked.
    fn none(source: &Source) -> Self {
        Self {
            identity: None,
            former_identity: None,
            latest_death: None,
            derived: Derived { service: UNKNOWN.into(), ..Derived::default() },
            fingerprint: fingerprint::of(UNKNOWN, &Failure::default()).away(source.away()),
            warning: Some("this message was not read: a fault of dead-letter, please report it".into()),
        }
    }
}

/// `None` if reading panics.
fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::Place;

    #[test]
    fn a_panic_costs_what_would_have_been_read_and_no_more() {
        let source = Source::at_home("q", Place::new("b", "/"));
        let facts = caught(|| -> Facts { panic!("while reading") }).unwrap_or_else(|| Facts::none(&source));
        assert_eq!((facts.derived.service.as_str(), facts.identity), (UNKNOWN, None));
        assert!(facts.warning.is_some_and(|warning| warning.contains("was not read")));
        assert_eq!(caught(|| 7), Some(7));
    }
}
