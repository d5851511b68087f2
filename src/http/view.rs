//! Dead letters as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::message_view::{MessageBody, MessageProperties, PlainHeaders, TypedHeaders, headers};
use crate::domain::convention::ToldBy;
use crate::domain::dead_letter::{DeadLetter, Payload, received_at};
use crate::domain::log_link::LogLink;
use crate::domain::message::{Message, Properties};
use crate::domain::wire;
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
    /// The error's text; of one longer than 4 KiB, its first and its last 2 KiB with an ellipsis between them.
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
    #[schema(value_type = Object)]
    headers: PlainHeaders,
    /// The headers with the AMQP type (`t`) of each value (`v`): exact.
    #[schema(value_type = Object)]
    typed_headers: TypedHeaders,
    /// Stack trace of the error, 64 KiB of it at most.
    #[schema(required)]
    error_stack: Option<String>,
    /// The deaths of this message that redeliveries link, first one first, and what was done about them.
    history: MessageHistory,
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

/// A message as far as it is shown.
#[derive(Debug)]
pub struct Shown {
    message: Message,
    warning: Option<String>,
}

impl Shown {
    /// Reads what can be read of the properties, with the body or its head.
    pub fn read(payload: Payload) -> Self {
        let (properties, warning) = match wire::decode(&payload.properties) {
            Ok(properties) => (properties, None),
            Err(error) => (Properties::default(), Some(format!("the properties cannot be read: {error}"))),
        };
        Self { message: Message::at_rest(properties, payload.body), warning }
    }

    /// The message, with the head of its body.
    pub fn message(&self) -> &Message {
        &self.message
    }
}

impl DeadLetteredMessageDetails {
    /// Everything that is known of it. What cannot be read from the bytes stays out.
    pub fn new(
        mut letter: DeadLetter,
        shown: Shown,
        error_stack: Option<String>,
        history: History,
        owners: &Owners,
        log_link: Option<&LogLink>,
    ) -> Self {
        let Shown { message, mut warning } = shown;
        let (headers, typed_headers, are_all) = headers(message.properties.headers.clone());
        if !are_all {
            warning = Some("not all headers are shown: they are too many".into());
        }
        letter.warning = letter.warning.or(warning);
        let size = usize::try_from(letter.body_size).unwrap_or(usize::MAX);
        Self {
            message: DeadLetteredMessage::new(letter, owners, log_link),
            body: MessageBody::new(&message.body, size, &message.properties),
            properties: MessageProperties::new(&message.properties),
            headers,
            typed_headers,
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
