//! The body of a request, whole, or why it cannot be had.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ApiError;
use crate::domain::exact;

/// Largest request body: 10,000 ids and a filter fit well.
const MAX_BYTES: usize = 2 << 20;
/// So much of a larger one is still read and dropped: a client that is writing does not read the answer, and finds the
/// connection reset instead.
const MAX_DROPPED: usize = 64 << 20;
/// No body that fits takes so long.
const DEADLINE: Duration = Duration::from_secs(10);

/// The body's bytes, 2 MiB at most.
#[derive(Clone, Debug)]
pub struct RequestBody(Bytes);

impl<S: Sync> FromRequest<S> for RequestBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        timeout(DEADLINE, read(request)).await.unwrap_or_else(|_| {
            let detail = format!("the body did not arrive within {} s", DEADLINE.as_secs());
            Err(ApiError::Body(StatusCode::BAD_REQUEST, detail))
        })
    }
}

async fn read(request: Request) -> Result<RequestBody, ApiError> {
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut received) = (BytesMut::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| ApiError::Body(StatusCode::BAD_REQUEST, "the body did not arrive whole".into()))?;
        received += chunk.len();
        if received > MAX_DROPPED {
            break;
        }
        if received <= MAX_BYTES {
            body.extend_from_slice(&chunk);
        }
    }
    if received > MAX_BYTES {
        let detail = "the body is larger than 2 MiB: select by a filter, or in several requests".into();
        return Err(ApiError::Body(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(RequestBody(body.freeze()))
}

impl RequestBody {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON value that it is, or what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self, headers: &HeaderMap) -> Result<T, ApiError> {
        let is_json =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            let detail = "the body must be JSON: send it with content-type: application/json".into();
            return Err(ApiError::Body(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let value =
            serde_json::from_slice(&self.0).map_err(|error| ApiError::field("body", error.to_string()))?;
        if exact::keeps_numbers(&self.0) {
            Ok(value)
        } else {
            Err(ApiError::field(
                "body",
                "has a number with more digits than can be kept: shorten it, or write it as text",
            ))
        }
    }
}
