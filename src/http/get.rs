//! `GET /dead-letters/{id}`: one, whole.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use uuid::Uuid;

use super::Api;
use super::error::{ApiError, BadRequest, NotFound, Unavailable};
use super::query::Query;
use super::view::DeadLetteredMessageDetails;

/// An id in the path.
pub type PathId = Result<axum::extract::Path<Uuid>, PathRejection>;

/// The id, or what is wrong with it.
pub fn path_id(path: PathId) -> Result<Uuid, ApiError> {
    path.map(|path| path.0).map_err(|_| ApiError::field("id", "must be a UUID"))
}

/// There is no dead letter of this id.
pub fn no_dead_letter(id: Uuid) -> ApiError {
    ApiError::NotFound(format!("there is no dead letter {id}: it may have been purged"))
}

/// One dead letter with body, typed headers, failure and history
#[utoipa::path(
    get,
    path = "/dead-letters/{id}",
    tag = "dead letters",
    params(("id" = Uuid, Path, description = "Id of the dead letter")),
    responses(
        (status = 200, description = "The dead letter", body = DeadLetteredMessageDetails),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn get(
    State(api): State<Api>,
    id: PathId,
    query: Query,
) -> Result<Json<DeadLetteredMessageDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let (letter, payload) = api.store.get(id).await?.ok_or_else(|| no_dead_letter(id))?;
    let history = api.store.history(id).await?;
    let (owners, log_link) = (api.ownership.now(), api.log_link.as_deref());
    Ok(Json(DeadLetteredMessageDetails::new(letter, payload, history, &api.conventions, &owners, log_link)))
}
