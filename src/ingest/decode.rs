//! From a message to a row: what is derived may be wrong or missing, and never costs the message (rule R4).

use uuid::Uuid;

use crate::amqp::Received;
use crate::domain::convention::{Conventions, ToldBy};
use crate::domain::dead_letter::{Derived, NewDeadLetter};
use crate::domain::message::storable_text;
use crate::domain::place::Source;
use crate::domain::service::ServiceRule;
use crate::domain::{fingerprint, identity};
use crate::planted::{Bug, planted};

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
}

/// Reads a message that arrived under this id.
pub fn decode(decoder: Decoder<'_>, id: Uuid, received: Received) -> NewDeadLetter {
    let Received { message, properties: wire, unreadable } = received;
    let read = decoder.conventions.recognise(decoder.source.queue(), &message);
    let service = decoder.service_rule.service(read.origin.queue.as_deref()).to_owned();
    let identity = identity::of(decoder.source, &message, &read);
    let properties = &message.properties;
    let text = |field: &Option<Vec<u8>>| field.as_deref().map(|bytes| storable_text(bytes, MAX_PROPERTY));
    let fingerprint = fingerprint::of(&service, &read.failure).away(decoder.source.away());
    let derived = Derived {
        service,
        redelivery_id: read.redelivery(properties).and_then(|id| Uuid::parse_str(&id).ok()),
        message_id: read.message_id.or_else(|| text(&properties.message_id)),
        correlation_id: read.correlation_id.or_else(|| text(&properties.correlation_id)),
        message_type: read.message_type.or_else(|| text(&properties.kind)),
        convention: Some(read.convention.to_owned()),
        died_at: read.died_at,
        deaths: i32::try_from(read.deaths).unwrap_or(i32::MAX),
        redeliveries: 0,
        origin: read.origin,
        origin_told_by: ToldBy::Broker,
        reason: read.failure.reason,
        error_type: read.failure.error_type,
        error_message: read.failure.error_message,
    };
    NewDeadLetter {
        id,
        identity,
        latest_death: read.latest_death,
        source: decoder.source.clone(),
        derived,
        fingerprint,
        warning: unreadable.map(|error| format!("the properties cannot be read: {error}")).or(read.warning),
        properties: wire,
        body: if planted(Bug::BodyAsText) {
            String::from_utf8_lossy(&message.body).into_owned().into_bytes()
        } else {
            message.body
        },
    }
}
