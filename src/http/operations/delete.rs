//! `DELETE /dead-letters`: an operation that deletes.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::accepted::Accepted;
use super::request::{self, DeleteRequest};
use super::start::{IdempotencyKey, WaitInput, start};
use crate::domain::operation::Kind;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::query::{Query, groups};
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, KeyConflict, NotJson, TooLarge, TooManyOperations, Unavailable};
use crate::http::words::Order;

/// The selection and the options in the query: proxies drop the bodies of DELETE.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SelectionInput {
    /// Id of a dead letter. May be repeated.
    #[serde(default)]
    #[param(value_type = Vec<uuid::Uuid>, required = false)]
    id: Vec<String>,
    /// Must be `true` if no filter is given, which matches every dead letter.
    #[param(value_type = Option<bool>)]
    all: Option<String>,
    /// Select at most this many dead letters, the first ones by `order`.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
    /// Order of selection. Default: `newest`.
    #[param(value_type = Option<Order>)]
    order: Option<String>,
    /// The reason, recorded with the operation. At most 1,000 bytes.
    #[param(max_length = 1_000)]
    note: Option<String>,
    /// Makes the request safe to repeat: a repeated key returns the first operation. The `Idempotency-Key` header does the same.
    #[param(min_length = 1, max_length = 200)]
    idempotency_key: Option<String>,
}

groups!(SelectionInput);

impl SelectionInput {
    fn request(self, filter: FilterInput) -> Result<DeleteRequest, ApiError> {
        let ids = self.id.iter().map(|id| id.parse().map_err(|_| ApiError::field("id", "must be a UUID")));
        let all = match self.all.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::field("all", "must be true or false")),
        };
        let limit =
            self.limit.map(|limit| limit.parse().map_err(|_| ApiError::field("limit", "must be 1 or more")));
        Ok(DeleteRequest {
            ids: (!self.id.is_empty()).then(|| ids.collect::<Result<_, _>>()).transpose()?,
            filter: (filter != FilterInput::default()).then_some(filter),
            all,
            limit: limit.transpose()?,
            order: self.order,
            note: self.note,
            idempotency_key: self.idempotency_key,
            rate: None,
        })
    }

    fn is_empty(&self) -> bool {
        let Self { id, all, limit, order, note, idempotency_key } = self;
        id.is_empty() && [all, limit, order, note, idempotency_key].iter().all(|option| option.is_none())
    }
}

/// Delete dead letters
///
/// Deleted dead letters can be restored until they are purged. To send the selection as a body, use `POST /operations` with the kind
/// `delete`. A body on this route is accepted too: a `DeleteRequest`, with no selection in the query. Many clients and proxies drop the
/// body of a DELETE.
#[utoipa::path(
    delete,
    path = "/dead-letters",
    operation_id = "deleteDeadLetters",
    extensions(("x-permissions" = json!(["delete"]))),
    tag = "operations",
    params(SelectionInput, FilterInput, WaitInput, IdempotencyKey),
    responses(Accepted, BadRequest, KeyConflict, TooLarge, NotJson, TooManyOperations, Unavailable)
)]
pub async fn delete(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
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
        request::read(Kind::Delete, body, &headers)?
    } else {
        return Err(ApiError::field("body", "contradicts the query: the selection stands in one of the two"));
    };
    start(&api, request.into(), wait.duration()?, key, &caller).await
}
