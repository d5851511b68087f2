//! `GET /operations/{id}/events`: an operation's progress as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use uuid::Uuid;

use super::get::details;
use super::view::OperationDetailsView;
use crate::clock;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::get::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};

/// How often the operation is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Follow an operation as server-sent events
///
/// Sends an event `operation` at once and after every change. Its data is an `OperationDetails` in JSON, on one line. Comments keep the
/// connection alive. The stream ends with the verdict: for a redelivery, after `watchUntil`, or when every message has died again.
#[utoipa::path(
    get,
    path = "/operations/{id}/events",
    operation_id = "watchOperation",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses(
        (status = 200, description = "Events until the verdict.", content_type = "text/event-stream", body = String),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn watch_operation(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let first = details(&api, &caller, id).await?;
    Ok(Sse::new(follow(api, caller, id, &first)).keep_alive(KeepAlive::default()))
}

fn follow(
    api: Api,
    caller: Caller,
    id: Uuid,
    first: &OperationDetailsView,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let next = Some((event(first), first.is_final()));
    unfold((api, caller, next, String::new()), move |(api, caller, next, last)| async move {
        let (mut data, mut is_last) = next?;
        while data == last {
            if is_last || api.close.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                return None;
            }
            if caller.requester().has_expired(clock::now()) {
                return None;
            }
            // What the caller may do now.
            let Ok(caller) = api.caller(caller.requester().clone()).await else { continue };
            match details(&api, &caller, id).await {
                Ok(now) => (data, is_last) = (event(&now), now.is_final()),
                Err(error) if error.is_not_found() => return None,
                Err(_) => {}
            }
        }
        let sent = Event::default().event("operation").data(data.clone());
        Some((Ok(sent), (api, caller, (!is_last).then(|| (data.clone(), false)), data)))
    })
}

/// One line, as events have them.
fn event(operation: &OperationDetailsView) -> String {
    serde_json::to_string(operation).unwrap_or_default()
}
