//! Errors as clients see them: RFC 9457's members, and the two that Backstage's error classes read.

use std::any::Any;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::task::JoinError;
use tracing::error;
use utoipa::ToSchema;

use super::problem::{Problem, ProblemType};
use crate::access::Undecided;
use crate::clock;
use crate::domain::words::things;
use crate::store::{OverBound, StoreError};

/// So many wrong fields are named; of others only how many there are.
const MAX_ERRORS: usize = 20;
/// Longest name of a field,
const MAX_NAME: usize = 200;
/// and longest text on it: the longest of ours list what is allowed.
const MAX_TEXT: usize = 500;
/// Longest text on a request as a whole.
const MAX_DETAIL: usize = 1_000;

/// An error: what went wrong, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorViewModel {
    /// The kind of error.
    r#type: ProblemType,
    /// The kind of error in words.
    #[schema(example = "Invalid request")]
    title: &'static str,
    /// Status code of the response.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "limit: must be a number from 1 to 200")]
    detail: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Read by Backstage's error classes.
    error: ErrorName,
    /// Read by Backstage's error classes.
    response: ErrorStatus,
}

/// A wrong field of a request.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Name of the field in the request.
    #[schema(example = "limit")]
    field: String,
    /// What is wrong with it, and what is allowed.
    #[schema(example = "must be a number from 1 to 200")]
    message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: shortened(field.into(), MAX_NAME), message: shortened(message.into(), MAX_TEXT) }
    }
}

/// An answer is no larger for what the request holds.
pub fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - 3));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Name and message of an error, as in `@backstage/errors`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorName {
    /// Class of the error.
    #[schema(example = "InputError")]
    name: &'static str,
    /// Same as `detail`.
    #[schema(example = "limit: must be a number from 1 to 200")]
    message: String,
}

/// Status code of an error, where Backstage looks for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorStatus {
    /// Same as `status`.
    #[schema(example = 400)]
    status_code: u16,
}

/// An error of an endpoint.
#[derive(Debug)]
pub struct ApiError {
    problem: &'static Problem,
    detail: String,
    errors: Vec<FieldError>,
    /// Seconds after which a client may retry.
    retry_after: Option<u32>,
}

impl ApiError {
    /// Of this kind, with these words.
    pub fn new(problem: &'static Problem, detail: impl Into<String>) -> Self {
        let detail = shortened(detail.into(), MAX_DETAIL);
        Self { problem, detail, errors: Vec::new(), retry_after: problem.retry_after }
    }

    /// The same, if it is known when a client may retry.
    pub fn retry_after(self, seconds: NonZeroU32) -> Self {
        Self { retry_after: Some(seconds.get()), ..self }
    }

    /// These fields are wrong.
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        let more = errors.len().saturating_sub(MAX_ERRORS);
        errors.truncate(MAX_ERRORS);
        let named = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
        let more = (more > 0).then(|| format!("and {more} more"));
        let detail = named.chain(more).collect::<Vec<_>>().join("; ");
        Self { detail, errors, ..Self::new(Problem::INVALID, "") }
    }

    /// One field is wrong.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// Nothing has this id.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Problem::NOT_FOUND, detail)
    }

    /// A fault of the service. The reason is for its log.
    pub fn internal(why: impl AsRef<str>) -> Self {
        error!(error = why.as_ref(), "a request failed");
        Problem::INTERNAL.into()
    }

    /// Whether it says that something is not there.
    pub fn is_not_found(&self) -> bool {
        self.problem == Problem::NOT_FOUND
    }

    /// As clients see it.
    pub fn into_view(self) -> ErrorViewModel {
        let Self { problem, detail, errors, .. } = self;
        let status = problem.status.as_u16();
        ErrorViewModel {
            r#type: problem.slug,
            title: problem.title,
            status,
            error: ErrorName { name: problem.name, message: detail.clone() },
            response: ErrorStatus { status_code: status },
            detail,
            errors,
        }
    }

    #[cfg(test)]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

/// Nothing more is known than its kind.
impl From<&'static Problem> for ApiError {
    fn from(problem: &'static Problem) -> Self {
        Self::new(problem, problem.detail)
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::invalid(vec![error])
    }
}

impl From<Undecided> for ApiError {
    fn from(_: Undecided) -> Self {
        Problem::UNDECIDED.into()
    }
}

/// Of work on another thread: it has panicked.
impl From<JoinError> for ApiError {
    fn from(error: JoinError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// Of a look that several share.
impl From<Arc<StoreError>> for ApiError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::from(&*error)
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::NotPermitted => Problem::UNAVAILABLE.into(),
            StoreError::Slow => Problem::SLOW.into(),
            StoreError::KeyReused => Problem::KEY_REUSED.into(),
            StoreError::OverBound(over) => over_bound(*over),
            other => Self::internal(other.to_string()),
        }
    }
}

/// What a caller has too much of, and what to do about it.
fn over_bound(over: OverBound) -> ApiError {
    let until = |time: DateTime<Utc>| {
        let seconds = (time - clock::now()).num_seconds() + 1;
        let seconds = u32::try_from(seconds).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        (
            seconds,
            format!("retry in {}, when the oldest has expired.", things(seconds.get().into(), "second")),
        )
    };
    match over {
        OverBound::Plans(plans, first) => {
            let (seconds, retry) = until(first);
            let plans = things(plans, "plan");
            let detail = format!(
                "You have {plans} that can still be run, and no more are allowed. Run some of them, or {retry}"
            );
            ApiError::new(Problem::TOO_MANY_PLANS, detail).retry_after(seconds)
        }
        OverBound::Planned(items, first) => {
            let (seconds, retry) = until(first);
            let items = things(items, "dead letter");
            let detail = format!(
                "Together with this one, your plans of the last 15 minutes would have {items}, which is more than allowed. Narrow the \
                 selection, or {retry}"
            );
            ApiError::new(Problem::TOO_MANY_PLANS, detail).retry_after(seconds)
        }
        OverBound::Operations(operations) => {
            let operations = things(operations, "operation");
            let detail = format!(
                "You have {operations} that have not ended, and no more are allowed. Resume or cancel those that are paused, or retry in \
                 10 seconds."
            );
            ApiError::new(Problem::TOO_MANY_OPERATIONS, detail)
        }
    }
}

/// Marks a response as an error of this kind: its content type follows what the client accepts, and some kinds are counted.
#[derive(Clone, Copy, Debug)]
pub struct IsProblem(pub &'static Problem);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (problem, retry_after) = (self.problem, self.retry_after);
        let mut response = (problem.status, Json(self.into_view())).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(IsProblem(problem));
        response
    }
}

/// No route matches.
pub async fn no_route() -> ApiError {
    Problem::NOT_FOUND.into()
}

/// The route does not have this method.
pub async fn no_method() -> ApiError {
    Problem::NO_METHOD.into()
}

/// A handler panicked.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal("a handler panicked").into_response()
}
