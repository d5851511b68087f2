//! What every request for an operation has in common: a selection, options, and whether to wait.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::error::{ApiError, FieldError};
use super::filter::FilterInput;
use super::operation_view::OperationView;
use super::search::{OrderName, parse_order};
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Kind, NewOperation, Operation, Selection, State, Target};

const MAX_IDS: usize = 10_000;
const MAX_RATE: u32 = 100_000;
const MAX_WAIT_SECONDS: u64 = 30;
/// Bytes in a note, at most.
pub const MAX_NOTE: usize = 1_000;
const MAX_KEY: usize = 200;
/// How often a waiting request looks at its operation.
const LOOK: Duration = Duration::from_millis(50);

/// Which dead letters, and how. Either `ids` or `filter`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"filter": {"service": "webshop"}, "note": "fixed in release 42"}))]
pub struct OperationRequest {
    /// These dead letters, 10,000 at most.
    #[schema(min_items = 1, max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// Those that this filter lists now; what dies later is not among them.
    pub filter: Option<FilterInput>,
    /// Must be true where the filter is empty: this means all of them.
    #[serde(default)]
    pub all: bool,
    /// At most so many messages a second.
    #[schema(minimum = 1, maximum = 100_000)]
    pub rate: Option<u32>,
    /// At most so many dead letters, the first by `order`.
    #[schema(minimum = 1)]
    pub limit: Option<u64>,
    /// `newest` (the default) or `oldest` arrival first.
    #[schema(inline, value_type = Option<OrderName>)]
    pub order: Option<String>,
    /// Where redelivered messages go: `queue` (the default) is the queue that each died in.
    pub to: Option<TargetInput>,
    /// Why, in words, for the record.
    #[schema(max_length = 1_000)]
    pub note: Option<String>,
    /// The same request with the same key is the same operation. The header `Idempotency-Key` does the same.
    #[schema(min_length = 1, max_length = 200)]
    pub idempotency_key: Option<String>,
}

/// Where redelivered messages go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Target)]
pub enum TargetInput {
    /// `queue` or `exchange`.
    Origin(OriginTarget),
    /// An exchange and a routing key.
    Explicit(ExplicitTarget),
}

/// Back to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OriginTarget {
    /// To the queue that each died in: only the service that failed gets it again.
    Queue,
    /// To the exchange that each had been published to, with its routing key: every bound queue gets it again.
    Exchange,
}

/// An exchange and a routing key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplicitTarget {
    /// The exchange; empty for the default exchange.
    #[schema(max_length = 255)]
    exchange: String,
    /// The routing key; with the default exchange, the name of a queue.
    #[schema(max_length = 255)]
    routing_key: String,
}

impl From<TargetInput> for Target {
    fn from(input: TargetInput) -> Self {
        match input {
            TargetInput::Origin(OriginTarget::Queue) => Self::Queue,
            TargetInput::Origin(OriginTarget::Exchange) => Self::Exchange,
            TargetInput::Explicit(ExplicitTarget { exchange, routing_key }) => {
                Self::Explicit { exchange, routing_key }
            }
        }
    }
}

impl From<Target> for TargetInput {
    fn from(target: Target) -> Self {
        match target {
            Target::Queue => Self::Origin(OriginTarget::Queue),
            Target::Exchange => Self::Origin(OriginTarget::Exchange),
            Target::Explicit { exchange, routing_key } => {
                Self::Explicit(ExplicitTarget { exchange, routing_key })
            }
        }
    }
}

/// Whether to wait for the end.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitInput {
    /// Wait so many seconds for the end, 30 at most: 200 if it came in time, else 202.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 30)]
    wait: Option<String>,
}

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

/// Who asks, for the record. Nobody signs in yet: all that is known is where the request came from.
pub fn requester(peer: SocketAddr) -> String {
    format!("anonymous at {}", peer.ip())
}

/// Whether the record takes this note.
pub fn is_note(note: &str) -> bool {
    note.len() <= MAX_NOTE && !note.contains('\0')
}

