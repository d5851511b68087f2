//! `GET` and `PATCH /dead-letters/error-groups/{id}`: one group, and what people do with it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::care::{Care, Change, make};
use super::view::{ErrorGroupView, GroupEventView, MergedGroupView};
use crate::access::Permission;
use crate::clock;
use crate::domain::error_group::{ErrorGroup, GroupAction, Release};
use crate::http::Api;
use crate::http::auth::{Caller, not_allowed};
use crate::http::dead_letters::{PathId, path_id};
use crate::http::deployments::check_name;
use crate::http::error::{ApiError, FieldError};
use crate::http::operations::{MAX_NOTE, is_note};
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, NotFound, NotJson, TooLarge, Unavailable};
use crate::http::words::ErrorGroupAction;

/// An error group, and what was done with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroupDetails {
    /// The group.
    #[serde(flatten)]
    group: ErrorGroupView,
    /// What was done with the group and with those that were merged into it, latest first.
    events: Vec<GroupEventView>,
    /// The groups that were merged into it, earliest first.
    merged: Vec<MergedGroupView>,
}

/// What to do with an error group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"action": "resolve", "note": "fixed in release 42"}))]
pub struct ErrorGroupChange {
    /// The action. `resolve`: the group is `regressed` if the error occurs again. `mute` needs `mutedUntil`, `mutedCount` or both. `assign`
    /// needs `assignee`, `link` needs `ticketUrl`, `merge` and `split` need `groups`.
    action: ErrorGroupAction,
    /// Of `resolve`: the version that has the fix. The group is `regressed` if the error occurs in that version or a later one. Messages
    /// that died under older versions are no regression.
    #[schema(min_length = 1, max_length = 200, example = "1.43.0")]
    in_version: Option<String>,
    /// Of `resolve`: the next version that is deployed has the fix.
    in_next_version: Option<bool>,
    /// Of `mute`: until this time.
    muted_until: Option<DateTime<Utc>>,
    /// Of `mute`: until this many more dead letters have arrived. With `mutedUntil`, whichever comes first ends it.
    #[schema(minimum = 1)]
    muted_count: Option<i64>,
    /// A note. Required for `note`. At most 1,000 bytes.
    #[schema(max_length = 1_000)]
    note: Option<String>,
    /// Of `assign`: who is on it, as people are known: `user:default/ada`, `group:default/checkout`. `me`: the caller.
    #[schema(min_length = 1, max_length = 200)]
    assignee: Option<String>,
    /// Of `link`: address of the ticket, with http or https, without user and password.
    #[schema(max_length = 2_000, example = "https://tickets.example.com/SHOP-123")]
    ticket_url: Option<String>,
    /// Of `link`: what people call the ticket.
    #[schema(max_length = 100, example = "SHOP-123")]
    ticket_key: Option<String>,
    /// Of `merge`: ids of groups of the same service that become part of this one. Of `split`: ids in `merged`, which become groups of
    /// their own again.
    #[schema(min_items = 1, max_items = 100)]
    groups: Option<Vec<Uuid>>,
}

impl ErrorGroupChange {
    fn care(&self) -> Care<'_> {
        Care {
            assignee: self.assignee.as_deref(),
            ticket_url: self.ticket_url.as_deref(),
            ticket_key: self.ticket_key.as_deref(),
            groups: self.groups.as_deref(),
        }
    }

    fn change(&self, caller: &Caller, now: DateTime<Utc>) -> Result<Change, ApiError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        let is_mute = self.action == ErrorGroupAction::Mute;
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
        let is_next = self.in_next_version == Some(true);
        for (field, is_given) in [("inVersion", self.in_version.is_some()), ("inNextVersion", is_next)] {
            if is_given && self.action != ErrorGroupAction::Resolve {
                wrong(field, "is for `resolve` only".into());
            }
        }
        if is_next && self.in_version.is_some() {
            wrong("inVersion", "and `inNextVersion` exclude each other".into());
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
            None if self.action == ErrorGroupAction::Note => wrong("note", "is needed".into()),
            _ => {}
        }
        errors.extend(self.care().errors(self.action));
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        Ok(Change::Act(match self.action {
            ErrorGroupAction::Resolve => GroupAction::Resolve { fix: None },
            ErrorGroupAction::Reopen => GroupAction::Reopen,
            ErrorGroupAction::Mute => GroupAction::Mute { until: self.muted_until, count: self.muted_count },
            ErrorGroupAction::Note => GroupAction::Note,
            of_care => return self.care().change(of_care, caller),
        }))
    }
}

