//! `DELETE /dead-letters`: an operation that deletes.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::Requester;
use super::error::{ApiError, BadRequest, Conflict, NotJson, TooLarge, Unauthenticated, Unavailable};
use super::filter::FilterInput;
use super::operation_request::OperationRequest;
use super::operation_view::OperationView;
use super::query::Query;
use super::request_body::RequestBody;
use super::search::OrderName;
use super::start_operation::{WaitInput, start};
use crate::domain::operation::Kind;

/// The selection and the options in the query, for those whose proxy drops the bodies of DELETE.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SelectionInput {
    /// These dead letters; may be repeated.
    #[serde(default)]
    #[param(value_type = Vec<uuid::Uuid>)]
    id: Vec<String>,
    /// `true` where the filter is empty: this means all of them.
    #[param(value_type = Option<bool>)]
    all: Option<String>,
    /// At most so many dead letters, the first by `order`.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// `newest` (the default) or `oldest` arrival first.
    #[param(inline, value_type = Option<OrderName>)]
    order: Option<String>,
    /// Why, in words, for the record.
    #[param(max_length = 1_000)]
    note: Option<String>,
    /// The same request with the same key is the same operation.
    #[param(min_length = 1, max_length = 200)]
    idempotency_key: Option<String>,
}

impl SelectionInput {
    fn request(self, filter: FilterInput) -> Result<OperationRequest, ApiError> {
        let ids = self.id.iter().map(|id| id.parse().map_err(|_| ApiError::field("id", "must be a UUID")));
        let all = match self.all.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::field("all", "must be true or false")),
        };
        let limit =
            self.limit.map(|limit| limit.parse().map_err(|_| ApiError::field("limit", "must be 1 or more")));
        Ok(OperationRequest {
            ids: (!self.id.is_empty()).then(|| ids.collect::<Result<_, _>>()).transpose()?,
            filter: (filter != FilterInput::default()).then_some(filter),
            all,
            limit: limit.transpose()?,
            order: self.order,
            note: self.note,
            idempotency_key: self.idempotency_key,
            ..OperationRequest::default()
        })
    }

    fn is_empty(&self) -> bool {
        let Self { id, all, limit, order, note, idempotency_key } = self;
        id.is_empty() && [all, limit, order, note, idempotency_key].iter().all(|option| option.is_none())
    }
}

/// Delete dead letters
///
/// The selection stands in the body or in the query, never in both. What is deleted is marked, and kept until it is purged.
#[utoipa::path(
    delete,
    path = "/dead-letters",
    tag = "operations",
    params(SelectionInput, FilterInput, WaitInput),
    request_body(content = Option<OperationRequest>, description = "The selection, where it does not stand in the query"),
    responses(
        (status = 200, description = "The operation ended while the request waited", body = OperationView),
        (status = 202, description = "The operation goes on", body = OperationView,
            headers(("location" = String, description = "Where it can be followed"))),
        BadRequest, Unauthenticated, Conflict, TooLarge, NotJson, Unavailable
    )
)]
pub async fn delete(
    State(api): State<Api>,
    requester: Requester,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let selection: SelectionInput = query.take()?;
    let filter: FilterInput = query.take()?;
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let request = if body.is_empty() {
        selection.request(filter)?
    } else if selection.is_empty() && filter == FilterInput::default() {
        body.json(&headers)?
    } else {
        return Err(ApiError::field("body", "contradicts the query: the selection stands in one of the two"));
    };
    start(&api, Kind::Delete, request, wait.duration()?, &headers, requester).await
}
