//! Operations as clients see them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::edit_input::EditInput;
use super::selection::Selection;
use super::target::TargetInput;
use crate::clock;
use crate::domain::dead_letter::received_at;
use crate::domain::error_text;
use crate::domain::operation::{Item, Operation, OperationEvent, ReturnedGroup, State};
use crate::domain::verdict::{Judgement, Verdict as Judged};
use crate::http::words::{
    OperationAction, OperationKind, OperationOrder, OperationState, Outcome, RedeliveryRoutingKey, Verdict,
};

/// An operation: a request to redeliver, delete or restore a frozen selection of dead letters, with its progress.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operation)]
pub struct OperationView {
    /// Id of the operation.
    id: Uuid,
    /// The kind of operation.
    kind: OperationKind,
    /// Its state.
    state: OperationState,
    /// Whether the operation achieved what was asked for. A redelivery is `watching` for messages that die again until `watchUntil`. A
    /// message that dies again later still changes the verdict.
    verdict: Verdict,
    /// The verdict in words, or the progress.
    #[schema(example = "3 sent, all 3 died again: PaymentDeclined.")]
    verdict_text: String,
    /// Until when the service watches for messages that die again. Null: nothing is watched, or the operation still runs.
    #[schema(required)]
    watch_until: Option<DateTime<Utc>>,
    /// The services of the dead letters at selection. Null: made by a version that did not record them.
    #[schema(required, example = json!(["webshop"]))]
    services: Option<Vec<String>>,
    /// Number of dead letters in the operation.
    #[schema(example = 43_695)]
    total: i64,
    /// Number of dead letters without an outcome yet.
    #[schema(example = 20_000)]
    remaining: i64,
    /// Number of dead letters by outcome.
    outcomes: OutcomesView,
    /// Of the skipped ones, the number left as they were because the operation was cancelled.
    #[schema(example = 0)]
    not_done: i64,
    /// Speed and remaining time.
    progress: ProgressView,
    /// What the operation waits for in the state `waiting`. It continues by itself.
    #[schema(required, example = "queue demo-orders_webshop has 10,212 messages ready (limit 10,000)")]
    waiting_for: Option<String>,
    /// The error that keeps the operation from continuing. It continues by itself once the cause is gone.
    #[schema(required)]
    last_error: Option<String>,
    /// The selection as it was asked for.
    #[schema(value_type = Selection)]
    selection: serde_json::Value,
    /// Where the messages go.
    to: TargetInput,
    /// The order in which messages reach each queue.
    order: OperationOrder,
    /// Whether the operation sends copies. The dead letters then stay dead.
    copy: bool,
    /// The routing key with which messages reach the queue where they died.
    routing_key: RedeliveryRoutingKey,
    /// Whether the operation acts on messages that were redelivered before.
    again: bool,
    /// Maximum number of messages per second. Null: no limit.
    #[schema(required)]
    rate: Option<u32>,
    /// Canary steps. Empty: no canary.
    #[schema(example = json!([1, 10, 100]))]
    canary: Vec<i64>,
    /// The last canary step that was passed. 0: none.
    canary_passed: i64,
    /// Seconds to wait after each canary step.
    canary_wait: i64,
    /// The operation pauses after a canary step if more than this percentage of its messages were refused or died again.
    canary_max_returned: f64,
    /// The operation waits while a target queue has more ready messages than this. Null: no limit.
    #[schema(required, example = 10_000)]
    max_queue_depth: Option<i64>,
    /// The reason given for the operation.
    #[schema(required)]
    note: Option<String>,
    /// Who asked for the operation.
    requested_by: String,
    /// Whether the operation waits, paused, for a second person to approve it. Whoever resumes it approves it.
    awaits_approval: bool,
    /// When the operation was asked for.
    created_at: DateTime<Utc>,
    /// When the first chunk was done.
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    /// When the last chunk was done.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

/// Number of items by outcome.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Outcomes)]
struct OutcomesView {
    /// Published and confirmed by the broker.
    sent: i64,
    /// Sent, and died again.
    returned: i64,
    /// Deleted.
    deleted: i64,
    /// Restored: dead again.
    restored: i64,
    /// Not accepted by the broker. Still dead.
    refused: i64,
    /// Not acted on. The item says why.
    skipped: i64,
}

impl OperationView {
    /// As it stands now, where returns are watched for so long.
    pub fn new(operation: Operation, watch: TimeDelta) -> Self {
        let Judgement { verdict, text, watch_until } = Judgement::of(&operation, watch, clock::now());
        let outcomes = operation.outcomes;
        let remaining = operation.total - outcomes.settled();
        Self {
            progress: ProgressView::new(&operation, remaining),
            id: operation.id,
            kind: operation.kind.into(),
            state: operation.state.into(),
            verdict: verdict.into(),
            verdict_text: text,
            watch_until,
            services: operation.services,
            total: operation.total,
            remaining,
            outcomes: OutcomesView {
                sent: outcomes.sent,
                returned: outcomes.returned,
                deleted: outcomes.deleted,
                restored: outcomes.restored,
                refused: outcomes.refused,
                skipped: outcomes.skipped,
            },
            not_done: operation.not_done,
            waiting_for: operation.waiting_for,
            last_error: operation.last_error,
            selection: operation.asked,
            to: operation.target.into(),
            order: operation.order.into(),
            copy: operation.copy,
            routing_key: operation.routing_key.into(),
            again: operation.again,
            rate: operation.rate,
            canary: operation.canary.steps,
            canary_passed: operation.canary_passed,
            canary_wait: operation.canary.wait_seconds,
            canary_max_returned: operation.canary.max_failed_percent,
            max_queue_depth: operation.max_queue_depth,
            note: operation.note,
            requested_by: operation.requested_by,
            awaits_approval: operation.awaits_approval,
            created_at: operation.created_at,
            started_at: operation.started_at,
            ended_at: operation.ended_at,
        }
    }
}

/// Speed of an operation, averaged over its whole time, and its remaining time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Progress)]
struct ProgressView {
    /// Messages per second. Null: not started.
    #[schema(required, example = 498.2)]
    per_second: Option<f64>,
    /// Estimated remaining seconds. Null: not running, or in its canary.
    #[schema(required, example = 47)]
    eta_seconds: Option<i64>,
}

impl ProgressView {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "numbers for people")]
    fn new(operation: &Operation, remaining: i64) -> Self {
        let until = operation.ended_at.unwrap_or_else(clock::now);
        let seconds = operation.started_at.map(|started| (until - started).as_seconds_f64());
        let per_second = seconds
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| operation.outcomes.settled() as f64 / seconds)
            .map(|average| operation.rate.map_or(average, |rate| average.min(f64::from(rate))));
        let goes_on =
            operation.state == State::Running && !operation.canary.is_climbing(operation.canary_passed);
        let running = per_second.filter(|rate| goes_on && *rate > 0.0);
        Self {
            per_second: per_second.map(|rate| (rate * 10.0).round() / 10.0),
            eta_seconds: running.map(|rate| (remaining as f64 / rate).ceil() as i64),
        }
    }
}

