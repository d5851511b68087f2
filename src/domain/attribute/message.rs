//! The attributes of one dead letter.

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Timelike, Utc};

use super::body::{self, Body};
use super::{Attribute, AttributeKind, Layer, Value};
use crate::domain::coding::Coding;
use crate::domain::message::{self, Properties};
use crate::domain::{headers, wire};

/// Longest part of a compressed body that is decoded.
const MAX_DECODED: usize = 64 << 10;
/// Headers that are read.
const MAX_HEADERS: usize = 100;
/// How the names of headers begin that describe the failure, in lower case. They tell the error group, not its cause.
const OF_FAILURES: [&str; 9] = [
    "dead-letter-",
    "x-exception-",
    "x-original-",
    "exception-",
    "nservicebus.exceptioninfo.",
    "nservicebus.timeoffailure",
    "mt-fault-",
    "mt-reason",
    "cap-exception",
];
/// An error's text that is shorter may stand anywhere.
const TELLING: usize = 8;

/// What the columns of a row tell.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// The service that it died in.
    pub service: String,
    /// The `type` property.
    pub message_type: Option<String>,
    /// Routing key.
    pub routing_key: Option<String>,
    /// Exchange.
    pub exchange: Option<String>,
    /// Queue.
    pub queue: Option<String>,
    /// Error group.
    pub error_group: Option<String>,
    /// Type of the error.
    pub error_type: Option<String>,
    /// Text of the error.
    pub error_message: Option<String>,
    /// When it died.
    pub died_at: Option<DateTime<Utc>>,
    /// How often.
    pub deaths: i32,
}

/// A dead letter whose attributes are wanted.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// Its columns.
    pub columns: Columns,
    /// Its properties, if they are to be read.
    pub properties: Option<Vec<u8>>,
    /// Its body, if it is to be read.
    pub body: Option<Vec<u8>>,
}

/// What was read of a dead letter.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub found: Vec<(Attribute, Value)>,
    /// How much of it could be read.
    pub down_to: Layer,
}

impl Attributes {
    fn add(&mut self, kind: AttributeKind, name: &str, value: Value) {
        self.found.push((Attribute { kind, name: name.to_owned() }, value));
    }

    fn add_text(&mut self, kind: AttributeKind, text: Option<&str>) {
        if let Some(text) = text {
            self.add(kind, "", Value::of_text(text));
        }
    }

    fn add_bytes(&mut self, kind: AttributeKind, bytes: Option<&[u8]>) {
        self.add_text(kind, bytes.map(String::from_utf8_lossy).as_deref());
    }
}

impl Letter {
    /// Reads the attributes. What cannot be read is left out.
    pub(super) fn attributes(&self) -> Attributes {
        let mut read = Attributes::default();
        self.columns.read(&mut read);
        let Some(Ok(properties)) = self.properties.as_deref().map(wire::decode) else { return read };
        read.down_to = Layer::Properties;
        self.read_properties(&properties, &mut read);
        if let Some(bytes) = &self.body {
            self.read_body(&properties, bytes, &mut read);
        }
        read
    }

    fn read_properties(&self, properties: &Properties, read: &mut Attributes) {
        for (kind, bytes) in [
            (AttributeKind::AppId, &properties.app_id),
            (AttributeKind::UserId, &properties.user_id),
            (AttributeKind::ContentType, &properties.content_type),
            (AttributeKind::ContentEncoding, &properties.content_encoding),
            (AttributeKind::Expiration, &properties.expiration),
            (AttributeKind::ReplyTo, &properties.reply_to),
        ] {
            read.add_bytes(kind, bytes.as_deref());
        }
        if let Some(priority) = properties.priority {
            read.add(AttributeKind::Priority, "", Value::of_number(priority.into(), priority.to_string()));
        }
        let named = properties.headers.iter().flat_map(|table| &table.0).take(MAX_HEADERS);
        for (name, value) in named.filter(|(name, _)| is_telling(name)) {
            let value = header(value);
            if !self.columns.is_failure(&value) {
                read.add(AttributeKind::Header, &String::from_utf8_lossy(name), value);
            }
        }
    }

