//! `POST /dead-letters/restore`: an operation that takes a deletion back.

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

/// Restore deleted dead letters
///
/// By ids, by a filter (of deleted ones), or all that one operation deleted (`deletedBy`). They are dead again.
#[utoipa::path(
    post,
    path = "/dead-letters/restore",
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
pub async fn restore(
    State(api): State<Api>,
    requester: Requester,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let request: OperationRequest = body.json(&headers)?;
    start(&api, Kind::Restore, request, wait.duration()?, &headers, requester).await
}
