//! Errors as clients see them: RFC 9457's members, and the two that Backstage's error classes read.

use std::any::Any;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::error;
use utoipa::{IntoResponses, ToSchema};

use crate::store::StoreError;

/// So many wrong fields are named; of others only how many there are.
const MAX_ERRORS: usize = 20;
/// Longest name of a field,
const MAX_NAME: usize = 200;
/// and longest text on it: the longest of ours list what is allowed.
const MAX_TEXT: usize = 500;
/// Longest text on a request as a whole.
const MAX_DETAIL: usize = 1_000;
/// Seconds after which a client may retry, where the database does not answer,
const RETRY_UNAVAILABLE: &str = "2";
/// and where it was too slow: by then other searches have ended.
const RETRY_SLOW: &str = "30";

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorViewModel {
    /// A stable slug for this kind of error.
    #[schema(example = "invalid-request")]
    r#type: &'static str,
    /// The kind of error in words.
    #[schema(example = "Invalid request")]
    title: &'static str,
    /// The status of the response.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "limit: must be a number from 1 to 200")]
    detail: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// As Backstage's error classes read it.
    error: ErrorName,
    /// As Backstage's error classes read it.
    response: ErrorResponse,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// The field, as it is called in the request.
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

/// Name and message, as in `@backstage/errors`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorName {
    /// The class of the error.
    #[schema(example = "InputError")]
    name: &'static str,
    /// The same as `detail`.
    #[schema(example = "limit: must be a number from 1 to 200")]
    message: String,
}

/// The status, where Backstage looks for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// The same as `status`.
    #[schema(example = 400)]
    status_code: u16,
}

/// An error of an endpoint.
#[derive(Debug)]
pub enum ApiError {
    /// The request is wrong.
    Invalid(Vec<FieldError>),
    /// Its body cannot be taken.
    Body(StatusCode, String),
    /// The token is not valid.
    Unauthenticated(String),
    /// The host or origin is not a name of this machine.
    ForeignName(String),
    /// Nothing has this id, or no route matches.
    NotFound(String),
    /// The request conflicts with an earlier one, or with the state of its operation.
    Conflict(String),
    /// The method does not exist on this route.
    Method,
    /// The database does not answer.
    Unavailable,
    /// The database took too long.
    Slow,
    /// A fault of the service.
    Internal(String),
}

