//! `EasyNetQ`: its default error strategy publishes a new message, whose body is JSON that holds the failed one as text.
//!
//! The text of a body that is not UTF-8 has lost bytes before it came here. With `Base64ErrorMessageSerializer` it is
//! base64, which nothing in the envelope says: it is taken for that where the property `content-encoding` of the envelope is
//! `base64`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value as Json;

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised, from_json};
use crate::domain::message::{Message, Properties};
use crate::domain::redelivery::REDELIVERY_ID;

const TYPE: &[u8] = b"EasyNetQ.SystemMessages.Error";

pub(super) struct EasyNetQ;

/// The envelope, `EasyNetQ.SystemMessages.Error`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(default)]
    routing_key: Option<String>,
    #[serde(default)]
    exchange: Option<String>,
    #[serde(default)]
    queue: Option<String>,
    #[serde(default)]
    exception: Option<String>,
    message: String,
    #[serde(default)]
    date_time: Option<String>,
    #[serde(default)]
    basic_properties: Inner,
}

/// The properties of the failed message.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inner {
    content_type: Option<String>,
    content_encoding: Option<String>,
    headers: Option<serde_json::Map<String, Json>>,
    delivery_mode: Option<u8>,
    priority: Option<u8>,
    correlation_id: Option<String>,
    reply_to: Option<String>,
    expiration: Option<String>,
    message_id: Option<String>,
    timestamp: Option<u64>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    user_id: Option<String>,
    app_id: Option<String>,
    cluster_id: Option<String>,
}

impl Convention for EasyNetQ {
    fn name(&self) -> &'static str {
        "easynetq"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        is_wrapped(reader.message).then_some(())?;
        let Some(envelope) = unwrap(reader.message) else {
            reader.unreadable::<()>("the envelope in the body");
            return Some(());
        };
        let filled =
            |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| reader::name(&text));
        read.came_from(Origin {
            queue: filled(envelope.queue),
            exchange: envelope.exchange.as_deref().map(reader::name),
            routing_key: envelope.routing_key.as_deref().map(reader::name),
        });
        if let Some(exception) = &envelope.exception {
            let (error_type, message) = reader::printed_exception(exception);
            read.failure.error_type = error_type;
            read.failure.error_message = Some(message);
            read.failure.error_stack = Some(reader::stack_text(exception));
        }
        let inner = envelope.basic_properties;
        let time = envelope
            .date_time
            .as_deref()
            .and_then(|text| reader::rfc3339(text).or_else(|| reader.unreadable("DateTime")));
        read.failed_at(time);
        read.message_id = filled(inner.message_id);
        read.correlation_id = filled(inner.correlation_id);
        read.message_type = filled(inner.kind);
        let redelivery = inner.headers.as_ref().and_then(|headers| headers.get(REDELIVERY_ID)?.as_str());
        read.redelivery_id = redelivery.map(|text| reader::name(&decoded(text)));
        Some(())
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }

    fn restore(&self, message: &mut Message) {
        let Some(envelope) = unwrap(message) else { return };
        let is_base64 = message.properties.content_encoding.as_deref() == Some(b"base64");
        let bytes = is_base64.then(|| STANDARD.decode(&envelope.message).ok()).flatten();
        message.body = bytes.unwrap_or_else(|| envelope.message.into_bytes());
        message.properties = properties(envelope.basic_properties);
    }
}

fn is_wrapped(message: &Message) -> bool {
    let kind = message.properties.kind.as_deref().unwrap_or_default();
    kind.windows(TYPE.len()).any(|part| part == TYPE)
}

fn unwrap(message: &Message) -> Option<Envelope> {
    serde_json::from_slice(&message.body).ok()
}

fn properties(inner: Inner) -> Properties {
    let bytes = |text: Option<String>| text.as_deref().and_then(from_json::short);
    Properties {
        content_type: bytes(inner.content_type),
        content_encoding: bytes(inner.content_encoding),
        headers: inner.headers.map(|headers| from_json::headers(&headers, decoded)),
        delivery_mode: inner.delivery_mode.filter(|mode| *mode > 0),
        priority: inner.priority.filter(|priority| *priority > 0),
        correlation_id: bytes(inner.correlation_id),
        reply_to: bytes(inner.reply_to),
        expiration: bytes(inner.expiration),
        message_id: bytes(inner.message_id),
        timestamp: inner.timestamp.filter(|seconds| *seconds > 0),
        kind: bytes(inner.kind),
        user_id: bytes(inner.user_id),
        app_id: bytes(inner.app_id),
        cluster_id: bytes(inner.cluster_id),
    }
}

/// .NET's client hands text over as bytes, which its JSON shows in base64.
fn decoded(text: &str) -> String {
    let bytes = STANDARD.decode(text).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.to_owned())
}
