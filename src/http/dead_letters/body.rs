//! `GET /dead-letters/{id}/body`: the exact bytes.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use utoipa::ToSchema;
use uuid::Uuid;

use super::get::{PathId, no_dead_letter, path_id, sees_payload};
use crate::access::Permission;
use crate::http::Api;
use crate::http::auth::{Caller, not_allowed};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};
use crate::store::Store;

/// Any bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Bytes(Vec<u8>);

/// So much of a body is in memory at a time.
const PIECE: usize = 512 << 10;

/// Get the body of a dead letter, byte for byte
///
/// The response is always an attachment of type `application/octet-stream`, so that no browser renders a message as a page of this service.
#[utoipa::path(
    get,
    path = "/dead-letters/{id}/body",
    operation_id = "getDeadLetterBody",
    extensions(("x-permissions" = json!(["read-payload"]))),
    tag = "dead letters",
    params(("id" = Uuid, Path, description = "Id of the dead letter.")),
    responses(
        (status = 200, description = "The body.", body = inline(Bytes), content_type = "application/octet-stream",
            headers(("Content-Disposition" = String, description = "`attachment`, with the id as file name."))),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn body(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Response, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let (service, size) = api.store.body_size(id).await?.unzip();
    if !sees_payload(&caller, id, service.as_deref())? {
        return Err(not_allowed(Permission::ReadPayload));
    }
    let (service, size) = service.zip(size).ok_or_else(|| no_dead_letter(id))?;
    api.audit_read(&caller, id, &service).await?;
    let name = HeaderValue::try_from(format!("attachment; filename=\"{id}\""))
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
    ];
    Ok((headers, Body::from_stream(pieces(api.store, id, size))).into_response())
}

/// The body, piece by piece, each as the client takes the one before. Where one does not come, the length tells the client that the
/// body is not whole.
fn pieces(store: Store, id: Uuid, size: usize) -> impl Stream<Item = Result<Vec<u8>, io::Error>> {
    try_unfold(0, move |from| {
        let store = store.clone();
        async move {
            if from >= size {
                return Ok(None);
            }
            let piece = store.body_part(id, from, PIECE).await.map_err(io::Error::other)?;
            let piece = piece.filter(|piece| !piece.is_empty());
            let piece = piece.ok_or_else(|| io::Error::other("the dead letter was purged"))?;
            let next = from + piece.len();
            Ok(Some((piece, next)))
        }
    })
}
