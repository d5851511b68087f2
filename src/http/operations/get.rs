//! `GET /operations/{id}`: one operation and its progress.

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::snapshot::Snapshot;
use super::view::OperationDetailsView;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};

/// There is no operation of this id.
pub fn no_operation(id: Uuid) -> ApiError {
    ApiError::not_found(format!("No operation has the id {id}."))
}

/// Get an operation, its progress, and why its messages died again
#[utoipa::path(
    get,
    path = "/operations/{id}",
    operation_id = "getOperation",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses(
        (status = 200, description = "The operation.", body = OperationDetailsView),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn get_operation(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<OperationDetailsView>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    details(&api, &caller, id).await.map(Json)
}

/// The operation as it stands now.
pub async fn details(api: &Api, caller: &Caller, id: Uuid) -> Result<OperationDetailsView, ApiError> {
    let snapshot = Snapshot::take(&api.store, id).await?.ok_or_else(|| no_operation(id))?;
    snapshot.seen_by(api, caller).await
}
