//! `POST /operations/preview`: what messages would be sent, before any is.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::{CreateOperation, RedeliverOperation};
use super::request::Request;
use crate::access::Permission;
use crate::clock;
use crate::domain::audit::{Action, Entry};
use crate::domain::operation::Kind;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::{MessageBody, TypedHeaders, TypedValue, headers};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, NotJson, TooLarge, Unavailable};
use crate::operations::{Head, Sample};

/// The first messages of a selection, before and after the redelivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The first ten messages in the order of the request. Fewer if they are large.
    samples: Vec<SampleView>,
    /// Number of dead letters selected.
    #[schema(example = 43_695)]
    total: i64,
}

/// One message, before and after the redelivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewSample)]
struct SampleView {
    /// Id of the dead letter.
    dead_letter_id: Uuid,
    /// The stored message.
    before: PreviewMessage,
    /// The message that would be sent. Null if it would be refused.
    #[schema(required)]
    after: Option<PreviewMessage>,
    /// Why the message would be refused.
    #[schema(
        required,
        example = "operation 1 of the patch (test) does not apply: another value stands there"
    )]
    error: Option<String>,
}

/// A message of a preview.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewMessage {
    /// The exchange that the message was or would be published to. Empty: the default exchange.
    #[schema(required, example = "")]
    exchange: Option<String>,
    /// The routing key. In `after`, exchange and routing key are what the consumer sees.
    #[schema(required, example = "crm_events")]
    routing_key: Option<String>,
    /// The body.
    body: MessageBody,
    /// The headers with their types, as in `typedHeaders`. A message that is sent also has `dead-letter-redelivery-id`, or
    /// `dead-letter-copy-id` for a copy.
    #[schema(value_type = BTreeMap<String, TypedValue>)]
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
/// Takes the same body as `POST /operations` for a redelivery. Nothing is sent, and nothing is stored.
#[utoipa::path(
    post,
    path = "/operations/preview",
    operation_id = "previewOperation",
    extensions(("x-permissions" = json!(["redeliver"]))),
    tag = "operations",
    request_body = RedeliverOperation,
    responses((status = 200, description = "The preview.", body = Preview), BadRequest, TooLarge, NotJson, Unavailable)
)]
pub async fn preview(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<Preview>, ApiError> {
    query.finish()?;
    let request = Request::from(CreateOperation::read(body, &headers)?);
    if request.kind != Kind::Redeliver {
        return Err(ApiError::field("kind", "must be redeliver: the others send nothing"));
    }
    let new = request.check(&api, &caller, &[Permission::ReadPayload]).await?;
    let (total, samples) = api.operations.preview(&new).await?;
    let shown: Vec<_> = samples.iter().map(|sample| sample.dead_letter).collect();
    let entry = Entry {
        services: api.store.services_of(&shown).await?,
        details: json!({"selection": new.asked, "shown": shown}),
        ..Entry::new(clock::new_id(), new.requested_by, Action::Preview)
    };
    api.store.audit(&[entry]).await?;
    Ok(Json(Preview { samples: samples.into_iter().map(SampleView::from).collect(), total }))
}
