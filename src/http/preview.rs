//! `POST /operations/preview`: what messages would be sent, before any is.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::auth::Requester;
use super::create_operation::{CreateOperation, read_kind};
use super::error::{ApiError, BadRequest, NotJson, TooLarge, Unauthenticated, Unavailable};
use super::message_view::{MessageBody, TypedHeaders, headers};
use super::query::Query;
use super::request_body::RequestBody;
use crate::domain::operation::Kind;
use crate::operations::{Head, Sample};

/// The first messages of a selection, before and after.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The first ten by the order of the request; fewer where they are large.
    samples: Vec<SampleView>,
    /// How many dead letters are selected.
    #[schema(example = 43_695)]
    total: i64,
}

/// One message, before and after.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewSample)]
struct SampleView {
    /// The dead letter.
    dead_letter_id: Uuid,
    /// As it is stored.
    before: PreviewMessage,
    /// As it would be sent; null where it would be refused.
    #[schema(required)]
    after: Option<PreviewMessage>,
    /// Why it would be refused.
    #[schema(
        required,
        example = "operation 1 of the patch (test) does not apply: another value stands there"
    )]
    error: Option<String>,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewMessage {
    /// The exchange that it was, or is, published to; empty for the default exchange.
    #[schema(required, example = "")]
    exchange: Option<String>,
    /// The routing key. Exchange and routing key of `after` are what its consumer sees.
    #[schema(required, example = "crm_events")]
    routing_key: Option<String>,
    /// The body.
    body: MessageBody,
    /// The headers with their types, as in `typedHeaders`. Each message that is sent bears besides the header
    /// `dead-letter-redelivery-id`, or `dead-letter-copy-id`, which only an operation has.
    #[schema(value_type = Object)]
    headers: TypedHeaders,
}

impl PreviewMessage {
    fn new(Head { message, size }: Head, exchange: Option<String>, routing_key: Option<String>) -> Self {
        let body = MessageBody::new(&message.body, size, &message.properties);
        let (_, headers, _) = headers(message.properties.headers);
        Self { exchange, routing_key, body, headers }
    }
}

impl From<Sample> for SampleView {
    fn from(Sample { dead_letter, origin, before, after }: Sample) -> Self {
        let (after, error) = match after {
            Ok(mut head) => {
                let message = &mut head.message;
                let [exchange, key] = [&mut message.exchange, &mut message.routing_key].map(std::mem::take);
                (Some(PreviewMessage::new(head, Some(exchange), Some(key))), None)
            }
            Err(why) => (None, Some(why)),
        };
        let before = PreviewMessage::new(before, origin.exchange, origin.routing_key);
        Self { dead_letter_id: dead_letter, before, after, error }
    }
}

/// Preview a redelivery: its first messages, before and after
///
/// Takes what `POST /operations` takes. Nothing is sent, and nothing is kept.
#[utoipa::path(
    post,
    path = "/operations/preview",
    tag = "operations",
    request_body = CreateOperation,
    responses((status = 200, description = "The preview", body = Preview), BadRequest, Unauthenticated, TooLarge, NotJson, Unavailable)
)]
pub async fn preview(
    State(api): State<Api>,
    requester: Requester,
    query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<Preview>, ApiError> {
    query.finish()?;
    let (kind, request) = read_kind(body, &headers)?;
    if kind != Kind::Redeliver {
        return Err(ApiError::field("kind", "must be redeliver: the others send nothing"));
    }
    let new = request.check(&api, kind, requester.into_name()).await?;
    let (total, samples) = api.operations.preview(&new).await?;
    Ok(Json(Preview { samples: samples.into_iter().map(SampleView::from).collect(), total }))
}
