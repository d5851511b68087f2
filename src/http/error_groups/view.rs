//! Error groups as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::dead_letter::received_at;
use crate::domain::error_group::{ErrorGroup, Fix, GroupEvent, Release};
use crate::domain::error_text;
use crate::http::words::{ErrorGroupAction, ErrorGroupState};
use crate::ownership::Owners;

/// An error group: dead letters of one service that failed for the same reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ErrorGroup)]
pub struct ErrorGroupView {
    /// Id of the group: `errorGroup` of its dead letters, and of the filter.
    id: Uuid,
    /// Service.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns the service. `unowned`: none.
    #[schema(example = "checkout")]
    squad: String,
    /// State of the group.
    state: ErrorGroupState,
    /// The broker's reason.
    #[schema(required, example = "rejected")]
    reason: Option<String>,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// Text of the error, with placeholders for the parts that vary.
    #[schema(required, example = "card issuer timed out after <number> ms (order <number>)")]
    title: Option<String>,
    /// When its first dead letter arrived.
    first_seen: DateTime<Utc>,
    /// Version of the service that ran then. Null: no deployment of the service had been told.
    #[schema(required, example = "1.42.0")]
    first_version: Option<String>,
    /// When its latest dead letter arrived.
    last_seen: DateTime<Utc>,
    /// Number of dead letters that ever arrived.
    #[schema(example = 43_712)]
    arrived: i64,
    /// When the group was resolved.
    #[schema(required)]
    resolved_at: Option<DateTime<Utc>>,
    /// The version that has the fix. Null: none was named.
    #[schema(required)]
    resolved_in: Option<ErrorGroupFix>,
    /// Until when the group is muted.
    #[schema(required)]
    muted_until: Option<DateTime<Utc>>,
    /// The group is muted until this many dead letters have arrived.
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
            state: group.state(now).into(),
            service: group.service,
            reason: group.reason,
            error_type: group.error_type,
            title,
            first_seen: group.first_seen,
            first_version: group.first_version,
            last_seen: group.last_seen,
            arrived: group.arrived,
            resolved_at: group.resolved_at,
            resolved_in: group.fix.map(ErrorGroupFix::from),
            muted_until: group.muted_until,
            muted_up_to: group.muted_up_to,
        }
    }
}

/// The version that has the fix of an error.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ErrorGroupFix {
    /// The version. Null: the next one after `after`.
    #[schema(required, example = "1.43.0")]
    version: Option<String>,
    /// The version that was current when the group was resolved in the next one. Null: `version` is known.
    #[schema(required, example = "1.42.0")]
    after: Option<String>,
    /// From when on a death is a regression: when only that version and later ones run. Null: it is not deployed.
    #[schema(required)]
    since: Option<DateTime<Utc>>,
}

impl From<Fix> for ErrorGroupFix {
    fn from(fix: Fix) -> Self {
        let (version, after) = match fix.release {
            Release::Version(version) => (Some(version), None),
            Release::After(version) => (None, Some(version)),
        };
        Self { version, after, since: fix.since }
    }
}

/// What was done with an error group.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ErrorGroupEvent)]
pub struct GroupEventView {
    /// When it was done.
    at: DateTime<Utc>,
    /// Who did it.
    by: String,
    /// What was done.
    #[schema(value_type = ErrorGroupAction)]
    action: String,
    /// The note.
    #[schema(required, example = "fixed in release 42")]
    note: Option<String>,
    /// Until when the group was muted.
    #[schema(required)]
    muted_until: Option<DateTime<Utc>>,
    /// For how many more dead letters the group was muted.
    #[schema(required)]
    muted_count: Option<i64>,
    /// Version in which the group was resolved, or `after` and the version before it.
    #[schema(required, example = "1.43.0")]
    version: Option<String>,
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
            version: event.version,
        }
    }
}
