//! The body of a request, whole, or why it cannot be had.

use std::ops::Range;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::error::ApiError;
use super::problem::Problem;
use crate::domain::bounded::{self, Budget};
use crate::domain::spans;

/// Largest request body: 10,000 ids and a filter fit well.
const MAX_BYTES: usize = Budget::REQUEST.bytes;
/// Largest request body without the ids and the new body of a message.
const MAX_REST: usize = 256 << 10;
/// Larger ones are read one beside a few others.
const SMALL: usize = 64 << 10;
static LARGE: Semaphore = Semaphore::const_new(8);
/// So much of a larger one is still read and dropped: a client that is writing does not read the answer, and finds the
/// connection reset instead.
const MAX_DROPPED: usize = 64 << 20;
/// No request is nested deeper, but for a value in a patch.
const MAX_DEPTH: usize = 100;
/// No body that fits takes so long.
const DEADLINE: Duration = Duration::from_secs(10);

/// The body's bytes, 2 MiB at most.
#[derive(Debug)]
pub struct RequestBody {
    bytes: Bytes,
    /// Held while the bytes are.
    large: Option<SemaphorePermit<'static>>,
}

impl<S: Sync> FromRequest<S> for RequestBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        timeout(DEADLINE, read(request)).await.unwrap_or_else(|_| {
            let detail = format!("The body did not arrive within {} seconds.", DEADLINE.as_secs());
            Err(ApiError::new(Problem::UNREADABLE_BODY, detail))
        })
    }
}

async fn read(request: Request) -> Result<RequestBody, ApiError> {
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut received, mut large) = (BytesMut::new(), 0, None);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::from(Problem::UNREADABLE_BODY))?;
        received += chunk.len();
        if received > MAX_DROPPED {
            break;
        }
        if received > SMALL && large.is_none() {
            // It is never closed.
            large = LARGE.acquire().await.ok();
        }
        if received <= MAX_BYTES {
            body.extend_from_slice(&chunk);
        }
    }
    if received > MAX_BYTES {
        return Err(Problem::LARGE_BODY.into());
    }
    Ok(RequestBody { bytes: body.freeze(), large })
}

impl RequestBody {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
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
            return Err(Problem::BODY_NOT_JSON.into());
        }
        let text = bounded::within(&self.bytes, Budget::REQUEST)
            .map_err(|why| ApiError::new(Problem::LARGE_BODY, format!("The body cannot be read: {why}.")))?;
        if bounded::depth(text) > MAX_DEPTH {
            return Err(ApiError::field("body", format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        let value =
            serde_json::from_slice(text).map_err(|error| ApiError::field("body", error.to_string()))?;
        if text.len() > MAX_REST && text.len() - long_members(text) > MAX_REST {
            let detail =
                "The body is larger than 256 KiB without `ids` and `edit.body`. Shorten the other members.";
            return Err(ApiError::new(Problem::LARGE_BODY, detail));
        }
        Ok(value)
    }

    /// The same object without this member.
    pub fn without(self, member: &str) -> Self {
        let text = bounded::without_mark(&self.bytes);
        let rest = spans::without(text, member).map(Bytes::from);
        Self { bytes: rest.unwrap_or(self.bytes), large: self.large }
    }
}

/// How long the members are that may be.
fn long_members(text: &[u8]) -> usize {
    let member = |object: &Range<usize>, name: &[u8]| {
        spans::parts(text, object).find(|part| *spans::string(&text[part.name.clone()]) == *name)
    };
    let whole = spans::whole(text);
    let ids = member(&whole, b"ids");
    let body = member(&whole, b"edit").and_then(|edit| member(&edit.value, b"body"));
    ids.into_iter().chain(body).map(|part| part.value.len()).sum()
}
