//! `GET` and `PATCH /dead-letters/error-groups/{id}`: one group, and what people do with it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::auth::Requester;
use super::error::{
    ApiError, BadRequest, FieldError, NotFound, NotJson, TooLarge, Unauthenticated, Unavailable,
};
use super::error_group_view::{ErrorGroupView, GroupEventView};
use super::get::{PathId, path_id};
use super::query::Query;
use super::request_body::RequestBody;
use super::start_operation::{MAX_NOTE, is_note};
use crate::clock;
use crate::domain::error_group::GroupAction;

/// A group, and what was done with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroupDetails {
    /// The group.
    #[serde(flatten)]
    group: ErrorGroupView,
    /// What people did with it, last first.
    events: Vec<GroupEventView>,
}

/// What to do with a group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"action": "resolve", "note": "fixed in release 42"}))]
pub struct ErrorGroupChange {
    /// `resolve`: it is `regressed` when it comes back. `reopen`: takes back what was said. `mute`: not to be heard of for a
    /// while. `note`: only writes something down.
    action: ActionName,
    /// With `mute`: until this time, RFC 3339.
    muted_until: Option<DateTime<Utc>>,
    /// With `mute`: until so many more have arrived. Of both, what comes first ends it.
    #[schema(minimum = 1)]
    muted_count: Option<i64>,
    /// In your own words; needed with `note`.
    #[schema(max_length = 1_000)]
    note: Option<String>,
}

/// What can be done with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum ActionName {
    /// It is resolved.
    Resolve,
    /// It is not.
    Reopen,
    /// Not to be heard of for a while.
    Mute,
    /// Only a note.
    Note,
}

impl ErrorGroupChange {
    fn action(&self, now: DateTime<Utc>) -> Result<GroupAction, ApiError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        let is_mute = self.action == ActionName::Mute;
        if is_mute && self.muted_until.is_none() && self.muted_count.is_none() {
            wrong("mutedUntil", "or `mutedCount` is needed: nothing is muted for ever".into());
        }
        for (field, is_given) in
            [("mutedUntil", self.muted_until.is_some()), ("mutedCount", self.muted_count.is_some())]
        {
            if is_given && !is_mute {
                wrong(field, "is for `mute` only".into());
            }
        }
        if self.muted_until.is_some_and(|until| until <= now) {
            wrong("mutedUntil", "must be in the future".into());
        }
        if self.muted_count.is_some_and(|count| count < 1) {
            wrong("mutedCount", "must be 1 or more".into());
        }
        match &self.note {
            Some(note) if !is_note(note) => {
                wrong("note", format!("must be {MAX_NOTE} bytes at most, without NUL"));
            }
            None if self.action == ActionName::Note => wrong("note", "is needed".into()),
            _ => {}
        }
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        Ok(match self.action {
            ActionName::Resolve => GroupAction::Resolve,
            ActionName::Reopen => GroupAction::Reopen,
            ActionName::Mute => GroupAction::Mute { until: self.muted_until, count: self.muted_count },
            ActionName::Note => GroupAction::Note,
        })
    }
}

/// One error group, and what was done with it
#[utoipa::path(
    get,
    path = "/dead-letters/error-groups/{id}",
    tag = "error groups",
    params(("id" = Uuid, Path, description = "Id of the group")),
    responses((status = 200, description = "The group", body = ErrorGroupDetails), BadRequest, NotFound, Unavailable)
)]
pub async fn error_group(
    State(api): State<Api>,
    id: PathId,
    query: Query,
) -> Result<Json<ErrorGroupDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    details(&api, id).await.map(Json)
}

/// Resolve, reopen, mute an error group, or write a note
#[utoipa::path(
    patch,
    path = "/dead-letters/error-groups/{id}",
    tag = "error groups",
    params(("id" = Uuid, Path, description = "Id of the group")),
    request_body = ErrorGroupChange,
    responses(
        (status = 200, description = "The group as it stands now", body = ErrorGroupDetails),
        BadRequest, Unauthenticated, NotFound, TooLarge, NotJson, Unavailable
    )
)]
pub async fn change_error_group(
    State(api): State<Api>,
    requester: Requester,
    headers: HeaderMap,
    id: PathId,
    query: Query,
    body: RequestBody,
) -> Result<Json<ErrorGroupDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let change: ErrorGroupChange = body.json(&headers)?;
    let now = clock::now();
    let action = change.action(now)?;
    if !api.store.act_on_group(id, &action, change.note.as_deref(), &requester.into_name(), now).await? {
        return Err(no_group(id));
    }
    details(&api, id).await.map(Json)
}

async fn details(api: &Api, id: Uuid) -> Result<ErrorGroupDetails, ApiError> {
    let group = api.store.error_group(id).await?.ok_or_else(|| no_group(id))?;
    let events = api.store.group_events(id).await?;
    Ok(ErrorGroupDetails {
        group: ErrorGroupView::new(group, &api.ownership.now(), clock::now()),
        events: events.into_iter().map(GroupEventView::from).collect(),
    })
}

fn no_group(id: Uuid) -> ApiError {
    ApiError::NotFound(format!("No error group has the id {id}. Its dead letters may have been purged."))
}
