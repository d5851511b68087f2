//! Starting an operation: freeze the selection, answer with the operation, or wait for its end.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Required};
use uuid::Uuid;

use super::request::Request;
use crate::domain::operation::{NewOperation, Operation, State};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::problem::Problem;
use crate::http::query::groups;
use crate::operations::Requested;

const MAX_WAIT_SECONDS: u64 = 30;
const MAX_KEY: usize = 200;
/// Bytes in a note, at most.
pub const MAX_NOTE: usize = 1_000;

/// Whether to wait for the end.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitInput {
    /// Wait up to this many seconds until every item has its outcome. The status is 200 if that happens in time, else 202. The request does
    /// not wait for the verdict: the `verdict` of a redelivery that has just ended is `watching` until `watchUntil`.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 30)]
    wait: Option<String>,
}

groups!(WaitInput);

impl WaitInput {
    /// How long to wait.
    pub fn duration(&self) -> Result<Duration, ApiError> {
        let Some(text) = &self.wait else { return Ok(Duration::ZERO) };
        u64::from_str(text)
            .ok()
            .filter(|seconds| *seconds <= MAX_WAIT_SECONDS)
            .map(Duration::from_secs)
            .ok_or_else(|| {
                ApiError::field("wait", format!("must be a number of seconds from 0 to {MAX_WAIT_SECONDS}"))
            })
    }
}

/// Whether the record takes this note.
pub fn is_note(note: &str) -> bool {
    note.len() <= MAX_NOTE && !note.contains('\0')
}

/// The header `Idempotency-Key`.
#[derive(Debug)]
pub struct IdempotencyKey(Option<String>);

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_KEY))
            .build();
        let description = "Makes the request safe to repeat: a repeated key with the same request returns the first operation. The same as \
                           `idempotencyKey` in the body.";
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(text));
        vec![parameter.build()]
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let value = parts.headers.get("idempotency-key").map(|value| value.to_str().map(str::to_owned));
        let value = value.transpose();
        value.map(Self).map_err(|_| ApiError::field("Idempotency-Key", "must be ASCII text"))
    }
}

impl IdempotencyKey {
    /// The key of the header, or of the request itself.
    pub fn with(self, of_request: Option<&str>) -> Result<Option<String>, ApiError> {
        let key = match (of_request, self.0) {
            (Some(key), Some(header)) if key != header => {
                return Err(ApiError::field("idempotencyKey", "contradicts the header Idempotency-Key"));
            }
            (Some(key), _) => Some(key.to_owned()),
            (None, header) => header,
        };
        match &key {
            Some(key) if key.is_empty() || key.len() > MAX_KEY || key.contains('\0') => Err(ApiError::field(
                "idempotencyKey",
                format!("must be text of 1 to {MAX_KEY} bytes, without NUL"),
            )),
            _ => Ok(key),
        }
    }
}

/// Checks the request, freezes its selection, and answers with the operation.
pub async fn start(
    api: &Api,
    request: Request,
    wait: Duration,
    key: IdempotencyKey,
    caller: &Caller,
) -> Result<Response, ApiError> {
    let idempotency_key = key.with(request.idempotency_key())?;
    let new = NewOperation { idempotency_key, ..request.check(api, caller, &[]).await? };
    run(api, &new, wait).await
}

/// Has it done, and answers with the operation.
pub async fn run(api: &Api, new: &NewOperation, wait: Duration) -> Result<Response, ApiError> {
    let id = match api.operations.request(new).await? {
        Requested::Operation(id) => id,
        Requested::AlreadyRun => return Err(Problem::PLAN_ALREADY_RUN.into()),
    };
    let operation = await_end(api, id, wait).await?;
    let status = match operation.state {
        state if state.is_final() && !wait.is_zero() => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let location = HeaderValue::try_from(format!("/operations/{id}"))
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok((status, [(header::LOCATION, location)], Json(api.view(operation))).into_response())
}

async fn await_end(api: &Api, id: Uuid, wait: Duration) -> Result<Operation, ApiError> {
    let gone = || ApiError::internal(format!("operation {id} is gone"));
    if wait.is_zero() {
        return api.store.operation(id).await?.ok_or_else(gone);
    }
    let deadline = Instant::now() + wait;
    let mut follower = api.followed.follow_end(id);
    let mut operation = follower.latest().await?.ok_or_else(gone)?;
    // One that has stopped by itself will not end in time.
    while !operation.state.is_final() && operation.state != State::Paused {
        // When the process ends the operation goes on elsewhere, and the answer is how far it is.
        let Some(Ok(next)) = api.close.run_until_cancelled(timeout_at(deadline, follower.next())).await
        else {
            break;
        };
        operation = next?.ok_or_else(gone)?;
    }
    Ok(Arc::unwrap_or_clone(operation))
}
