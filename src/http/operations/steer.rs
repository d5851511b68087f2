//! `POST /operations/{id}/pause`, `resume`, `cancel` and `PATCH /operations/{id}`: steering one that runs.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::get::{details, no_operation};
use super::request::check_run;
use super::view::OperationDetailsView;
use crate::clock;
use crate::domain::operation::Steering;
use crate::http::Api;
use crate::http::auth::Requester;
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
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn pause(
    api: State<Api>,
    requester: Requester,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, requester, id, Steering::Pause).await
}

/// Resume a paused operation
///
/// An operation that its canary paused continues with the next step.
#[utoipa::path(
    post,
    path = "/operations/{id}/resume",
    operation_id = "resumeOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn resume(
    api: State<Api>,
    requester: Requester,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, requester, id, Steering::Resume).await
}

/// Cancel an operation
///
/// The current chunk is finished first. The remaining items are skipped, and their dead letters stay as they are.
#[utoipa::path(
    post,
    path = "/operations/{id}/cancel",
    operation_id = "cancelOperation",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses((status = 200, description = "The operation.", body = OperationDetailsView), BadRequest, NotFound, StateConflict, Unavailable)
)]
pub async fn cancel(
    api: State<Api>,
    requester: Requester,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    query.finish()?;
    steer(&api, requester, id, Steering::Cancel).await
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
    requester: Requester,
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
    steer(&api, requester, id, Steering::Rate(rate)).await
}

async fn steer(
    api: &Api,
    requester: Requester,
    id: PathId,
    steering: Steering,
) -> Result<Json<OperationDetailsView>, ApiError> {
    let id: Uuid = path_id(id)?;
    if !api.store.steer(id, steering, &requester.into_name(), clock::now()).await? {
        let operation = api.store.operation(id).await?.ok_or_else(|| no_operation(id))?;
        let message = format!(
            "The operation is {}. There is nothing to {}.",
            operation.state.as_str(),
            steering.as_str()
        );
        return Err(ApiError::new(Problem::WRONG_STATE, message));
    }
    api.operations.wake();
    details(api, id).await.map(Json)
}
