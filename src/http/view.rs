//! Dead letters as clients see them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::amqp::codec;
use crate::domain::convention::{Conventions, ToldBy};
use crate::domain::dead_letter::{DeadLetter, Payload, received_at};
use crate::domain::json;
use crate::domain::log_link::LogLink;
use crate::domain::message::{Message, Properties};
use crate::ownership::Owners;
use crate::store::{History, HistoryOperation};

/// A dead letter, as in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessage {
    /// Its id.
    id: Uuid,
    /// `dead`, `redelivered` or `deleted`.
    #[schema(example = "dead")]
    status: &'static str,
    /// When it arrived here.
    received_at: DateTime<Utc>,
    /// When it first died, as the message tells.
    #[schema(required)]
    died_at: Option<DateTime<Utc>>,
    /// Service whose queue it died in; `unknown` where that is not known.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns the service; `unowned` where none does.
    #[schema(example = "checkout")]
    squad: String,
    /// Dead-letter queue that it came from.
    #[schema(example = "dead-letter")]
    source: String,
    /// Broker that it died on, by the name that the configuration gives it.
    #[schema(required, example = "default")]
    broker: Option<String>,
    /// Virtual host that it died in.
    #[schema(required, example = "/")]
    vhost: Option<String>,
    /// Queue that it died in.
    #[schema(required, example = "demo-orders_webshop")]
    queue: Option<String>,
    /// Exchange that it had been published to; empty for the default exchange.
    #[schema(required, example = "demo-orders")]
    exchange: Option<String>,
    /// Routing key that it had been published with.
    #[schema(required, example = "orders.OrderPlaced")]
    routing_key: Option<String>,
    /// Who says where it died. `message`: the message claims it, and anyone who may publish could have written that.
    origin_told_by: OriginToldBy,
    /// The broker's reason.
    #[schema(required, example = "rejected")]
    reason: Option<String>,
    /// Message id.
    #[schema(required)]
    message_id: Option<String>,
    /// Correlation id.
    #[schema(required)]
    correlation_id: Option<String>,
    /// Type of the message.
    #[serde(rename = "type")]
    #[schema(required, example = "OrderPlaced")]
    message_type: Option<String>,
    /// Failure convention that recognised it.
    #[schema(required, example = "native")]
    convention: Option<String>,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// Head of the error's text.
    #[schema(required, example = "card issuer timed out after 3000 ms")]
    error_message: Option<String>,
    /// Fingerprint of the failure: equal for those that failed for the same reason.
    #[schema(required)]
    error_group: Option<Uuid>,
    /// How often it died, over all redeliveries.
    #[schema(example = 1)]
    attempts: i32,
    /// How often dead-letter had redelivered it before this death.
    #[schema(example = 0)]
    redeliveries: i32,
    /// Length of the body in bytes.
    #[schema(example = 412)]
    body_size: i64,
    /// The redelivery that it came back from.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// Its logs, where `DEAD_LETTER_LOG_LINK` says where these are, and all that it names is known.
    #[schema(required, example = "https://logs.example.com/?q=4711")]
    log_link: Option<String>,
    /// Why what is shown here is not all that could be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Who says where a message died.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OriginToldBy {
    /// The broker, by its history of deaths or by the queue in which the message lay.
    Broker,
    /// The message itself, by headers or envelope.
    Message,
}

impl From<ToldBy> for OriginToldBy {
    fn from(told_by: ToldBy) -> Self {
        match told_by {
            ToldBy::Broker => Self::Broker,
            ToldBy::Message => Self::Message,
        }
    }
}

impl DeadLetteredMessage {
    /// With the squad that owns it now.
    pub fn new(letter: DeadLetter, owners: &Owners, log_link: Option<&LogLink>) -> Self {
        let log_link = log_link.and_then(|link| link.of(&letter));
        let derived = letter.derived;
        let (broker, vhost) = letter.place.map(|place| (place.broker, place.vhost)).unzip();
        Self {
            id: letter.id,
            status: letter.status.as_str(),
            received_at: received_at(letter.id),
            died_at: derived.died_at,
            squad: owners.squad(&derived.service).to_owned(),
            service: derived.service,
            source: letter.source,
            broker,
            vhost,
            queue: derived.origin.queue,
            exchange: derived.origin.exchange,
            routing_key: derived.origin.routing_key,
            origin_told_by: derived.origin_told_by.into(),
            reason: derived.reason,
            message_id: derived.message_id,
            correlation_id: derived.correlation_id,
            message_type: derived.message_type,
            convention: derived.convention,
            error_type: derived.error_type,
            error_message: derived.error_message,
            error_group: letter.error_group,
            attempts: derived.deaths,
            redeliveries: derived.redeliveries,
            body_size: letter.body_size,
            redelivery_id: derived.redelivery_id,
            log_link,
            warning: letter.warning,
        }
    }
}

