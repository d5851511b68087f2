//! From a message to a row: what is derived may be wrong or missing, and never costs the message (rule R4).

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

/// What a message is read with.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    /// Where it was consumed.
    pub source: &'a Source,
    /// From queue to service.
    pub service_rule: &'a ServiceRule,
    /// How libraries tell of failures.
    pub conventions: &'a Conventions,
    /// With how much care it is read.
    pub decoding: Decoding,
}

/// What a message tells.
struct Told {
    identity: Option<Uuid>,
    former_identity: Option<Uuid>,
    latest_death: Option<DateTime<Utc>>,
    derived: Derived,
    fingerprint: Fingerprint,
    warning: Option<String>,
}

/// Reads a message that arrived under this id. One that cannot be read for a fault of ours is stored all the same.
pub fn decode(decoder: Decoder<'_>, id: Uuid, received: Received) -> NewDeadLetter {
    let told = caught(|| read(decoder, &received)).unwrap_or_else(|| Told::nothing(decoder.source));
    let Received { message, properties, .. } = received;
    NewDeadLetter {
        id,
        identity: told.identity,
        former_identity: told.former_identity,
        latest_death: told.latest_death,
        source: decoder.source.clone(),
        derived: told.derived,
        fingerprint: told.fingerprint,
        warning: told.warning,
        properties,
        body: message.body,
    }
}

fn read(decoder: Decoder<'_>, received: &Received) -> Told {
    let Received { message, unreadable, .. } = received;
    let (conventions, queue) = (decoder.conventions, decoder.source.queue());
    let read = conventions.read(queue, message, decoder.decoding);
    let believed = read.origin.queue.as_deref().filter(|_| !read.origin_refused);
    let service = decoder.service_rule.service(believed).to_owned();
    let identity = identity::of(decoder.source, message, &read);
    let former_identity = match (decoder.decoding, identity) {
        // What would give it an identity may stand where it is not looked. If it has one and is stored, this is a copy.
        (Decoding::HeadersOnly, None) => Some(identity::of_content(decoder.source, message)),
        // Without a crash in the middle of an upgrade there is none. The flag only saves the trouble for what is new.
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
    Told { identity, former_identity, latest_death: read.latest_death, derived, fingerprint, warning }
}

impl Told {
    /// Of a message that was not read to its end.
    fn nothing(source: &Source) -> Self {
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

/// What a panic would have made of it: nothing.
fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::Place;

    #[test]
    fn a_panic_costs_what_would_have_been_read_and_no_more() {
        let source = Source::new("q", Place::new("b", "/"), true);
        let told = caught(|| -> Told { panic!("while reading") }).unwrap_or_else(|| Told::nothing(&source));
        assert_eq!((told.derived.service.as_str(), told.identity), (UNKNOWN, None));
        assert!(told.warning.is_some_and(|warning| warning.contains("was not read")));
        assert_eq!(caught(|| 7), Some(7));
    }
}