    fn read_body(&self, properties: &Properties, bytes: &[u8], read: &mut Attributes) {
        let decoded = Coding::of(properties).and_then(|coding| coding.decode(bytes, MAX_DECODED));
        if decoded.as_ref().is_some_and(|decoded| !decoded.is_whole) {
            return;
        }
        let bytes = decoded.as_ref().map_or(bytes, |decoded| &decoded.bytes);
        let format = match body::read(bytes) {
            Body::Unread => return,
            Body::Json(found) => {
                for (path, value) in found.into_iter().filter(|(_, value)| !self.columns.is_failure(value)) {
                    read.add(AttributeKind::Body, &path, value);
                }
                "json"
            }
            Body::Other if bytes.is_empty() => "empty",
            Body::Other if std::str::from_utf8(bytes).is_ok() => "text",
            Body::Other => "binary",
        };
        read.down_to = Layer::Body;
        read.add_text(AttributeKind::BodyFormat, Some(format));
    }
}

impl Columns {
    fn read(&self, read: &mut Attributes) {
        for (kind, text) in [
            (AttributeKind::Type, &self.message_type),
            (AttributeKind::RoutingKey, &self.routing_key),
            (AttributeKind::Exchange, &self.exchange),
            (AttributeKind::Queue, &self.queue),
            (AttributeKind::ErrorGroup, &self.error_group),
            (AttributeKind::ErrorType, &self.error_type),
        ] {
            read.add_text(kind, text.as_deref());
        }
        let number = |number: i32| Value::of_number(number.into(), number.to_string());
        read.add(AttributeKind::Attempts, "", number(self.deaths));
        let Some(died_at) = self.died_at else { return };
        // Not as a number: the hours around midnight are neighbours.
        read.add_text(AttributeKind::HourOfDay, Some(&died_at.hour().to_string()));
        let hour = died_at.duration_trunc(TimeDelta::hours(1)).unwrap_or(died_at);
        read.add_text(AttributeKind::Hour, Some(&hour.to_rfc3339_opts(SecondsFormat::Secs, true)));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact")]
        let milliseconds = died_at.timestamp_millis() as f64;
        read.add(AttributeKind::DiedAt, "", Value { text: None, number: Some(milliseconds) });
    }

    /// Whether the value repeats the error. All dead letters of a group would have it in common.
    fn is_failure(&self, value: &Value) -> bool {
        let Some(text) = value.text.as_deref() else { return false };
        let in_text = self.error_message.as_deref();
        self.error_type.as_deref().is_some_and(|name| text == name)
            || in_text.is_some_and(|error| error.len() >= TELLING && text.contains(error))
    }
}

/// Whether the header is neither the broker's, nor ours, nor about the failure.
fn is_telling(name: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    !headers::is_ours(name)
        && !headers::is_the_brokers(name)
        && !OF_FAILURES.iter().any(|prefix| lower.starts_with(prefix))
}

fn header(value: &message::Value) -> Value {
    use message::Value as Held;
    match value {
        Held::LongString(bytes) | Held::Bytes(bytes) => {
            std::str::from_utf8(bytes).map_or(Value::PRESENT, Value::of_text)
        }
        Held::Bool(yes) => Value::of_text(if *yes { "true" } else { "false" }),
        Held::F32(number) => Value::of_number(f64::from(*number), number.to_string()),
        Held::F64(number) => Value::of_number(*number, number.to_string()),
        Held::Void => Value::of_text("null"),
        Held::Timestamp(seconds) => Value::of_text(&seconds.to_string()),
        Held::Array(_) | Held::Table(_) | Held::Decimal { .. } => Value::PRESENT,
        #[expect(clippy::cast_precision_loss, reason = "a range for people")]
        whole => whole
            .as_i64()
            .map_or(Value::PRESENT, |number| Value::of_number(number as f64, number.to_string())),
    }
}
