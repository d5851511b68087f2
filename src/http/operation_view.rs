//! Operations as clients see them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::edit_input::EditInput;
use super::target::TargetInput;
use crate::clock;
use crate::domain::dead_letter::received_at;
use crate::domain::error_text;
use crate::domain::operation::{Item, Operation, OperationEvent, ReturnedGroup, State};
use crate::domain::verdict::{Judgement, Verdict};

/// One request to redeliver or delete a frozen selection of dead letters, with its progress.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operation)]
pub struct OperationView {
    /// Its id.
    id: Uuid,
    /// `redeliver`, `delete` or `restore`.
    #[schema(example = "redeliver")]
    kind: &'static str,
    /// Where it stands.
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Whether it did what was asked for. `running` until every item has its outcome; then a redelivery is `watching` for messages that
    /// die again, until `watchUntil` or until all have; then `completed`, `completedWithProblems` (some were refused, skipped, not
    /// done, or died again) or `failed` (nothing was done, or all died again). What dies again later still changes it.
    #[schema(value_type = VerdictName)]
    verdict: &'static str,
    /// The verdict in plain words, or how far it is.
    #[schema(example = "3 sent, all 3 died again: PaymentDeclined.")]
    verdict_text: String,
    /// Until when what was sent is watched for returns; null where nothing is, and while it runs.
    #[schema(required)]
    watch_until: Option<DateTime<Utc>>,
    /// The services of its dead letters, as they were selected; null where an older version made it: not known.
    #[schema(required, example = json!(["webshop"]))]
    services: Option<Vec<String>>,
    /// Dead letters in it.
    #[schema(example = 43_695)]
    total: i64,
    /// Of these, how many are not settled yet.
    #[schema(example = 20_000)]
    remaining: i64,
    /// Those that are settled, by outcome.
    outcomes: OutcomesView,
    /// Of the skipped ones: how many were left as they were because it was cancelled.
    #[schema(example = 0)]
    not_done: i64,
    /// How fast it goes.
    progress: ProgressView,
    /// What it waits for on purpose, in the state `waiting`; it goes on by itself.
    #[schema(required, example = "queue demo-orders_webshop has 10,212 messages ready (limit 10,000)")]
    waiting_for: Option<String>,
    /// What keeps it from going on, and is not meant to; it goes on by itself when that is gone.
    #[schema(required)]
    last_error: Option<String>,
    /// The selection as it was asked for.
    #[schema(value_type = Object)]
    selection: serde_json::Value,
    /// Where the messages go.
    to: TargetInput,
    /// `newest` or `oldest`: the order in which messages reach each queue; `any`: none.
    #[schema(example = "newest")]
    order: &'static str,
    /// Whether it publishes copies, and the dead letters stay dead.
    copy: bool,
    /// `queue` or `original`: the routing key that messages have at the queue that they died in.
    #[schema(example = "queue")]
    routing_key: &'static str,
    /// Whether it sends once more what was redelivered before.
    again: bool,
    /// At most so many messages a second.
    #[schema(required)]
    rate: Option<u32>,
    /// Its canary ladder; empty where it has none.
    #[schema(example = json!([1, 10, 100]))]
    canary: Vec<i64>,
    /// The last step that it has passed; 0 where none.
    canary_passed: i64,
    /// Seconds that it waits after each step.
    canary_wait: i64,
    /// It pauses where more than so many percent were refused or came back.
    canary_max_returned: f64,
    /// It waits while a target queue has more ready messages.
    #[schema(required, example = 10_000)]
    max_queue_depth: Option<i64>,
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
    /// Restored: dead again.
    restored: i64,
    /// Refused by the broker: still dead.
    refused: i64,
    /// Another operation has it, or it is not dead, or not there.
    skipped: i64,
}

/// Where an operation stands.
#[derive(ToSchema)]
#[schema(as = OperationState, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum StateName {
    /// It has not begun.
    Pending,
    /// It has begun.
    Running,
    /// It waits on purpose, as `waitingFor` says: more messages are ready in a target queue than `maxQueueDepth` allows.
    Waiting,
    /// Somebody, or its canary, has stopped it; it can be resumed.
    Paused,
    /// What is left is being let go.
    Cancelling,
    /// It was cancelled: what was not done stays as it was.
    Cancelled,
    /// Every item has its outcome.
    Completed,
}

/// Whether an operation did what was asked for.
#[derive(ToSchema)]
#[schema(as = Verdict, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum VerdictName {
    /// Not every item has its outcome.
    Running,
    /// All is sent, and what was sent may die again.
    Watching,
    /// Everything was done.
    Completed,
    /// Some was done.
    CompletedWithProblems,
    /// Nothing was done, or all of it died again.
    Failed,
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
            kind: operation.kind.as_str(),
            state: operation.state.as_str(),
            verdict: verdict.as_str(),
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
            order: operation.order.as_str(),
            copy: operation.copy,
            routing_key: operation.routing_key.as_str(),
            again: operation.again,
            rate: operation.rate,
            canary: operation.canary.steps,
            canary_passed: operation.canary_passed,
            canary_wait: operation.canary.wait_seconds,
            canary_max_returned: operation.canary.max_failed_percent,
            max_queue_depth: operation.max_queue_depth,
            note: operation.note,
            requested_by: operation.requested_by,
            created_at: operation.created_at,
            started_at: operation.started_at,
            ended_at: operation.ended_at,
        }
    }
}

/// How fast an operation goes, on the average of its whole time; never faster than its rate, which a first chunk may seem to be.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Progress)]
struct ProgressView {
    /// Messages a second since it began, until it ended or until now; null where it has not begun.
    #[schema(required, example = 498.2)]
    per_second: Option<f64>,
    /// Seconds that it still takes at that rate; null where it is not running, and until it has passed its canary.
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

/// An operation, and why messages of it died again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationDetails)]
pub struct OperationDetailsView {
    /// The operation.
    #[serde(flatten)]
    operation: OperationView,
    /// What is changed in the messages.
    #[schema(required)]
    edit: Option<EditInput>,
    /// Why messages that it sent died again, most first.
    returns: Vec<ReturnsView>,
    /// Who steered it, and what its canary found, first one first.
    events: Vec<OperationEventView>,
}

/// What was done to an operation that runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OperationEvent)]
struct OperationEventView {
    /// When.
    at: DateTime<Utc>,
    /// Who; `dead-letter` for its canary, and where it paused itself.
    by: String,
    /// `pause`, `resume`, `cancel`, `rate` or `canary`.
    #[schema(example = "pause")]
    action: String,
    /// The new rate, or what the canary found.
    #[schema(required)]
    detail: Option<String>,
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
        let events = events.into_iter().map(|event| OperationEventView {
            at: received_at(event.id),
            by: event.done_by,
            action: event.action,
            detail: event.detail,
        });
        let edit = operation.edit.take().map(EditInput::from);
        let operation = OperationView::new(operation, watch);
        Self { edit, returns: returns.collect(), events: events.collect(), operation }
    }

    /// Whether its verdict is spoken.
    pub fn is_final(&self) -> bool {
        Verdict::ALL
            .into_iter()
            .any(|verdict| verdict.as_str() == self.operation.verdict && verdict.is_final())
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
    #[schema(required, example = "Queue demo-orders_webshop does not exist (312 NO_ROUTE)")]
    detail: Option<String>,
    /// The id that it was published with, in the header `dead-letter-redelivery-id`, or `dead-letter-copy-id` of a copy.
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