impl ErrorGroupChange {
    /// The version that is said to have the fix.
    async fn release(
        &self,
        api: &Api,
        service: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Release>, ApiError> {
        let (field, is_next) = match (&self.in_version, self.in_next_version) {
            (Some(_), _) => ("inVersion", false),
            (None, Some(true)) => ("inNextVersion", true),
            _ => return Ok(None),
        };
        // Without deployments, the group would never be `regressed`.
        let current = api.store.current_version(service, now).await?.ok_or_else(|| {
            ApiError::field(field, format!("needs deployments of {service}: `POST /deployments` tells them"))
        })?;
        Ok(if is_next {
            Some(Release::After(current))
        } else {
            self.in_version.clone().map(Release::Version)
        })
    }
}

/// Get an error group, and what was done with it
#[utoipa::path(
    get,
    path = "/dead-letters/error-groups/{id}",
    operation_id = "getErrorGroup",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "error groups",
    params(("id" = Uuid, Path, description = "Id of the group.")),
    responses((status = 200, description = "The group.", body = ErrorGroupDetails), BadRequest, NotFound, Unavailable)
)]
pub async fn error_group(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<ErrorGroupDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    details(&api, &caller, id).await.map(Json)
}

/// Resolve, mute, assign or link an error group, merge others into it, or add a note
///
/// `merge` makes several groups of one service one: their dead letters, counts, notes and incidents are those of the group in the path, and
/// so are new dead letters of the same errors. Ids of merged groups stay valid and stand for the whole. `split` undoes it. No dead letter
/// changes.
#[utoipa::path(
    patch,
    path = "/dead-letters/error-groups/{id}",
    operation_id = "changeErrorGroup",
    extensions(("x-permissions" = json!(["triage"]))),
    tag = "error groups",
    params(("id" = Uuid, Path, description = "Id of the group.")),
    request_body = ErrorGroupChange,
    responses(
        (status = 200, description = "The group after the change.", body = ErrorGroupDetails),
        BadRequest, NotFound, TooLarge, NotJson, Unavailable
    )
)]
pub async fn change_error_group(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    id: PathId,
    query: Query,
    body: RequestBody,
) -> Result<Json<ErrorGroupDetails>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let change: ErrorGroupChange = body.json(&headers)?;
    change.in_version.iter().try_for_each(|version| check_name("inVersion", version))?;
    let now = clock::now();
    let mut wanted = change.change(&caller, now)?;
    let group = seen(&api, &caller, id).await?;
    if !caller.scope(&[Permission::Triage]).covers(&group.service) {
        return Err(not_allowed(Permission::Triage));
    }
    if let Change::Act(GroupAction::Resolve { fix }) = &mut wanted {
        *fix = change.release(&api, &group.service, now).await?;
    }
    if !make(&api, &caller, &group, &wanted, change.note.as_deref()).await? {
        return Err(no_group(id));
    }
    details(&api, &caller, id).await.map(Json)
}

async fn details(api: &Api, caller: &Caller, id: Uuid) -> Result<ErrorGroupDetails, ApiError> {
    let group = seen(api, caller, id).await?;
    let events = api.store.group_events(group.id).await?;
    let merged = api.store.merged_groups(group.id).await?;
    Ok(ErrorGroupDetails {
        merged: merged.into_iter().map(MergedGroupView::from).collect(),
        group: ErrorGroupView::new(group, &api.ownership.now(), clock::now()),
        events: events.into_iter().map(GroupEventView::from).collect(),
    })
}

/// The group of this id, or the one that it was merged into, if the caller may see it.
pub(super) async fn seen(api: &Api, caller: &Caller, id: Uuid) -> Result<ErrorGroup, ApiError> {
    let group = api.store.error_group(id).await?;
    group.filter(|group| caller.scope(&[Permission::Read]).covers(&group.service)).ok_or_else(|| no_group(id))
}

fn no_group(id: Uuid) -> ApiError {
    ApiError::not_found(format!("No error group has the id {id}. Its dead letters may have been purged."))
}
