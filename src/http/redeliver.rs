//! `POST /dead-letters/redeliver`: an operation that redelivers.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Api;
use super::auth::Requester;
use super::error::{ApiError, BadRequest, Conflict, NotJson, TooLarge, Unauthenticated, Unavailable};
use super::operation_request::OperationRequest;
use super::operation_view::OperationView;
use super::query::Query;
use super::request_body::RequestBody;
use super::start_operation::{WaitInput, start};
use crate::domain::operation::Kind;

/// Put dead letters back
///
/// Freezes the selection and publishes each of its messages again, to the queue that it died in unless `to` says
/// otherwise. Only one that the broker confirmed, and did not return, counts as redelivered.
#[utoipa::path(
    post,
    path = "/dead-letters/redeliver",
    tag = "operations",
    params(WaitInput),
    request_body = OperationRequest,
    responses(
        (status = 200, description = "The operation ended while the request waited", body = OperationView),
        (status = 202, description = "The operation goes on", body = OperationView,
            headers(("location" = String, description = "Where it can be followed"))),
        BadRequest, Unauthenticated, Conflict, TooLarge, NotJson, Unavailable
    )
)]
pub async fn redeliver(
    State(api): State<Api>,
    requester: Requester,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let request: OperationRequest = body.json(&headers)?;
    start(&api, Kind::Redeliver, request, wait.duration()?, &headers, requester).await
}
