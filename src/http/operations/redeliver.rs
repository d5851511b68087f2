//! `POST /dead-letters/redeliver`: an operation that redelivers.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::accepted::Accepted;
use super::request::{self, RedeliverRequest};
use super::start::{IdempotencyKey, WaitInput, start};
use crate::domain::operation::Kind;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, KeyConflict, NotJson, TooLarge, TooManyOperations, Unavailable};

/// Redeliver dead letters
///
/// Freezes the selection and publishes each message again, to the queue where it died unless `to` says otherwise. A message counts as
/// redelivered once the broker has confirmed it and not returned it.
#[utoipa::path(
    post,
    path = "/dead-letters/redeliver",
    operation_id = "redeliverDeadLetters",
    extensions(("x-permissions" = json!(["redeliver"]))),
    tag = "operations",
    params(WaitInput, IdempotencyKey),
    request_body = RedeliverRequest,
    responses(Accepted, BadRequest, KeyConflict, TooLarge, NotJson, TooManyOperations, Unavailable)
)]
pub async fn redeliver(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let request: RedeliverRequest = request::read(Kind::Redeliver, body, &headers)?;
    start(&api, request.into(), wait.duration()?, key, &caller).await
}
