//! `GET /dead-letters/{id}`: one, whole.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::message_view::MAX_SHOWN;
use super::view::{DeadLetteredMessageDetails, Shown};
use crate::access::Permission;
use crate::domain::bounded::Budget;
use crate::domain::convention::{Conventions, Decoding};
use crate::domain::dead_letter::DeadLetter;
use crate::domain::message::{Message, Properties};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};
use crate::memory_budget;
use crate::store::History;

/// An id in the path.
pub type PathId = Result<axum::extract::Path<Uuid>, PathRejection>;

/// The id, or what is wrong with it.
pub fn path_id(path: PathId) -> Result<Uuid, ApiError> {
    path.map(|path| path.0).map_err(|_| ApiError::field("id", "must be a UUID"))
}

/// There is no dead letter of this id.
pub fn no_dead_letter(id: Uuid) -> ApiError {
    ApiError::not_found(format!("No dead letter has the id {id}. It may have been purged."))
}

/// Whether the caller may see body and headers of a dead letter of this service. Of one that the caller may not see at all: the error for
/// an unknown id.
pub fn sees_payload(caller: &Caller, id: Uuid, service: Option<&str>) -> Result<bool, ApiError> {
    let read = caller.scope(&[Permission::Read]);
    let service = service.filter(|service| read.covers(service)).ok_or_else(|| no_dead_letter(id))?;
    Ok(caller.scope(&[Permission::ReadPayload]).covers(service))
}

/// The same, looked up before anything else of the dead letter; where the caller may see everything, it need not be.
async fn may_read_payload(api: &Api, caller: &Caller, id: Uuid) -> Result<bool, ApiError> {
    if caller.scope(&[Permission::Read, Permission::ReadPayload]).is_everything() {
        return Ok(true);
    }
    sees_payload(caller, id, api.store.service_of(id).await?.as_deref())
}

/// The part of a history that the caller may see: a message that was sent elsewhere may have died again in a foreign service.
fn seen(mut history: History, caller: &Caller) -> History {
    let scope = caller.scope(&[Permission::Read]);
    history.deaths.retain(|death| scope.covers(&death.derived.service));
    let is_seen = |id: &Uuid| history.deaths.iter().any(|death| death.id == *id);
    history.operations.retain(|operation| is_seen(&operation.dead_letter));
    history
}

/// Get a dead letter with body, typed headers, failure and history
///
/// Shows the first 64 KiB of the body. `GET /dead-letters/{id}/body` returns all of it.
#[utoipa::path(
    get,
    path = "/dead-letters/{id}",
    operation_id = "getDeadLetter",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "dead letters",
    params(("id" = Uuid, Path, description = "Id of the dead letter.")),
    responses(
        (status = 200, description = "The dead letter.", body = DeadLetteredMessageDetails),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn get(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<DeadLetteredMessageDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let is_shown = may_read_payload(&api, &caller, id).await?;
    let (letter, payload) = api.store.get(id, MAX_SHOWN).await?.ok_or_else(|| no_dead_letter(id))?;
    let history = seen(api.store.history(id).await?, &caller);
    let (shown, stack) = if is_shown {
        api.audit_read(&caller, id, &letter.derived.service).await?;
        let shown = Shown::read(payload);
        let stack = stack(&api, &letter, &shown).await?;
        (shown, stack)
    } else {
        (Shown::hidden(), None)
    };
    let owners = api.ownership.now();
    let (log_link, trace_link) = (api.log_link.as_deref(), api.trace_link.as_deref());
    Ok(Json(DeadLetteredMessageDetails::new(letter, shown, stack, history, &owners, log_link, trace_link)))
}

async fn stack(api: &Api, letter: &DeadLetter, shown: &Shown) -> Result<Option<String>, ApiError> {
    let is_cut = usize::try_from(letter.body_size).is_ok_and(|size| size > MAX_SHOWN);
    match &letter.derived.convention {
        Some(convention) if is_cut && Conventions::tell_in_body(convention) => {
            stack_in_body(api, letter, shown.message().properties.clone()).await
        }
        _ => Ok(error_stack(&api.conventions, letter, shown.message())),
    }
}

/// The stack trace out of a body that is larger than what is shown of it.
async fn stack_in_body(
    api: &Api,
    letter: &DeadLetter,
    properties: Properties,
) -> Result<Option<String>, ApiError> {
    let most = Budget::MESSAGE.bytes;
    let Some(size) = usize::try_from(letter.body_size).ok().filter(|size| *size <= most) else {
        return Ok(None);
    };
    // The body, and the texts that are read out of it.
    let _reserved = memory_budget::reserve(3 * size).await;
    let Some(body) = api.store.body_part(letter.id, 0, size).await? else { return Ok(None) };
    let (conventions, letter) = (api.conventions.clone(), letter.clone());
    let read = move || error_stack(&conventions, &letter, &Message::at_rest(properties, body));
    Ok(spawn_blocking(read).await?)
}

/// The stack trace, or its head.
fn error_stack(conventions: &Conventions, letter: &DeadLetter, message: &Message) -> Option<String> {
    let decoding = Decoding::of(letter.derived.convention.as_deref());
    let read = conventions.read(&letter.source, message, decoding);
    let mut stack = read.failure.error_stack?;
    if stack.len() > MAX_SHOWN {
        stack.truncate(stack.floor_char_boundary(MAX_SHOWN));
        stack.push('…');
        stack.shrink_to_fit();
    }
    Some(stack)
}
