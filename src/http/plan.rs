//! `POST /operations/plan`, `GET /operations/plan/{id}`: what a request would do, before anything is done.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::auth::Requester;
use super::create_operation::{CreateOperation, read_kind};
use super::error::{ApiError, BadRequest, NotFound, NotJson, TooLarge, Unauthenticated, Unavailable};
use super::error_group_view::ErrorGroupView;
use super::get::{PathId, path_id};
use super::operation_view::StateName;
use super::query::Query;
use super::request_body::RequestBody;
use crate::clock;
use crate::operations::{Planned, PlannedGroup, Warning};
use crate::ownership::Owners;
use crate::store::QueueCount;

/// A frozen selection, and what would happen to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanView {
    /// Its id; the operation that runs it has the same.
    id: Uuid,
    /// `redeliver`, `delete` or `restore`.
    #[schema(example = "redeliver")]
    kind: &'static str,
    /// Exactly so many dead letters.
    #[schema(example = 43_695)]
    total: i64,
    /// How many of each service, most first; the first 100.
    services: Vec<CountedValue>,
    /// How many died in each queue of each broker and virtual host, most first; the first 100.
    queues: Vec<CountedQueue>,
    /// How many of each error group, most first; the first 100.
    error_groups: Vec<PlannedGroupView>,
    /// What may go wrong, and then what is only worth to know.
    warnings: Vec<WarningView>,
    /// The selection as it was asked for.
    #[schema(value_type = Object)]
    selection: Value,
    /// When it was frozen.
    created_at: DateTime<Utc>,
    /// Until when it may be run.
    expires_at: DateTime<Utc>,
}

/// How many there are of one value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedValue {
    /// The value; null where it is not known.
    #[schema(required, example = "webshop")]
    value: Option<String>,
    /// How many.
    #[schema(example = 43_600)]
    count: i64,
}

/// How many died in one queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedQueue {
    /// The queue; null where it is not known.
    #[schema(required, example = "demo-orders_webshop")]
    value: Option<String>,
    /// Broker that it is on.
    #[schema(required, example = "default")]
    broker: Option<String>,
    /// Virtual host that it is in.
    #[schema(required, example = "/")]
    vhost: Option<String>,
    /// How many.
    #[schema(example = 43_600)]
    count: i64,
}

impl From<QueueCount> for CountedQueue {
    fn from(QueueCount { place, name, count }: QueueCount) -> Self {
        let (broker, vhost) = place.map(|place| (place.broker, place.vhost)).unzip();
        Self { value: name, broker, vhost, count }
    }
}

/// An error group in a plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlannedGroup)]
struct PlannedGroupView {
    /// The group.
    #[serde(flatten)]
    group: ErrorGroupView,
    /// How many of the plan's dead letters.
    count: i64,
    /// Whether it still fails: its last dead letter arrived less than 30 seconds ago, or less than three times its usual gap within the
    /// last five minutes.
    failing_now: bool,
}

/// What may go wrong: in words, and as data to render them from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlanWarning)]
struct WarningView {
    /// `still_failing`, `in_operation`, `queue_missing`, `no_consumers`, `will_wait`, `queue_crowded`, `exchange_missing`, `no_origin`,
    /// `large_messages`, `not_selectable`, `other_place`, `origin_claimed`, `routing_key_changes`, `expires`, `discards`, `queue_drops`, `again`, `died_again` or
    /// `broker_unreachable`.
    #[schema(example = "no_consumers")]
    code: &'static str,
    /// How much it matters.
    #[schema(value_type = SeverityName)]
    severity: &'static str,
    /// In words.
    #[schema(example = "Queue demo-orders_webshop has no consumers. Its messages will wait there.")]
    message: String,
    /// How many of the plan's dead letters it is about, where that is known.
    #[schema(required)]
    count: Option<i64>,
    /// The service that still fails.
    #[schema(example = "webshop")]
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The type of the error that still occurs.
    #[schema(example = "PaymentDeclined")]
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<String>,
    /// When that error last arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<DateTime<Utc>>,
    /// The queue that is missing, crowded, has no consumers, or loses messages.
    #[schema(example = "demo-orders_webshop")]
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    /// Messages that are ready in that queue.
    #[schema(example = 10_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<i64>,
    /// The operation that has `count` of the plan's dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Uuid>,
    /// The state of that operation.
    #[schema(value_type = Option<StateName>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_state: Option<&'static str>,
}

/// How much a warning matters.
#[derive(ToSchema)]
#[schema(as = PlanSeverity, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum SeverityName {
    /// A reason to stop: messages may fail again, wait, be refused or be lost.
    Warning,
    /// It happens as it is meant to.
    Note,
}

impl From<Warning> for WarningView {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.code,
            severity: warning.severity.as_str(),
            message: warning.message,
            count: warning.count,
            service: warning.service,
            error_type: warning.error_type,
            last_seen: warning.last_seen,
            queue: warning.queue,
            ready: warning.ready,
            operation: warning.operation.map(|(id, _)| id),
            operation_state: warning.operation.map(|(_, state)| state.as_str()),
        }
    }
}

impl PlanView {
    fn new(Planned { plan, summary, groups, warnings }: Planned, owners: &Owners) -> Self {
        let counted = |values: Vec<(Option<String>, i64)>| {
            values.into_iter().map(|(value, count)| CountedValue { value, count }).collect()
        };
        let now = clock::now();
        Self {
            id: plan.id,
            kind: plan.kind.as_str(),
            total: summary.total,
            services: counted(summary.services),
            queues: summary.queues.into_iter().map(CountedQueue::from).collect(),
            error_groups: groups
                .into_iter()
                .map(|PlannedGroup { group, count, recent }| PlannedGroupView {
                    group: ErrorGroupView::new(group, owners, now),
                    count,
                    failing_now: recent.is_some(),
                })
                .collect(),
            warnings: warnings.into_iter().map(WarningView::from).collect(),
            selection: plan.asked,
            created_at: plan.created_at,
            expires_at: plan.expires_at,
        }
    }
}

/// Plan an operation: exact numbers and warnings, nothing done
///
/// Freezes the selection. `POST /operations` with the plan's id as `planId` runs exactly that, within 15 minutes.
#[utoipa::path(
    post,
    path = "/operations/plan",
    tag = "operations",
    request_body = CreateOperation,
    responses((status = 201, description = "The plan", body = PlanView), BadRequest, Unauthenticated, TooLarge, NotJson, Unavailable)
)]
pub async fn plan(
    State(api): State<Api>,
    requester: Requester,
    query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    query.finish()?;
    let (kind, request) = read_kind(body, &headers)?;
    let new = request.check(&api, kind, requester.into_name()).await?;
    let planned = api.operations.plan(&new).await?;
    Ok((StatusCode::CREATED, Json(PlanView::new(planned, &api.ownership.now()))))
}

/// A plan, and what would happen to it now
#[utoipa::path(
    get,
    path = "/operations/plan/{id}",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the plan")),
    responses((status = 200, description = "The plan", body = PlanView), BadRequest, NotFound, Unavailable)
)]
pub async fn get_plan(State(api): State<Api>, id: PathId, query: Query) -> Result<Json<PlanView>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let plan = api.store.planned(id).await?.ok_or_else(|| no_plan(id))?;
    let planned = api.operations.evaluate(plan).await?;
    Ok(Json(PlanView::new(planned, &api.ownership.now())))
}

/// There is no plan of this id.
pub fn no_plan(id: Uuid) -> ApiError {
    ApiError::NotFound(format!("No plan has the id {id}. Make a new one."))
}
