//! `POST /dead-letters/restore`: an operation that takes a deletion back.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::accepted::Accepted;
use super::request::{self, RestoreRequest};
use super::start::{IdempotencyKey, WaitInput, start};
use crate::domain::operation::Kind;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, KeyConflict, NotJson, TooLarge, TooManyOperations, Unavailable};

/// Restore deleted dead letters
///
/// Selects by ids, by a filter (of deleted dead letters), or everything that one operation deleted (`deletedBy`). The dead letters are dead
/// again.
#[utoipa::path(
    post,
    path = "/dead-letters/restore",
    operation_id = "restoreDeadLetters",
    extensions(("x-permissions" = json!(["delete"]))),
    tag = "operations",
    params(WaitInput, IdempotencyKey),
    request_body = RestoreRequest,
    responses(Accepted, BadRequest, KeyConflict, TooLarge, NotJson, TooManyOperations, Unavailable)
)]
pub async fn restore(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let request: RestoreRequest = request::read(Kind::Restore, body, &headers)?;
    start(&api, request.into(), wait.duration()?, key, &caller).await
}
