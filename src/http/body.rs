//! `GET /dead-letters/{id}/body`: the exact bytes.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::error::{ApiError, BadRequest, NotFound, Unavailable};
use super::get::{PathId, no_dead_letter, path_id};
use super::query::Query;

/// The body of one dead letter, byte for byte
///
/// Always an attachment of type `application/octet-stream`, whatever the message says of itself: what anybody could put
/// into a queue must not be shown by a browser as a page of this service.
#[utoipa::path(
    get,
    path = "/dead-letters/{id}/body",
    tag = "dead letters",
    params(("id" = Uuid, Path, description = "Id of the dead letter")),
    responses(
        (status = 200, description = "The body", body = Vec<u8>, content_type = "application/octet-stream"),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn body(State(api): State<Api>, id: PathId, query: Query) -> Result<Response, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let (_, payload) = api.store.get(id).await?.ok_or_else(|| no_dead_letter(id))?;
    let name = HeaderValue::try_from(format!("attachment; filename=\"{id}\""))
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, payload.body).into_response())
}
