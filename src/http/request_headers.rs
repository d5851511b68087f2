//! The headers of a request, within a bound.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::problem::Problem;

/// Bytes of names and values.
const MAX_BYTES: usize = 64 << 10;

/// Refuses requests with larger headers. Far larger ones are not read at all.
pub async fn bounded(request: Request, next: Next) -> Response {
    let sizes = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() > MAX_BYTES {
        return ApiError::from(Problem::LARGE_HEADERS).into_response();
    }
    next.run(request).await
}
