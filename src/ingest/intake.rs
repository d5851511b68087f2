//! Turns an arrived message into a row.

use tracing::Span;

use super::Ingest;
use super::crash_guard::CrashGuard;
use super::decode::{Decoder, decode};
use crate::amqp::{LossRisk, MANY_DELIVERIES, Received};
use crate::clock;
use crate::domain::convention::Decoding;
use crate::domain::dead_letter::NewDeadLetter;
use crate::domain::headers::X_DELIVERY_COUNT;
use crate::domain::message::Value;
use crate::domain::place;
use crate::telemetry::link_to_message;

/// Decodes the messages of one consumer.
#[derive(Debug)]
pub(super) struct Intake<'i> {
    ingest: &'i Ingest,
    guard: CrashGuard,
    source: place::Source,
}

impl<'i> Intake<'i> {
    pub fn new(ingest: &'i Ingest, decoding: Decoding) -> Self {
        let place = ingest.broker.place();
        let (queue, at) = (ingest.source.queue.clone(), place.clone());
        let source = if ingest.store.is_home(place) {
            place::Source::at_home(queue, at)
        } else {
            place::Source::elsewhere(queue, at)
        };
        Self { ingest, guard: CrashGuard::new(decoding), source }
    }

    /// How the next consumer has to decode redelivered messages.
    pub fn decoding(&self) -> Decoding {
        self.guard.decoding()
    }

    /// How this message is to be decoded. Asks the database about other consumers, if the broker calls the message redelivered.
    pub async fn decoding_of(&mut self, received: &Received) -> Decoding {
        self.guard.decoding_of(received, self.ingest).await
    }

    /// Decodes a message, and links the span of its batch to its trace.
    pub fn row(&self, received: Received, decoding: Decoding, span: &Span) -> NewDeadLetter {
        let ingest = self.ingest;
        let properties = &received.message.properties;
        link_to_message(span, properties);
        let deliveries = properties.header(X_DELIVERY_COUNT).and_then(Value::as_i64);
        if deliveries.is_some_and(|deliveries| deliveries >= MANY_DELIVERIES) {
            ingest.status.warn(LossRisk::many_deliveries());
        }
        let decoder = Decoder {
            source: &self.source,
            service_rule: &ingest.service_rule,
            conventions: &ingest.conventions,
            decoding,
        };
        decode(decoder, clock::new_id(), received)
    }
}
