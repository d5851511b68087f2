//! `POST /operations/{id}/pause`, `resume`, `cancel` and `PATCH /operations/{id}`: steering one that runs.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::get::details;
use super::request::{check_run, needed};
use super::seen::{self, Seen};
use super::view::OperationDetailsView;
use crate::clock;
use crate::domain::operation::{Steering, Target};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::get::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, NotFound, NotJson, StateConflict, TooLarge, Unavailable};

/// Pause an operation
///
/// The current chunk is finished first.
#[utoipa::path(
    post,
    path = "/operations/{id}/pause",
    operation_id = "pauseOperation",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn pause(
    api: State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, &caller, id, Steering::Pause).await
}

/// Resume a paused operation
///
/// An operation that its canary paused continues with the next step. Whoever resumes an operation that waits for a second person
/// (`awaitsApproval`) approves it. That cannot be the caller who asked for it.
#[utoipa::path(
    post,
    path = "/operations/{id}/resume",
    operation_id = "resumeOperation",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn resume(
    api: State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, &caller, id, Steering::Resume).await
}

/// Cancel an operation
///
/// The current chunk is finished first. The remaining items are skipped, and their dead letters stay as they are.
#[utoipa::path(
    post,
    path = "/operations/{id}/cancel",
    operation_id = "cancelOperation",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn cancel(
    api: State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, &caller, id, Steering::Cancel).await
}

/// A change of a running operation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"rate": 500}))]
pub struct OperationChange {
    /// At most this many messages per second from now on. Null: no limit.
    // It has to be given, be it null.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, minimum = 1, maximum = 100_000)]
    rate: Option<u32>,
}

/// Change the rate of a running operation
#[utoipa::path(
    patch,
    path = "/operations/{id}",
    operation_id = "changeOperation",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    request_body = OperationChange,
    responses(
        (status = 200, description = "The operation.", body = OperationDetailsView),
        BadRequest, NotFound, StateConflict, TooLarge, NotJson, Unavailable
    )
)]
pub async fn change_operation(
    api: State<Api>,
    caller: Caller,
    headers: HeaderMap,
    id: PathId,
    query: Query,
    body: RequestBody,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    let OperationChange { rate } = body.json(&headers)?;
    let errors = check_run(rate, None);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    steer(&api, &caller, id, Steering::Rate(rate)).await
}

async fn steer(
    api: &Api,
    caller: &Caller,
    id: PathId,
    steering: Steering,
) -> Result<Json<OperationDetailsView>, ApiError> {
    let id: Uuid = path_id(id)?;
    let seen = seen::one(api, caller, id).await?;
    check_permissions(&seen, caller, steering)?;
    let steering = match steering {
        Steering::Resume if seen.operation.awaits_approval => {
            caller.may_approve(&seen.operation)?;
            Steering::Approve
        }
        other => other,
    };
    if !api.store.steer(id, steering, &caller.requester().actor(), clock::now()).await? {
        let message = format!(
            "The operation is {}. There is nothing to {}.",
            seen.operation.state.as_str(),
            steering.as_str()
        );
        return Err(ApiError::new(Problem::WRONG_STATE, message));
    }
    api.operations.wake();
    details(api, caller, id).await.map(Json)
}

/// Whoever makes an operation go on vouches for it as if it were a new one; whoever stops it needs less. Either needs the permission on
/// all of its services.
fn check_permissions(seen: &Seen, caller: &Caller, steering: Steering) -> Result<(), ApiError> {
    let Seen { operation, only } = seen;
    let permissions = match steering {
        Steering::Pause | Steering::Cancel => needed(operation.kind, &Target::Queue, None),
        Steering::Resume | Steering::Approve | Steering::Rate(_) => {
            needed(operation.kind, &operation.target, operation.edit.as_ref())
        }
    };
    let scope = caller.may(&permissions)?;
    let are_covered = match &operation.services {
        Some(services) => only.is_none() && scope.covers_all(services),
        None => scope.is_everything(),
    };
    if are_covered {
        return Ok(());
    }
    let message = format!(
        "The operation has dead letters of other services, too. To {} it you need {} on all of them.",
        steering.as_str(),
        permissions.iter().map(|permission| format!("`{permission}`")).collect::<Vec<_>>().join(", ")
    );
    Err(ApiError::new(Problem::NOT_ALLOWED, message))
}
