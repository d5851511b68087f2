//! `POST /operations`: run a selection.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Api;
use super::error::{ApiError, BadRequest, Conflict, NotJson, TooLarge, Unavailable};
use super::operation_request::{OperationRequest, WaitInput, start};
use super::operation_view::OperationView;
use super::query::Query;
use super::request_body::RequestBody;
use crate::domain::operation::Kind;

/// What to do, with which dead letters, and how: an [`OperationRequest`] with a `kind`. For the document; it is read in two
/// steps, since serde cannot refuse the unknown fields of a flattened struct.
pub struct CreateOperation;

impl PartialSchema for CreateOperation {
    fn schema() -> RefOr<Schema> {
        let mut schema = OperationRequest::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.insert("kind".into(), KindInput::schema());
            object.required.push("kind".into());
            object.description = Some("What to do, with which dead letters, and how.".into());
            object.example =
                Some(json!({"kind": "delete", "filter": {"service": "webshop", "error": "SchemaMismatch"}}));
        }
        schema
    }
}

impl ToSchema for CreateOperation {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        OperationRequest::schemas(schemas);
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum KindInput {
    /// Publish the messages again.
    Redeliver,
    /// Delete the dead letters.
    Delete,
}

/// Run an operation on a selection
#[utoipa::path(
    post,
    path = "/operations",
    tag = "operations",
    params(WaitInput),
    request_body = CreateOperation,
    responses(
        (status = 200, description = "The operation ended while the request waited", body = OperationView),
        (status = 202, description = "The operation goes on", body = OperationView,
            headers(("location" = String, description = "Where it can be followed"))),
        BadRequest, Conflict, TooLarge, NotJson, Unavailable
    )
)]
pub async fn create_operation(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let mut fields: serde_json::Map<String, serde_json::Value> = body.json(&headers)?;
    let kind =
        fields.remove("kind").ok_or_else(|| ApiError::field("kind", "is needed: redeliver or delete"))?;
    let kind = match serde_json::from_value(kind) {
        Ok(KindInput::Redeliver) => Kind::Redeliver,
        Ok(KindInput::Delete) => Kind::Delete,
        Err(_) => return Err(ApiError::field("kind", "must be one of redeliver, delete")),
    };
    let request: OperationRequest = serde_json::from_value(serde_json::Value::Object(fields))
        .map_err(|error| ApiError::field("body", error.to_string()))?;
    start(&api, kind, request, wait.duration()?, &headers, peer).await
}
