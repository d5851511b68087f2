//! `EasyNetQ`: its default error strategy publishes a new message, whose body is JSON that holds the failed one as text.
//!
//! The text of a body that is not UTF-8 has lost bytes before it came here. With `Base64ErrorMessageSerializer` it is
//! base64, which nothing in the envelope says: it is taken for that where the property `content-encoding` of the envelope is
//! `base64`.
//!
//! Headers that are text are so in the envelope up to version 7. From version 8 on .NET's client hands them over as bytes, which
//! JSON shows in base64. Nothing in the envelope says which, so it is told by all of them together, and never one by one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::from_json::{self, Headers};
use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};
use crate::domain::bounded::{self, Budget, Unread};
use crate::domain::message::{Message, Properties, Value};
use crate::domain::redelivered::Redelivered;

const TYPE: &[u8] = b"EasyNetQ.SystemMessages.Error";
/// So many characters of text that are base64 by accident do not all become characters that can be read.
const MANY: usize = 16;

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
    headers: Option<Headers>,
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

/// How the texts of an envelope's headers are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// As they stand.
    Plain,
    /// As base64.
    Base64,
    /// As they stand, although all of them might be base64.
    Unclear,
}

impl Convention for EasyNetQ {
    fn name(&self) -> &'static str {
        "easynetq"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        is_wrapped(reader.message).then_some(())?;
        let envelope = match unwrap(reader.message) {
            Ok(envelope) => envelope,
            Err(why) if why.is_beyond_budget() => {
                return reader.unreadable(&format!("the envelope of easynetq, as {why}"));
            }
            Err(_) => {
                reader.unreadable::<()>("the envelope in the body");
                return Some(());
            }
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
        let headers = inner.headers.unwrap_or_default();
        let reading = Reading::of(&headers);
        if reading == Reading::Unclear {
            reader.note("the headers in the envelope may be text or base64, and are read as text");
        }
        let header = |name: &str| headers.text(name).map(str::to_owned);
        read.redelivered = Redelivered::read(|name| {
            header(name).map(|text| reader::name(&String::from_utf8_lossy(&reading.bytes(text))))
        });
        Some(())
    }

    fn reads_plain_headers(&self) -> bool {
        false
    }

    fn is_of(&self, message: &Message) -> bool {
        is_wrapped(message)
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }

    fn restore(&self, message: &mut Message) {
        let Ok(envelope) = unwrap(message) else { return };
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

fn unwrap(message: &Message) -> Result<Envelope, Unread> {
    bounded::read(&message.body, Budget::MESSAGE)
}

fn properties(inner: Inner) -> Properties {
    let bytes = |text: Option<String>| text.as_deref().and_then(from_json::short);
    let headers = inner.headers.map(|headers| {
        let reading = Reading::of(&headers);
        headers.table(|text| Value::LongString(reading.bytes(text)))
    });
    Properties {
        content_type: bytes(inner.content_type),
        content_encoding: bytes(inner.content_encoding),
        headers,
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

impl Reading {
    /// Base64 if each text is that of something readable, and they are so many, or so padded, that it is no accident. `USER` and
    /// other words are base64 as well, but of bytes that nobody reads.
    fn of(headers: &Headers) -> Self {
        let texts = || headers.0.iter().filter_map(|(_, value)| value.text()).filter(|text| !text.is_empty());
        let (mut readable, mut padded, mut length) = (true, false, 0);
        for text in texts() {
            let Ok(bytes) = STANDARD.decode(text) else { return Self::Plain };
            readable &= is_readable(&bytes);
            padded |= text.ends_with('=');
            length += text.len();
        }
        match (length, readable && (padded || length >= MANY)) {
            (0, _) => Self::Plain,
            (_, true) => Self::Base64,
            (_, false) => Self::Unclear,
        }
    }

    fn bytes(self, text: String) -> Vec<u8> {
        match self {
            Self::Base64 => STANDARD.decode(&text).unwrap_or_else(|_| text.into_bytes()),
            Self::Plain | Self::Unclear => text.into_bytes(),
        }
    }
}

fn is_readable(bytes: &[u8]) -> bool {
    let is_shown = |letter: char| !letter.is_control() || letter.is_ascii_whitespace();
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::convention::from_json::Scalar;

    fn reading(texts: &[&str]) -> Reading {
        Reading::of(&Headers(
            texts.iter().map(|text| (String::new(), Scalar::Text((*text).to_owned()))).collect(),
        ))
    }

    #[test]
    fn headers_are_text_or_base64_all_of_them() {
        for plain in [
            &["2026-11-23T00:00:00Z", "USER", "DEMO", "EURO"][..],
            &[],
            &[""],
            &["USER", "a b"],
            &["dXNlcg==", "users"],
        ] {
            assert_eq!(reading(plain), Reading::Plain, "{plain:?}");
        }
        for base64 in [
            &["VVNFUg==", "REVNTw==", "MjAyNi0xMS0yM1QwMDowMDowMFo="][..],
            &["MQ=="],
            &["YWJjYWJjYWJjYWJj"],
            &["", "w6k="],
        ] {
            assert_eq!(reading(base64), Reading::Base64, "{base64:?}");
        }
        for unclear in [&["USER"][..], &["USER", "DEMO"], &["YWJj"], &["VVNFUg==", "AP8="]] {
            assert_eq!(reading(unclear), Reading::Unclear, "{unclear:?}");
        }
    }
}
