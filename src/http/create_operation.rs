//! `POST /operations`: run a selection, or a plan.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::Api;
use super::auth::Requester;
use super::error::{
    ApiError, BadRequest, Conflict, NotFound, NotJson, TooLarge, Unauthenticated, Unavailable,
};
use super::operation_request::{OperationRequest, check_run};
use super::operation_view::OperationView;
use super::plan::no_plan;
use super::query::Query;
use super::request_body::RequestBody;
use super::start_operation::{WaitInput, idempotency_key, run, start};
use crate::clock;
use crate::domain::operation::{Kind, NewOperation, Options, Selection};
use crate::domain::words::ago;

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
    /// Restore deleted ones.
    Restore,
}

/// What tells the two kinds of requests apart; all else is read later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    kind: Option<Box<RawValue>>,
    plan_id: Option<IgnoredAny>,
}

/// The kind of the request, and the request.
pub fn read_kind(body: RequestBody, headers: &HeaderMap) -> Result<(Kind, OperationRequest), ApiError> {
    let Told { kind, .. } = body.json(headers)?;
    let kind = kind.map(|kind| serde_json::from_str(kind.get()));
    let kind = match kind {
        None => return Err(ApiError::field("kind", "is needed: redeliver, delete or restore")),
        Some(Ok(KindInput::Redeliver)) => Kind::Redeliver,
        Some(Ok(KindInput::Delete)) => Kind::Delete,
        Some(Ok(KindInput::Restore)) => Kind::Restore,
        Some(Err(_)) => return Err(ApiError::field("kind", "must be one of redeliver, delete, restore")),
    };
    Ok((kind, body.without("kind").json(headers)?))
}

/// Which plan to run.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"planId": "01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f"}))]
pub struct RunPlan {
    /// The plan.
    plan_id: Uuid,
    /// At most so many messages a second, instead of what was planned.
    #[schema(minimum = 1, maximum = 100_000)]
    rate: Option<u32>,
    /// Why, in words, for the record, instead of what was planned.
    #[schema(max_length = 1_000)]
    note: Option<String>,
}

/// A selection, or a plan.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum NewOperationInput {
    /// Freeze a selection now.
    Selection(CreateOperation),
    /// Run what was planned.
    Plan(RunPlan),
}

/// Run an operation on a selection, or a plan
///
/// A plan runs exactly what it froze, once: what was acted on since by others ends as skipped.
#[utoipa::path(
    post,
    path = "/operations",
    tag = "operations",
    params(WaitInput),
    request_body = NewOperationInput,
    responses(
        (status = 200, description = "The operation ended while the request waited", body = OperationView),
        (status = 202, description = "The operation goes on", body = OperationView,
            headers(("location" = String, description = "Where it can be followed"))),
        BadRequest, Unauthenticated, NotFound, Conflict, TooLarge, NotJson, Unavailable
    )
)]
pub async fn create_operation(
    State(api): State<Api>,
    requester: Requester,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let wait = wait.duration()?;
    let Told { plan_id, .. } = body.json(&headers)?;
    if plan_id.is_none() {
        let (kind, request) = read_kind(body, &headers)?;
        return start(&api, kind, request, wait, &headers, requester).await;
    }
    let RunPlan { plan_id, rate, note } = body.json(&headers)?;
    check_run(rate, note.as_deref())?;
    let plan = api.store.planned(plan_id).await?;
    let plan = plan.ok_or_else(|| no_plan(plan_id))?;
    if plan.expires_at <= clock::now() {
        let message = format!("The plan expired {}. Make a new one.", ago(clock::now() - plan.expires_at));
        return Err(ApiError::Conflict(message));
    }
    let new = NewOperation {
        kind: plan.kind,
        selection: Selection::Plan(plan.id),
        asked: plan.asked,
        // It has the first of its order already, and no more.
        options: Options {
            limit: None,
            rate: rate.or(plan.options.rate),
            note: note.or(plan.options.note),
            ..plan.options
        },
        requested_by: requester.into_name(),
        idempotency_key: idempotency_key(None, &headers)?,
    };
    run(&api, &new, wait).await
}