/// A dead letter, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessageDetails {
    /// As in a list.
    #[serde(flatten)]
    message: DeadLetteredMessage,
    /// The body.
    body: MessageBody,
    /// The properties, but for the headers.
    properties: MessageProperties,
    /// The headers as plain JSON; widths and kinds of numbers and strings are not told apart.
    headers: Map<String, Json>,
    /// The headers with the AMQP type (`t`) of each value (`v`): exact.
    typed_headers: Map<String, Json>,
    /// Stack trace of the error.
    #[schema(required)]
    error_stack: Option<String>,
    /// The deaths of this message that redeliveries link, first one first, and what was done about them.
    history: MessageHistory,
}

/// A body: as text where it is UTF-8, else as base64.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// `text` or `base64`.
    #[schema(example = "text")]
    encoding: &'static str,
    /// The body in that encoding.
    #[schema(example = "{\"orderId\":4711}")]
    content: String,
    /// `content-type` property.
    #[schema(required, example = "application/json")]
    content_type: Option<String>,
}

/// The properties of a message, but for the headers. What is not UTF-8 is shown with replacement characters.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_mode: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// Seconds since 1970, as text: it may be any 64-bit number.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    message_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
}

/// What happened to a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageHistory {
    /// Its deaths, this one included.
    deaths: Vec<DeadLetteredMessage>,
    /// The operations that one of them was an item of.
    operations: Vec<OperationInHistory>,
}

/// An operation in the history of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OperationInHistory {
    /// The operation.
    operation_id: Uuid,
    /// `redeliver` or `delete`.
    #[schema(example = "redeliver")]
    kind: &'static str,
    /// Whether it published a copy, and the dead letter stayed dead.
    copy: bool,
    /// Who asked for it.
    requested_by: String,
    /// Why.
    #[schema(required)]
    note: Option<String>,
    /// When.
    requested_at: DateTime<Utc>,
    /// Which of the deaths it was about.
    dead_letter_id: Uuid,
    /// `sent`, `deleted`, `refused` or `skipped`; absent while it is not done.
    #[schema(required, example = "sent")]
    outcome: Option<&'static str>,
    /// Why.
    #[schema(required)]
    detail: Option<String>,
    /// The id that the message was published with.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// When that was settled.
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
}

impl DeadLetteredMessageDetails {
    /// Everything that is known of it. What cannot be read from the bytes stays out.
    pub fn new(
        letter: DeadLetter,
        payload: Payload,
        history: History,
        conventions: &Conventions,
        owners: &Owners,
        log_link: Option<&LogLink>,
    ) -> Self {
        let mut letter = letter;
        let properties = codec::decode(&payload.properties).unwrap_or_else(|error| {
            letter.warning.get_or_insert_with(|| format!("the properties cannot be read: {error}"));
            Properties::default()
        });
        let message = Message::at_rest(properties, payload.body);
        let error_stack = conventions.recognise(&letter.source, &message).failure.error_stack;
        let headers = message.properties.headers.clone().unwrap_or_default();
        Self {
            message: DeadLetteredMessage::new(letter, owners, log_link),
            body: MessageBody::new(message.body, text(message.properties.content_type.as_deref())),
            properties: MessageProperties::new(&message.properties),
            headers: json::plain(&headers),
            typed_headers: json::typed(&headers),
            error_stack,
            history: MessageHistory {
                deaths: history
                    .deaths
                    .into_iter()
                    .map(|death| DeadLetteredMessage::new(death, owners, log_link))
                    .collect(),
                operations: history.operations.into_iter().map(OperationInHistory::from).collect(),
            },
        }
    }
}

impl MessageBody {
    /// The bytes in the encoding that suits them.
    pub fn new(body: Vec<u8>, content_type: Option<String>) -> Self {
        match String::from_utf8(body) {
            Ok(content) => Self { encoding: "text", content, content_type },
            Err(error) => {
                Self { encoding: "base64", content: STANDARD.encode(error.as_bytes()), content_type }
            }
        }
    }
}

impl MessageProperties {
    fn new(properties: &Properties) -> Self {
        Self {
            content_type: text(properties.content_type.as_deref()),
            content_encoding: text(properties.content_encoding.as_deref()),
            delivery_mode: properties.delivery_mode,
            priority: properties.priority,
            correlation_id: text(properties.correlation_id.as_deref()),
            reply_to: text(properties.reply_to.as_deref()),
            expiration: text(properties.expiration.as_deref()),
            message_id: text(properties.message_id.as_deref()),
            timestamp: properties.timestamp.map(|seconds| seconds.to_string()),
            message_type: text(properties.kind.as_deref()),
            user_id: text(properties.user_id.as_deref()),
            app_id: text(properties.app_id.as_deref()),
            cluster_id: text(properties.cluster_id.as_deref()),
        }
    }
}

impl From<HistoryOperation> for OperationInHistory {
    fn from(operation: HistoryOperation) -> Self {
        Self {
            operation_id: operation.operation,
            kind: operation.kind.as_str(),
            copy: operation.copy,
            requested_by: operation.requested_by,
            note: operation.note,
            requested_at: operation.requested_at,
            dead_letter_id: operation.dead_letter,
            outcome: operation.outcome.map(super::super::domain::operation::Outcome::as_str),
            detail: operation.detail,
            redelivery_id: operation.redelivery_id,
            settled_at: operation.settled_at,
        }
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
