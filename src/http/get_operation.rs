//! `GET /operations/{id}`: one operation and its progress.

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::Api;
use super::error::{ApiError, BadRequest, NotFound, Unavailable};
use super::get::{PathId, path_id};
use super::operation_view::OperationDetailsView;
use super::query::Query;

/// There is no operation of this id.
pub fn no_operation(id: Uuid) -> ApiError {
    ApiError::NotFound(format!("No operation has the id {id}."))
}

/// One operation, its progress, and why messages of it came back
#[utoipa::path(
    get,
    path = "/operations/{id}",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation")),
    responses(
        (status = 200, description = "The operation", body = OperationDetailsView),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn get_operation(
    State(api): State<Api>,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    details(&api, id).await.map(Json)
}

/// The operation as it stands now.
pub async fn details(api: &Api, id: Uuid) -> Result<OperationDetailsView, ApiError> {
    let operation = api.store.operation(id).await?.ok_or_else(|| no_operation(id))?;
    let returned = api.store.returned_groups(id).await?;
    let events = api.store.operation_events(id).await?;
    Ok(OperationDetailsView::new(operation, api.operations.watch_returns(), returned, events))
}
