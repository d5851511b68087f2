//! Operations as clients see them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::operation_request::TargetInput;
use crate::domain::error_text;
use crate::domain::operation::{Item, Operation, ReturnedGroup};

/// One request to redeliver or delete a frozen selection of dead letters, with its progress.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operation)]
pub struct OperationView {
    /// Its id.
    id: Uuid,
    /// `redeliver` or `delete`.
    #[schema(example = "redeliver")]
    kind: &'static str,
    /// `pending`, `running` or `completed`.
    #[schema(example = "running")]
    state: &'static str,
    /// Dead letters in it.
    #[schema(example = 43_695)]
    total: i64,
    /// Of these, how many are not settled yet.
    #[schema(example = 20_000)]
    remaining: i64,
    /// Those that are settled, by outcome.
    outcomes: OutcomesView,
    /// What keeps it from going on; it goes on by itself when that is gone.
    #[schema(required)]
    last_error: Option<String>,
    /// The selection as it was asked for.
    #[schema(value_type = Object)]
    selection: serde_json::Value,
    /// Where the messages go.
    to: TargetInput,
    /// At most so many messages a second.
    #[schema(required)]
    rate: Option<u32>,
    /// Why, in the words of who asked.
    #[schema(required)]
    note: Option<String>,
    /// Who asked.
    requested_by: String,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When the first chunk was done.
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    /// When the last one was.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

/// Numbers of items by outcome.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Outcomes)]
struct OutcomesView {
    /// Published, confirmed and not returned.
    sent: i64,
    /// Sent, and died again.
    returned: i64,
    /// Deleted.
    deleted: i64,
    /// Refused by the broker: still dead.
    refused: i64,
    /// Another operation has it, or it is not dead, or not there.
    skipped: i64,
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        let outcomes = operation.outcomes;
        Self {
            id: operation.id,
            kind: operation.kind.as_str(),
            state: operation.state.as_str(),
            total: operation.total,
            remaining: operation.total - outcomes.settled(),
            outcomes: OutcomesView {
                sent: outcomes.sent,
                returned: outcomes.returned,
                deleted: outcomes.deleted,
                refused: outcomes.refused,
                skipped: outcomes.skipped,
            },
            last_error: operation.last_error,
            selection: operation.asked,
            to: operation.target.into(),
            rate: operation.rate,
            note: operation.note,
            requested_by: operation.requested_by,
            created_at: operation.created_at,
            started_at: operation.started_at,
            ended_at: operation.ended_at,
        }
    }
}

/// An operation, and why messages of it died again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationDetails)]
pub struct OperationDetailsView {
    /// The operation.
    #[serde(flatten)]
    operation: OperationView,
    /// Why messages that it sent died again, most first.
    returns: Vec<ReturnsView>,
}

/// Messages that were sent and died again for the same reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Returns)]
struct ReturnsView {
    /// The error group that they are in now.
    error_group: Uuid,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// The error's text without what differs from one to the next.
    #[schema(required, example = "card issuer timed out after <number> ms (order <number>)")]
    title: Option<String>,
    /// How many.
    #[schema(example = 12)]
    count: i64,
    /// Seconds from the chunk that sent it until the first of them arrived here again.
    #[schema(example = 0.4)]
    soonest_seconds: f64,
    /// Until half of them had.
    #[schema(example = 1.5)]
    median_seconds: f64,
    /// Until the last of them did.
    #[schema(example = 9.7)]
    latest_seconds: f64,
}

impl OperationDetailsView {
    /// With what came back of it.
    pub fn new(operation: Operation, returned: Vec<ReturnedGroup>) -> Self {
        let seconds = |time: TimeDelta| time.as_seconds_f64();
        let returns = returned.into_iter().map(|returned| ReturnsView {
            error_group: returned.group,
            error_type: returned.error_type,
            title: returned.template.as_deref().filter(|text| !text.is_empty()).map(error_text::shown),
            count: returned.count,
            soonest_seconds: seconds(returned.soonest),
            median_seconds: seconds(returned.median),
            latest_seconds: seconds(returned.latest),
        });
        Self { returns: returns.collect(), operation: operation.into() }
    }
}

/// One dead letter in one operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationItem)]
pub struct ItemView {
    /// The dead letter.
    dead_letter_id: Uuid,
    /// `sent`, `returned` (sent, and died again), `deleted`, `refused` or `skipped`; null while it is not settled.
    #[schema(required, example = "refused")]
    outcome: Option<&'static str>,
    /// The broker's reason, or the operation that has it.
    #[schema(required, example = "returned: 312 NO_ROUTE")]
    detail: Option<String>,
    /// The id that it was published with, in the header `dead-letter-redelivery-id`.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// When it was settled.
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
    /// The dead letter that its message is now, if it died again.
    #[schema(required)]
    returned_as: Option<Uuid>,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            dead_letter_id: item.dead_letter,
            outcome: item.outcome.map(super::super::domain::operation::Outcome::as_str),
            detail: item.detail,
            redelivery_id: item.redelivery_id,
            settled_at: item.settled_at,
            returned_as: item.returned_as,
        }
    }
}
