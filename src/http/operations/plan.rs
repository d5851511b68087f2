//! `POST /operations/plan`, `GET /operations/plan/{id}`: what a request would do, before anything is done.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::CreateOperation;
use super::request::Request;
use super::selection::Selection;
use crate::access::Permission;
use crate::clock;
use crate::domain::words::ago;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::error_groups::ErrorGroupView;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{
    BadRequest, NotFound, NotJson, PlanConflict, TooLarge, TooManyPlans, Unavailable,
};
use crate::http::words::{OperationKind, OperationState, PlanSeverity, PlanWarningCode, Word};
use crate::operations::{Planned, PlannedGroup, Warning};
use crate::ownership::Owners;
use crate::store::{Plan, QueueCount};

/// A frozen selection, and what would happen to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanView {
    /// Id of the plan. The operation that runs it has the same id.
    id: Uuid,
    /// The kind of operation.
    kind: OperationKind,
    /// Number of dead letters in the plan.
    #[schema(example = 43_695)]
    total: i64,
    /// Dead letters per service, most first. At most 100 services.
    services: Vec<CountedValue>,
    /// Dead letters per queue where they died, most first. At most 100 queues.
    queues: Vec<CountedQueue>,
    /// Dead letters per error group, most first. At most 100 groups.
    error_groups: Vec<PlannedGroupView>,
    /// Warnings first, then notes.
    warnings: Vec<WarningView>,
    /// The selection as it was asked for.
    #[schema(value_type = Selection)]
    selection: Value,
    /// When the selection was frozen.
    created_at: DateTime<Utc>,
    /// Until when the plan can be run.
    expires_at: DateTime<Utc>,
}

/// Number of dead letters with one value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedValue {
    /// The value. Null: not known.
    #[schema(required, example = "webshop")]
    value: Option<String>,
    /// Number of dead letters.
    #[schema(example = 43_600)]
    count: i64,
}

/// Number of dead letters that died in one queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedQueue {
    /// The queue. Null: not known.
    #[schema(required, example = "demo-orders_webshop")]
    value: Option<String>,
    /// Broker of the queue, by its configured name.
    #[schema(required, example = "default")]
    broker: Option<String>,
    /// Virtual host of the queue.
    #[schema(required, example = "/")]
    vhost: Option<String>,
    /// Number of dead letters.
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
    /// Number of dead letters of the plan in this group.
    count: i64,
    /// Whether the error still occurs: the latest dead letter of the group arrived less than 30 seconds ago, or less than three times the
    /// usual gap ago, and within the last five minutes.
    failing_now: bool,
}

/// A warning or a note: in words, and as data.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlanWarning)]
struct WarningView {
    /// What it is about.
    #[schema(value_type = PlanWarningCode)]
    code: &'static str,
    /// How much it matters.
    severity: PlanSeverity,
    /// The warning in words.
    #[schema(example = "Queue demo-orders_webshop has no consumers. Its messages will wait there.")]
    message: String,
    /// Number of dead letters of the plan that it concerns. Null: not known.
    #[schema(required)]
    count: Option<i64>,
    /// Service in which the error still occurs.
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
    /// The queue that is missing or crowded, has no consumers, or loses messages.
    #[schema(example = "demo-orders_webshop")]
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    /// Number of ready messages in that queue.
    #[schema(example = 10_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<i64>,
    /// Id of the operation that has `count` of the dead letters of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Uuid>,
    /// The state of that operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_state: Option<OperationState>,
}

impl From<Warning> for WarningView {
    fn from(warning: Warning) -> Self {
        debug_assert!(PlanWarningCode::read("code", warning.code).is_ok(), "{} is documented", warning.code);
        Self {
            code: warning.code,
            severity: warning.severity.into(),
            message: warning.message,
            count: warning.count,
            service: warning.service,
            error_type: warning.error_type,
            last_seen: warning.last_seen,
            queue: warning.queue,
            ready: warning.ready,
            operation: warning.operation.map(|(id, _)| id),
            operation_state: warning.operation.map(|(_, state)| state.into()),
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
            kind: plan.kind.into(),
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

/// Plan an operation: exact numbers and warnings
///
/// Freezes the selection and changes nothing. `POST /operations` with the id of the plan as `planId` runs it, within 15 minutes.
#[utoipa::path(
    post,
    path = "/operations/plan",
    operation_id = "createPlan",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    request_body = CreateOperation,
    responses((status = 201, description = "The plan.", body = PlanView), BadRequest, TooLarge, NotJson, TooManyPlans, Unavailable)
)]
pub async fn plan(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    query.finish()?;
    let request = Request::from(CreateOperation::read(body, &headers)?);
    let new = request.check(&api, &caller, &[]).await?;
    let planned = api.operations.plan(&new).await?;
    let planned = with_approval(planned, &caller);
    Ok((StatusCode::CREATED, Json(PlanView::new(planned, &api.ownership.now()))))
}

/// Get a plan, with its warnings as of now
#[utoipa::path(
    get,
    path = "/operations/plan/{id}",
    operation_id = "getPlan",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the plan.")),
    responses((status = 200, description = "The plan.", body = PlanView), BadRequest, NotFound, PlanConflict, Unavailable)
)]
pub async fn get_plan(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<PlanView>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let plan = made_by(&api, &caller, id).await?;
    check_expiry(&plan)?;
    let planned = api.operations.evaluate(plan).await?;
    let scope = caller.scope(&[Permission::Read]);
    let mut services = planned.summary.services.iter().filter_map(|(service, _)| service.as_ref());
    if !services.all(|service| scope.covers(service)) {
        return Err(no_plan(id));
    }
    Ok(Json(PlanView::new(with_approval(planned, &caller), &api.ownership.now())))
}

/// With a note, if its run waits for a second person.
fn with_approval(mut planned: Planned, caller: &Caller) -> Planned {
    let above = caller.approved_above(planned.plan.kind);
    let total = planned.summary.total;
    if let Some(above) = above.filter(|above| u64::try_from(total).is_ok_and(|total| total > *above)) {
        let message = format!(
            "A second person has to approve operations on more than {above} dead letters. This one begins when somebody else resumes it."
        );
        planned.warnings.push(Warning::note("needs_approval", message, total));
    }
    planned
}

/// The plan of this id, if the caller made it, or may see everything.
pub async fn made_by(api: &Api, caller: &Caller, id: Uuid) -> Result<Plan, ApiError> {
    let sees_all = caller.scope(&[Permission::Read]).is_everything();
    let plan = api.store.planned(id).await?;
    plan.filter(|plan| sees_all || caller.is(&plan.requested_by_id)).ok_or_else(|| no_plan(id))
}

/// An error if it can no longer be run.
pub fn check_expiry(plan: &Plan) -> Result<(), ApiError> {
    if plan.expires_at > clock::now() {
        return Ok(());
    }
    let age = ago(clock::now() - plan.expires_at);
    Err(ApiError::new(Problem::PLAN_EXPIRED, format!("The plan expired {age}. Make a new one.")))
}

/// There is no plan of this id.
fn no_plan(id: Uuid) -> ApiError {
    ApiError::not_found(format!("No plan has the id {id}. Make a new one."))
}