/// An operation, why its messages died again, and who steered it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationDetails)]
pub struct OperationDetailsView {
    /// The operation.
    #[serde(flatten)]
    operation: OperationView,
    /// Changes to the messages. Null: none.
    #[schema(required)]
    edit: Option<EditInput>,
    /// Why messages of the operation died again, most first.
    returns: Vec<ReturnsView>,
    /// What was done to the operation, and what its canary found, earliest first.
    events: Vec<OperationEventView>,
}

/// What was done to a running operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationEvent)]
pub struct OperationEventView {
    /// When it was done.
    at: DateTime<Utc>,
    /// Who did it. `dead-letter`: the canary, or the operation itself.
    by: String,
    /// What was done.
    #[schema(value_type = OperationAction)]
    action: String,
    /// The new rate, or the result of the canary step.
    #[schema(required)]
    detail: Option<String>,
}

impl From<OperationEvent> for OperationEventView {
    fn from(event: OperationEvent) -> Self {
        Self { at: received_at(event.id), by: event.done_by, action: event.action, detail: event.detail }
    }
}

/// Messages that were sent and died again with the same error.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Returns)]
struct ReturnsView {
    /// Error group of the messages that died again.
    error_group: Uuid,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// Text of the error, with placeholders for the parts that vary.
    #[schema(required, example = "card issuer timed out after <number> ms (order <number>)")]
    title: Option<String>,
    /// Number of messages.
    #[schema(example = 12)]
    count: i64,
    /// Seconds from sending until the first message arrived again.
    #[schema(example = 0.4)]
    soonest_seconds: f64,
    /// Seconds from sending until half of the messages had arrived again.
    #[schema(example = 1.5)]
    median_seconds: f64,
    /// Seconds from sending until the last message arrived again.
    #[schema(example = 9.7)]
    latest_seconds: f64,
}

impl OperationDetailsView {
    /// With what came back of it.
    pub fn new(
        mut operation: Operation,
        watch: TimeDelta,
        returned: Vec<ReturnedGroup>,
        events: Vec<OperationEvent>,
    ) -> Self {
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
        let edit = operation.edit.take().map(EditInput::from);
        let operation = OperationView::new(operation, watch);
        Self {
            edit,
            returns: returns.collect(),
            events: events.into_iter().map(OperationEventView::from).collect(),
            operation,
        }
    }

    /// Whether its verdict is spoken.
    pub fn is_final(&self) -> bool {
        Judged::from(self.operation.verdict).is_final()
    }
}

/// A dead letter in an operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationItem)]
pub struct ItemView {
    /// Id of the dead letter.
    dead_letter_id: Uuid,
    /// The outcome. Null: none yet.
    #[schema(required)]
    outcome: Option<Outcome>,
    /// The broker's reason, or the operation that has the dead letter.
    #[schema(required, example = "Queue demo-orders_webshop does not exist (312 NO_ROUTE)")]
    detail: Option<String>,
    /// Redelivery id of the message: the header `dead-letter-redelivery-id`, or `dead-letter-copy-id` for a copy.
    #[schema(required)]
    redelivery_id: Option<Uuid>,
    /// When the item got its outcome.
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
    /// Id of the new dead letter, if the message died again.
    #[schema(required)]
    returned_as: Option<Uuid>,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            dead_letter_id: item.dead_letter,
            outcome: item.outcome.map(Outcome::from),
            detail: item.detail,
            redelivery_id: item.redelivery_id,
            settled_at: item.settled_at,
            returned_as: item.returned_as,
        }
    }
}
