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
/// Seconds after which a client may try again.
const RETRY_AFTER: &str = "2";

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorViewModel {
    /// A stable slug for this kind of error.
    #[schema(example = "invalid-request")]
    r#type: &'static str,
    /// The kind of error in words.
    #[schema(example = "The request is not valid")]
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
    /// Who asks is not who they say.
    Unauthenticated(String),
    /// It was asked under a name, or by a page, that is not this machine's.
    ForeignName(String),
    /// There is no such thing.
    NotFound(String),
    /// It contradicts what is there.
    Conflict(String),
    /// The method does not exist on this route.
    Method,
    /// The database does not answer.
    Unavailable,
    /// The search takes too long.
    Slow,
    /// A fault of ours.
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
                Self::Conflict("this idempotency key was used for another request: choose a new one".into())
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
        let (status, slug, title, name, detail, errors) = match self {
            Self::Invalid(mut errors) => {
                let more = errors.len().saturating_sub(MAX_ERRORS);
                errors.truncate(MAX_ERRORS);
                let named = errors.iter().map(|e| format!("{}: {}", e.field, e.message));
                let more = (more > 0).then(|| format!("and {more} more"));
                let detail = named.chain(more).collect::<Vec<_>>().join("; ");
                (S::BAD_REQUEST, "invalid-request", "The request is not valid", "InputError", detail, errors)
            }
            Self::Body(status, detail) => {
                let detail = shortened(detail, MAX_DETAIL);
                (status, "invalid-body", "The body cannot be read", "InputError", detail, vec![])
            }
            Self::Unauthenticated(detail) => (
                S::UNAUTHORIZED,
                "unauthenticated",
                "Who asks is not known",
                "AuthenticationError",
                detail,
                vec![],
            ),
            Self::ForeignName(name) => {
                let detail = format!(
                    "{name} is not this machine. While nobody has to sign in, the API answers to localhost, 127.0.0.1 and \
                     [::1] only; DEAD_LETTER_UNAUTHENTICATED=yes allows every name"
                );
                let detail = shortened(detail, MAX_DETAIL);
                (
                    S::FORBIDDEN,
                    "foreign-name",
                    "Not a name of this machine",
                    "NotAllowedError",
                    detail,
                    vec![],
                )
            }
            Self::NotFound(detail) => {
                (S::NOT_FOUND, "not-found", "There is no such thing", "NotFoundError", detail, vec![])
            }
            Self::Conflict(detail) => {
                (S::CONFLICT, "conflict", "It contradicts what is there", "ConflictError", detail, vec![])
            }
            Self::Method => {
                let detail = "this route does not have this method: see /openapi.json".into();
                (S::METHOD_NOT_ALLOWED, "no-method", "No such method", "NotAllowedError", detail, vec![])
            }
            Self::Unavailable => {
                let detail = format!("the database does not answer: try again in {RETRY_AFTER} seconds");
                let title = "The service cannot answer now";
                (S::SERVICE_UNAVAILABLE, "unavailable", title, "ServiceUnavailableError", detail, vec![])
            }
            Self::Slow => {
                let detail =
                    "this takes the database too long, or others have it do what takes long: narrow the \
                     filter, by service or by time, or try again in half a minute"
                        .into();
                let title = "The service cannot answer this";
                (S::SERVICE_UNAVAILABLE, "too-slow", title, "ServiceUnavailableError", detail, vec![])
            }
            Self::Internal(why) => {
                error!(error = why, "a request failed");
                let detail = "this is a fault of the service: its log says more".into();
                (S::INTERNAL_SERVER_ERROR, "internal", "The service failed", "Error", detail, vec![])
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
        if status == S::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response.extensions_mut().insert(IsProblem);
        response
    }
}

/// No route matches.
pub async fn no_route() -> ApiError {
    ApiError::NotFound("there is no such route: see /openapi.json".into())
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
#[response(status = 400, description = "The request is not valid; nothing was done")]
pub struct BadRequest(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// Who asks is not who they say.
#[derive(IntoResponses)]
#[response(status = 401, description = "The token is not valid; nothing was done")]
pub struct Unauthenticated(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// There is no such thing.
#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such thing")]
pub struct NotFound(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);

/// It contradicts what is there.
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
    description = "The database does not answer, or not in time; try again after `Retry-After` seconds"
)]
pub struct Unavailable(#[expect(dead_code, reason = "only its schema is used")] ErrorViewModel);
