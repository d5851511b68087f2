//! Error groups as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::dead_letter::received_at;
use crate::domain::error_group::{ErrorGroup, GroupEvent};
use crate::domain::error_text;
use crate::ownership::Owners;

/// Dead letters of one service that failed for the same reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ErrorGroup)]
pub struct ErrorGroupView {
    /// Its id, as in a dead letter's `errorGroup` and the filter `errorGroup`.
    id: Uuid,
    /// The service.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns the service; `unowned` where none does.
    #[schema(example = "checkout")]
    squad: String,
    /// `new` (first seen less than a day ago), `ongoing`, `regressed` (came back after it was resolved), `resolved` or
    /// `muted`.
    #[schema(example = "new")]
    pub state: &'static str,
    /// The broker's reason.
    #[schema(required, example = "rejected")]
    reason: Option<String>,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// The error's text without what differs from one to the next.
    #[schema(required, example = "card issuer timed out after <number> ms (order <number>)")]
    title: Option<String>,
    /// When its first dead letter arrived.
    first_seen: DateTime<Utc>,
    /// When its last one did.
    last_seen: DateTime<Utc>,
    /// How many have ever arrived.
    #[schema(example = 43_712)]
    arrived: i64,
    /// When somebody said that it is resolved.
    #[schema(required)]
    resolved_at: Option<DateTime<Utc>>,
    /// Until when it is muted.
    #[schema(required)]
    muted_until: Option<DateTime<Utc>>,
    /// It is muted until so many have arrived.
    #[schema(required)]
    muted_up_to: Option<i64>,
}

impl ErrorGroupView {
    /// As it stands now.
    pub fn new(group: ErrorGroup, owners: &Owners, now: DateTime<Utc>) -> Self {
        let title = group.template.as_deref().filter(|template| !template.is_empty()).map(error_text::shown);
        Self {
            id: group.id,
            squad: owners.squad(&group.service).to_owned(),
            state: group.state(now).as_str(),
            service: group.service,
            reason: group.reason,
            error_type: group.error_type,
            title,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            arrived: group.arrived,
            resolved_at: group.resolved_at,
            muted_until: group.muted_until,
            muted_up_to: group.muted_up_to,
        }
    }
}

/// What somebody did with a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ErrorGroupEvent)]
pub struct GroupEventView {
    /// When.
    at: DateTime<Utc>,
    /// Who.
    by: String,
    /// `resolve`, `reopen`, `mute` or `note`.
    #[schema(example = "resolve")]
    action: String,
    /// In their own words.
    #[schema(required, example = "fixed in release 42")]
    note: Option<String>,
    /// Until when it was muted.
    #[schema(required)]
    muted_until: Option<DateTime<Utc>>,
    /// For how many more it was muted.
    #[schema(required)]
    muted_count: Option<i64>,
}

impl From<GroupEvent> for GroupEventView {
    fn from(event: GroupEvent) -> Self {
        Self {
            at: received_at(event.id),
            by: event.done_by,
            action: event.action,
            note: event.note,
            muted_until: event.muted_until,
            muted_count: event.muted_count,
        }
    }
}