/// Checks the request, freezes its selection, and answers with the operation.
pub async fn start(
    api: &Api,
    kind: Kind,
    request: OperationRequest,
    wait: Duration,
    headers: &HeaderMap,
    peer: SocketAddr,
) -> Result<Response, ApiError> {
    let idempotency_key = idempotency_key(&request, headers)?;
    request.check(kind)?;
    let asked = match (&request.ids, &request.filter) {
        (Some(ids), _) => json!({ "ids": ids }),
        (None, filter) => json!({ "filter": filter, "all": request.all }),
    };
    let new = NewOperation {
        kind,
        selection: request.selection(api).await?,
        asked,
        target: request.to.map(Target::from).unwrap_or_default(),
        rate: request.rate,
        limit: request.limit,
        order: parse_order(request.order.as_deref())?,
        note: request.note,
        requested_by: requester(peer),
        idempotency_key,
    };
    let id = api.operations.request(&new).await?;
    let operation = await_end(api, id, wait).await?;
    let status = match operation.state {
        State::Completed if !wait.is_zero() => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let location = HeaderValue::try_from(format!("/operations/{id}"))
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok((status, [(header::LOCATION, location)], Json(OperationView::from(operation))).into_response())
}

async fn await_end(api: &Api, id: Uuid, wait: Duration) -> Result<Operation, ApiError> {
    let deadline = Instant::now() + wait;
    loop {
        let operation = api.store.operation(id).await?;
        let operation = operation.ok_or_else(|| ApiError::Internal(format!("operation {id} is gone")))?;
        if operation.state == State::Completed || Instant::now() >= deadline || api.close.is_cancelled() {
            return Ok(operation);
        }
        // When the process ends the operation goes on elsewhere, and the answer is how far it is.
        let _ = api.close.run_until_cancelled(tokio::time::sleep(LOOK)).await;
    }
}

fn idempotency_key(request: &OperationRequest, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let header = headers.get("idempotency-key").map(|value| value.to_str().map(str::to_owned));
    let header = header.transpose().map_err(|_| ApiError::field("Idempotency-Key", "must be ASCII text"))?;
    let key = match (&request.idempotency_key, header) {
        (Some(body), Some(header)) if *body != header => {
            return Err(ApiError::field("idempotencyKey", "contradicts the header Idempotency-Key"));
        }
        (Some(key), _) => Some(key.clone()),
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

impl OperationRequest {
    /// Everything about the request that can be wrong whatever the database holds.
    fn check(&self, kind: Kind) -> Result<(), ApiError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        match (&self.ids, &self.filter) {
            (Some(_), Some(_)) => wrong("filter", "contradicts `ids`: give one of the two".into()),
            (None, None) if !self.all => {
                wrong("ids", "or `filter` is needed; `\"all\": true` means all of them".into());
            }
            (Some(ids), None) if ids.is_empty() => wrong("ids", "must not be empty".into()),
            (Some(ids), None) if ids.len() > MAX_IDS => {
                wrong(
                    "ids",
                    format!("must be {MAX_IDS} at most: select by a filter, or in several requests"),
                );
            }
            (Some(_), None) if self.all => wrong("all", "contradicts `ids`: give one of the two".into()),
            _ => {}
        }
        if self.rate.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
            wrong("rate", format!("must be from 1 to {MAX_RATE} messages a second"));
        }
        if self.limit == Some(0) {
            wrong("limit", "must be 1 or more".into());
        }
        if self.note.as_ref().is_some_and(|note| !is_note(note)) {
            wrong("note", format!("must be {MAX_NOTE} bytes at most, without NUL"));
        }
        if kind == Kind::Delete && self.to.is_some() {
            wrong("to", "is for redeliveries only".into());
        }
        if let Some(TargetInput::Explicit(to)) = &self.to {
            let is_wrong = |text: &str| text.len() > 255 || text.contains('\0');
            if is_wrong(&to.exchange) || is_wrong(&to.routing_key) {
                wrong("to", "exchange and routing key must be 255 bytes at most, without NUL".into());
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
    }

    async fn selection(&self, api: &Api) -> Result<Selection, ApiError> {
        if let Some(ids) = &self.ids {
            // Each once, in the order of arrival.
            return Ok(Selection::Ids(ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()));
        }
        let filter = self.filter.clone().unwrap_or_default().resolve(api).await?;
        if filter.status.status() != Some(Status::Dead) {
            return Err(ApiError::field(
                "filter.status",
                "must be dead, or absent: only those can be acted on",
            ));
        }
        if filter.is_empty() && !self.all {
            return Err(ApiError::field(
                "filter",
                "is empty, which means all of them: say so with `\"all\": true`",
            ));
        }
        Ok(Selection::Filter(Box::new(filter)))
    }
}