impl ApiError {
    /// One field is wrong.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Slow => Self::Slow,
            StoreError::KeyReused => {
                Self::Conflict("This idempotency key was used for another request. Choose a new one.".into())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Marks a response as an error, so that its content type can follow what the client accepts.
#[derive(Clone, Copy, Debug)]
pub struct IsProblem;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        use StatusCode as S;
        let retry_after = match self {
            Self::Unavailable => Some(RETRY_UNAVAILABLE),
            Self::Slow => Some(RETRY_SLOW),
            _ => None,
        };
        let (status, slug, title, name, detail, errors) = match self {
            Self::Invalid(mut errors) => {
                let more = errors.len().saturating_sub(MAX_ERRORS);
                errors.truncate(MAX_ERRORS);
                let named = errors.iter().map(|e| format!("{}: {}", e.field, e.message));
                let more = (more > 0).then(|| format!("and {more} more"));
                let detail = named.chain(more).collect::<Vec<_>>().join("; ");
                (S::BAD_REQUEST, "invalid-request", "Invalid request", "InputError", detail, errors)
            }
            Self::Body(status, detail) => {
                let detail = shortened(detail, MAX_DETAIL);
                (status, "invalid-body", "Unreadable body", "InputError", detail, vec![])
            }
            Self::Unauthenticated(detail) => (
                S::UNAUTHORIZED,
                "unauthenticated",
                "Authentication required",
                "AuthenticationError",
                detail,
                vec![],
            ),
            Self::ForeignName(name) => {
                let detail = format!(
                    "{name} is not a name of this machine. Without authentication the API only answers to localhost, 127.0.0.1 \
                     and [::1]. Set DEAD_LETTER_UNAUTHENTICATED=yes to allow every name."
                );
                let detail = shortened(detail, MAX_DETAIL);
                (
                    S::FORBIDDEN,
                    "foreign-name",
                    "Host or origin not allowed",
                    "NotAllowedError",
                    detail,
                    vec![],
                )
            }
            Self::NotFound(detail) => {
                (S::NOT_FOUND, "not-found", "Not found", "NotFoundError", detail, vec![])
            }
            Self::Conflict(detail) => (S::CONFLICT, "conflict", "Conflict", "ConflictError", detail, vec![]),
            Self::Method => {
                let detail = "This route does not support this method. See /openapi.json.".into();
                (S::METHOD_NOT_ALLOWED, "no-method", "Method not allowed", "NotAllowedError", detail, vec![])
            }
            Self::Unavailable => {
                let detail = format!("The database does not answer. Retry in {RETRY_UNAVAILABLE} seconds.");
                let title = "Database unavailable";
                (S::SERVICE_UNAVAILABLE, "unavailable", title, "ServiceUnavailableError", detail, vec![])
            }
            Self::Slow => {
                let detail = format!(
                    "This took the database too long, or other expensive searches are running. Narrow it by service or by \
                     time, or retry in {RETRY_SLOW} seconds."
                );
                let title = "Too slow";
                (S::SERVICE_UNAVAILABLE, "too-slow", title, "ServiceUnavailableError", detail, vec![])
            }
            Self::Internal(why) => {
                error!(error = why, "a request failed");
                let detail = "This is a fault of the service. Its log has the details.".into();
                (S::INTERNAL_SERVER_ERROR, "internal", "Internal error", "Error", detail, vec![])
            }
        };
        let model = ErrorViewModel {
            r#type: slug,
            title,
            status: status.as_u16(),
            error: ErrorName { name, message: detail.clone() },
            response: ErrorResponse { status_code: status.as_u16() },
            detail,
            errors,
        };
        let mut response = (status, Json(model)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response.extensions_mut().insert(IsProblem);
        response
    }
}

/// No route matches.
pub async fn no_route() -> ApiError {
    ApiError::NotFound("There is no such route. See /openapi.json.".into())
}

/// The route does not have this method.
pub async fn no_method() -> ApiError {
    ApiError::Method
}

/// A handler panicked.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::Internal("a handler panicked".into()).into_response()
}

/// The request is wrong.
#[derive(IntoResponses)]
#[response(status = 400, description = "The request is not valid. Nothing was done")]
pub struct BadRequest(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// The token is not valid.
#[derive(IntoResponses)]
#[response(status = 401, description = "The token is not valid. Nothing was done")]
pub struct Unauthenticated(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// Nothing has this id.
#[derive(IntoResponses)]
#[response(status = 404, description = "Nothing has this id")]
pub struct NotFound(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// The request conflicts with an earlier one.
#[derive(IntoResponses)]
#[response(status = 409, description = "The idempotency key was used for another request")]
pub struct Conflict(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// The body is too large.
#[derive(IntoResponses)]
#[response(status = 413, description = "The body of the request is too large")]
pub struct TooLarge(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// The body is not JSON.
#[derive(IntoResponses)]
#[response(status = 415, description = "The body of the request is not application/json")]
pub struct NotJson(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// The database does not answer.
#[derive(IntoResponses)]
#[response(
    status = 503,
    description = "The database does not answer, or not in time. Retry after the seconds in `Retry-After`"
)]
pub struct Unavailable(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(error: ApiError) -> Option<String> {
        let headers = error.into_response().headers().clone();
        headers.get(header::RETRY_AFTER).map(|value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn when_to_retry_depends_on_the_reason() {
        assert_eq!(retry_after(ApiError::Unavailable).as_deref(), Some("2"));
        assert_eq!(retry_after(ApiError::Slow).as_deref(), Some("30"));
        assert_eq!(retry_after(ApiError::Method), None);
    }
}
