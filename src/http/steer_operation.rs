//! `POST /operations/{id}/pause`, `resume`, `cancel` and `PATCH /operations/{id}`: steering one that runs.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::auth::Requester;
use super::error::{
    ApiError, BadRequest, Conflict, NotFound, NotJson, TooLarge, Unauthenticated, Unavailable,
};
use super::get::{PathId, path_id};
use super::get_operation::{details, no_operation};
use super::operation_request::check_run;
use super::operation_view::OperationDetailsView;
use super::query::Query;
use super::request_body::RequestBody;
use crate::clock;
use crate::domain::operation::Steering;

/// Stop an operation for a while
///
/// The chunk that is under way is finished.
#[utoipa::path(
    post,
    path = "/operations/{id}/pause",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation")),
    responses((status = 200, description = "The operation", body = OperationDetailsView), BadRequest, Unauthenticated, NotFound, Conflict, Unavailable)
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

/// Let an operation go on
///
/// One that its canary has stopped goes on past the step that it stopped at.
#[utoipa::path(
    post,
    path = "/operations/{id}/resume",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation")),
    responses((status = 200, description = "The operation", body = OperationDetailsView), BadRequest, Unauthenticated, NotFound, Conflict, Unavailable)
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

/// Cancel an operation: what is not done stays as it is
///
/// The chunk that is under way is finished; the other items end as skipped.
#[utoipa::path(
    post,
    path = "/operations/{id}/cancel",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation")),
    responses((status = 200, description = "The operation", body = OperationDetailsView), BadRequest, Unauthenticated, NotFound, Conflict, Unavailable)
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

/// What can be changed while it runs.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"rate": 500}))]
pub struct OperationChange {
    /// At most so many messages a second from now on; null for as many as go.
    // It has to be given, be it null.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, minimum = 1, maximum = 100_000)]
    rate: Option<u32>,
}

/// Change an operation's rate while it runs
#[utoipa::path(
    patch,
    path = "/operations/{id}",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation")),
    request_body = OperationChange,
    responses(
        (status = 200, description = "The operation", body = OperationDetailsView),
        BadRequest, Unauthenticated, NotFound, Conflict, TooLarge, NotJson, Unavailable
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
    check_run(rate, None)?;
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
        return Err(ApiError::Conflict(message));
    }
    api.operations.wake();
    details(api, id).await.map(Json)
}
