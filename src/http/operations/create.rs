//! `POST /operations`: run a selection, or a plan.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::accepted::Accepted;
use super::plan::{check_expiry, made_by};
use super::request::{
    self, DeleteRequest, RedeliverRequest, Request, RestoreRequest, check_run, check_target, needed,
};
use super::selection::within;
use super::start::{IdempotencyKey, WaitInput, run, start};
use crate::domain::operation::{Kind, NewOperation as Asked, Options, Selection};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{
    BadRequest, NotFound, NotJson, RunConflict, TooLarge, TooManyOperations, Unavailable,
};
use crate::http::words::{OperationKind, Word};

/// The operation to run: its kind, its selection and its options.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "kind", mapping(
    ("redeliver" = "#/components/schemas/RedeliverOperation"),
    ("delete" = "#/components/schemas/DeleteOperation"),
    ("restore" = "#/components/schemas/RestoreOperation"),
)))]
#[expect(clippy::large_enum_variant, reason = "there is one for each request, and it is taken apart at once")]
pub enum CreateOperation {
    Redeliver(RedeliverOperation),
    Delete(DeleteOperation),
    Restore(RestoreOperation),
}

macro_rules! of_kind {
    ($(#[doc = $doc:literal])+ $name:ident $kind:literal: $request:ident) => {
        $(#[doc = $doc])+
        pub struct $name($request);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                with_kind::<$request>($kind, concat!($($doc),+).trim())
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $request::schemas(schemas);
            }
        }

        impl From<$request> for $name {
            fn from(request: $request) -> Self {
                Self(request)
            }
        }
    };
}

of_kind! {
    /// A redelivery.
    RedeliverOperation "redeliver": RedeliverRequest
}
of_kind! {
    /// A deletion.
    DeleteOperation "delete": DeleteRequest
}
of_kind! {
    /// A restoration of deleted dead letters.
    RestoreOperation "restore": RestoreRequest
}

/// The schema of a request and its kind. No `allOf`: the request allows no other members.
fn with_kind<T: PartialSchema>(kind: &str, description: &str) -> RefOr<Schema> {
    let mut schema = T::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let only = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind])).build();
        object.properties.insert("kind".into(), only.into());
        object.required.push("kind".into());
        object.description = Some(description.into());
        if let Some(Value::Object(example)) = &mut object.example {
            example.insert("kind".into(), kind.into());
        }
    }
    schema
}

impl From<CreateOperation> for Request {
    fn from(operation: CreateOperation) -> Self {
        match operation {
            CreateOperation::Redeliver(RedeliverOperation(request)) => request.into(),
            CreateOperation::Delete(DeleteOperation(request)) => request.into(),
            CreateOperation::Restore(RestoreOperation(request)) => request.into(),
        }
    }
}

/// What tells the requests apart; all else is read later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    kind: Option<Box<RawValue>>,
    plan_id: Option<IgnoredAny>,
}

impl CreateOperation {
    /// Reads the body. The kind is read first: serde refuses no unknown fields in flattened structs, and its message for a wrong kind
    /// would list what the other kinds lack.
    pub fn read(body: RequestBody, headers: &HeaderMap) -> Result<Self, ApiError> {
        let Told { kind, .. } = body.json(headers)?;
        let Some(kind) = kind else {
            return Err(ApiError::field("kind", "is needed: redeliver, delete or restore"));
        };
        let kind: String = serde_json::from_str(kind.get()).unwrap_or_default();
        let kind: Kind = OperationKind::read("kind", &kind)?.into();
        let body = body.without("kind");
        Ok(match kind {
            Kind::Redeliver => {
                Self::Redeliver(request::read::<RedeliverRequest>(kind, body, headers)?.into())
            }
            Kind::Delete => Self::Delete(request::read::<DeleteRequest>(kind, body, headers)?.into()),
            Kind::Restore => Self::Restore(request::read::<RestoreRequest>(kind, body, headers)?.into()),
        })
    }
}

/// The plan to run.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"planId": "01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f"}))]
pub struct RunPlan {
    /// Id of the plan.
    plan_id: Uuid,
    /// At most this many messages per second, instead of the rate that was planned.
    #[schema(minimum = 1, maximum = 100_000)]
    rate: Option<u32>,
    /// The reason, recorded with the operation, instead of the note that was planned. At most 1,000 bytes.
    #[schema(max_length = 1_000)]
    note: Option<String>,
}

/// An operation on a selection, or the run of a plan.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "as above")]
pub enum NewOperation {
    Selection(CreateOperation),
    Plan(RunPlan),
}

impl NewOperation {
    fn read(body: RequestBody, headers: &HeaderMap) -> Result<Self, ApiError> {
        let Told { plan_id, .. } = body.json(headers)?;
        Ok(match plan_id {
            None => Self::Selection(CreateOperation::read(body, headers)?),
            Some(_) => Self::Plan(body.json(headers)?),
        })
    }
}

/// Run an operation on a selection, or run a plan
///
/// A selection is frozen when the request is made. A plan can be run once and acts on exactly the dead letters that it froze; those that
/// were acted on since are skipped.
#[utoipa::path(
    post,
    path = "/operations",
    operation_id = "createOperation",
    extensions(("x-permissions" = json!(["redeliver", "delete"]))),
    tag = "operations",
    params(WaitInput, IdempotencyKey),
    request_body = NewOperation,
    responses(Accepted, BadRequest, NotFound, RunConflict, TooLarge, NotJson, TooManyOperations, Unavailable)
)]
pub async fn create_operation(
    State(api): State<Api>,
    caller: Caller,
    key: IdempotencyKey,
    mut query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let wait: WaitInput = query.take()?;
    query.finish()?;
    let wait = wait.duration()?;
    match NewOperation::read(body, &headers)? {
        NewOperation::Selection(operation) => start(&api, operation.into(), wait, key, &caller).await,
        NewOperation::Plan(plan) => run(&api, &plan.check(&api, key, &caller).await?, wait).await,
    }
}

impl RunPlan {
    async fn check(self, api: &Api, key: IdempotencyKey, caller: &Caller) -> Result<Asked, ApiError> {
        let Self { plan_id, rate, note } = self;
        let errors = check_run(rate, note.as_deref());
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        let plan = made_by(api, caller, plan_id).await?;
        check_expiry(&plan)?;
        let permissions = needed(plan.kind, &plan.options.target, plan.options.edit.as_ref());
        let scope = caller.may(&permissions)?;
        check_target(caller, &plan.options.target)?;
        // It has the first of its order already, and no more.
        let options = Options {
            limit: None,
            rate: rate.or(plan.options.rate),
            note: note.or(plan.options.note),
            ..plan.options
        };
        Ok(Asked {
            kind: plan.kind,
            selection: Selection::Plan(plan.id),
            asked: plan.asked,
            options,
            within: within(api, &scope).await?,
            approved_above: caller.approved_above(plan.kind),
            requested_by: caller.requester().actor(),
            idempotency_key: key.with(None)?,
        })
    }
}
