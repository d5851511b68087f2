//! `GET /operations/{id}/events`: an operation's progress as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, timeout_at};

use super::get::no_operation;
use super::snapshot::Snapshot;
use super::view::OperationDetailsView;
use crate::clock;
use crate::http::Api;
use crate::http::auth::{Caller, Requester};
use crate::http::dead_letters::get::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::limits::OpenStream;
use crate::http::lookout::Follower;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, TooManyStreams, Unavailable};

/// A stream ends after this, and its client follows again: nobody keeps one for ever.
const LONGEST: Duration = Duration::from_mins(5);

/// Follow an operation as server-sent events
///
/// Sends an event `operation` at once and after every change. Its data is an `OperationDetails` in JSON, on one line. Comments keep the
/// connection alive. The stream ends with the verdict: for a redelivery, after `watchUntil`, or when every message has died again. It also
/// ends after five minutes, and when the token has expired or the service stops: follow again, and the first event is the state by then.
#[utoipa::path(
    get,
    path = "/operations/{id}/events",
    operation_id = "watchOperation",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation.")),
    responses(
        (status = 200, description = "Events until the verdict.", content_type = "text/event-stream", body = String),
        BadRequest, NotFound, TooManyStreams, Unavailable
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
    let stream = api.limits.open_stream(caller.requester())?;
    let mut follower = api.followed.follow(id);
    let snapshot = follower.latest().await?.ok_or_else(|| no_operation(id))?;
    let first = snapshot.seen_by(&api, &caller).await?;
    let following = Following {
        requester: caller.requester().clone(),
        api,
        follower,
        next: Some(first),
        sent: String::new(),
        is_final: false,
        ends: Instant::now() + LONGEST,
        _stream: stream,
    };
    let events = unfold(following, |mut following| async { Some((Ok(following.event().await?), following)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// A caller who follows an operation.
struct Following {
    api: Api,
    requester: Requester,
    follower: Follower<Snapshot>,
    /// What is to be sent first.
    next: Option<OperationDetailsView>,
    /// The data of the last event.
    sent: String,
    /// Whether that was the verdict.
    is_final: bool,
    ends: Instant,
    _stream: OpenStream,
}

impl Following {
    /// The next event, or the end.
    async fn event(&mut self) -> Option<Event> {
        loop {
            let now = match self.next.take() {
                Some(first) => first,
                None if self.is_final => return None,
                None => self.look().await?,
            };
            self.is_final = now.is_final();
            let data = serde_json::to_string(&now).unwrap_or_default();
            if data != self.sent {
                self.sent.clone_from(&data);
                return Some(Event::default().event("operation").data(data));
            }
        }
    }

    /// What the caller sees next, or the end.
    async fn look(&mut self) -> Option<OperationDetailsView> {
        loop {
            let next = timeout_at(self.ends, self.follower.next());
            let seen = self.api.close.run_until_cancelled(next).await?.ok()?;
            // What the policy says now, for as long as the token is good.
            if self.requester.has_expired(clock::now()) {
                return None;
            }
            let Ok(caller) = self.api.caller(self.requester.clone()).await else { continue };
            let Ok(snapshot) = seen else { continue };
            match snapshot?.seen_by(&self.api, &caller).await {
                Ok(now) => return Some(now),
                Err(error) if error.is_not_found() => return None,
                Err(_) => {}
            }
        }
    }
}
