//! Dead letters as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::message_view::{MessageBody, MessageProperties, PlainHeaders, TypedHeaders, TypedValue, headers};
use crate::domain::dead_letter::{DeadLetter, Payload, received_at};
use crate::domain::log_link::LogLink;
use crate::domain::message::{Message, Properties};
use crate::domain::trace_link::TraceLink;
use crate::domain::wire;
use crate::http::words::{DeadLetterStatus, OperationKind, OriginToldBy, Outcome};
use crate::ownership::Owners;
use crate::store::{History, HistoryOperation};

/// A dead letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessage {
    /// Id of the dead letter.
    id: Uuid,
    /// Its status.
    status: DeadLetterStatus,
    /// When it arrived.
    received_at: DateTime<Utc>,
    /// When it first died, according to the message.
    #[schema(required)]
    died_at: Option<DateTime<Utc>>,
    /// Service whose queue it died in. `unknown`: not known.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns the service. `unowned`: none.
    #[schema(example = "checkout")]
    squad: String,
    /// Queue that dead-letter consumed it from.
    #[schema(example = "dead-letter")]
    source: String,
    /// Broker that it died on, by its configured name.
    #[schema(required, example = "default")]
    broker: Option<String>,
    /// Virtual host that it died in.
    #[schema(required, example = "/")]
    vhost: Option<String>,
    /// Queue that it died in.
    #[schema(required, example = "demo-orders_webshop")]
    queue: Option<String>,
    /// Exchange that it was published to. Empty: the default exchange.
    #[schema(required, example = "demo-orders")]
    exchange: Option<String>,
    /// Routing key that it was published with.
    #[schema(required, example = "orders.OrderPlaced")]
    routing_key: Option<String>,
    /// Who says where it died. `message`: only the message does, and anyone who may publish could have written that.
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
    /// Failure convention of the message, such as `native` or `spring`.
    #[schema(required, example = "native")]
    convention: Option<String>,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// Text of the error. Of a text longer than 4 KiB, the first and last 2 KiB with an ellipsis between them.
    #[schema(required, example = "card issuer timed out after 3000 ms")]
    error_message: Option<String>,
    /// Error group. Dead letters that failed for the same reason have the same group.
    #[schema(required)]
    error_group: Option<Uuid>,
    /// How often the message died, across redeliveries.
    #[schema(example = 1)]
    attempts: i32,
    /// How often dead-letter redelivered the message before this death.
    #[schema(example = 0)]
    redeliveries: i32,
    /// Length of the body in bytes.
    #[schema(example = 412)]
    body_size: i64,
    /// Id of the redelivery after which it died again.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// Link to the logs of the message. Null: `DEAD_LETTER_LOG_LINK` is not set, or a value that it needs is not known.
    #[schema(required, example = "https://logs.example.com/?q=4711")]
    log_link: Option<String>,
    /// Why some details are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl DeadLetteredMessage {
    /// With the squad that owns it now.
    pub fn new(letter: DeadLetter, owners: &Owners, log_link: Option<&LogLink>) -> Self {
        let log_link = log_link.and_then(|link| link.of(&letter));
        let derived = letter.derived;
        let (broker, vhost) = letter.place.map(|place| (place.broker, place.vhost)).unzip();
        Self {
            id: letter.id,
            status: letter.status.into(),
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

/// A dead letter with body, headers, failure and history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessageDetails {
    /// The dead letter.
    #[serde(flatten)]
    message: DeadLetteredMessage,
    /// The body.
    body: MessageBody,
    /// The properties, without the headers.
    properties: MessageProperties,
    /// The headers as plain JSON, without the types of numbers and strings.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    headers: PlainHeaders,
    /// The headers with the AMQP type of each value.
    #[schema(value_type = BTreeMap<String, TypedValue>)]
    typed_headers: TypedHeaders,
    /// Stack trace of the error. At most 64 KiB.
    #[schema(required)]
    error_stack: Option<String>,
    /// Link to the trace that the header `traceparent` names. Null: `DEAD_LETTER_TRACE_LINK` is not set, or the header is missing, invalid
    /// or not shown.
    #[schema(required, example = "https://traces.example.com/trace/4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_link: Option<String>,
    /// Earlier and later deaths of the same message, and the operations on them.
    history: MessageHistory,
}

/// The history of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageHistory {
    /// The deaths of the message that redeliveries link, this one included, earliest first.
    deaths: Vec<DeadLetteredMessage>,
    /// The operations on any of these deaths.
    operations: Vec<OperationInHistory>,
}

/// An operation in the history of a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OperationInHistory {
    /// Id of the operation.
    operation_id: Uuid,
    /// The kind of operation.
    kind: OperationKind,
    /// Whether the operation sent copies. The dead letter then stayed dead.
    copy: bool,
    /// Who asked for the operation.
    requested_by: String,
    /// The reason given for the operation.
    #[schema(required)]
    note: Option<String>,
    /// When the operation was asked for.
    requested_at: DateTime<Utc>,
    /// Id of the dead letter that the operation acted on.
    dead_letter_id: Uuid,
    /// The outcome. Null: none yet.
    #[schema(required)]
    outcome: Option<Outcome>,
    /// The reason for the outcome.
    #[schema(required)]
    detail: Option<String>,
    /// Redelivery id of the message.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// When the item got its outcome.
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

    /// Neither body nor headers, for a caller who may not see them.
    pub fn hidden() -> Self {
        let warning = "body and headers are not shown: this needs the permission `read-payload`".into();
        Self { message: Message::at_rest(Properties::default(), Vec::new()), warning: Some(warning) }
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
        trace_link: Option<&TraceLink>,
    ) -> Self {
        let Shown { message, mut warning } = shown;
        let traceparent = message.properties.header_text("traceparent");
        let trace_link = trace_link.zip(traceparent).and_then(|(link, traceparent)| link.of(&traceparent));
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
            trace_link,
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
            kind: operation.kind.into(),
            copy: operation.copy,
            requested_by: operation.requested_by,
            note: operation.note,
            requested_at: operation.requested_at,
            dead_letter_id: operation.dead_letter,
            outcome: operation.outcome.map(Outcome::from),
            detail: operation.detail,
            redelivery_id: operation.redelivery_id,
            settled_at: operation.settled_at,
        }
    }
}
