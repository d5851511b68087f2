//! Error groups as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::dead_letter::received_at;
use crate::domain::error_group::{ErrorGroup, Fix, GroupEvent, MergedGroup, Release};
use crate::domain::error_text;
use crate::domain::triage::Ticket;
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
    /// Who is on it: `user:default/ada`, a squad, or whatever people are known by. Null: nobody.
    #[schema(required, example = "user:default/ada")]
    assignee: Option<String>,
    /// Its ticket elsewhere.
    #[schema(required)]
    ticket: Option<TicketView>,
}

/// A ticket elsewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ticket)]
pub struct TicketView {
    /// Its address, with http or https.
    #[schema(example = "https://tickets.example.com/SHOP-123")]
    url: String,
    /// What people call it.
    #[schema(required, example = "SHOP-123")]
    key: Option<String>,
}

impl From<Ticket> for TicketView {
    fn from(Ticket { url, key }: Ticket) -> Self {
        Self { url, key }
    }
}

/// A group that was merged into another. Its dead letters count as those of the other.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MergedErrorGroup)]
pub struct MergedGroupView {
    /// Id of the group, to split it off again.
    id: Uuid,
    /// The broker's reason.
    #[schema(required, example = "rejected")]
    reason: Option<String>,
    /// Type of the error.
    #[schema(required, example = "PaymentDeclined")]
    error_type: Option<String>,
    /// Text of the error, with placeholders for the parts that vary.
    #[schema(required, example = "card issuer <text> timed out")]
    title: Option<String>,
    /// When its first dead letter arrived.
    first_seen: DateTime<Utc>,
}

impl From<MergedGroup> for MergedGroupView {
    fn from(group: MergedGroup) -> Self {
        Self {
            id: group.id,
            reason: group.reason,
            error_type: group.error_type,
            title: shown(group.template.as_deref()),
            first_seen: group.first_seen,
        }
    }
}

fn shown(template: Option<&str>) -> Option<String> {
    template.filter(|template| !template.is_empty()).map(error_text::shown)
}

impl ErrorGroupView {
    /// As it stands now.
    pub fn new(group: ErrorGroup, owners: &Owners, now: DateTime<Utc>) -> Self {
        Self {
            id: group.id,
            title: shown(group.template.as_deref()),
            squad: owners.squad(&group.service).to_owned(),
            state: group.state(now).into(),
            service: group.service,
            reason: group.reason,
            error_type: group.error_type,
            first_seen: group.first_seen,
            first_version: group.first_version,
            last_seen: group.last_seen,
            arrived: group.arrived,
            resolved_at: group.resolved_at,
            resolved_in: group.fix.map(ErrorGroupFix::from),
            muted_until: group.muted_until,
            muted_up_to: group.muted_up_to,
            assignee: group.assignee,
            ticket: group.ticket.map(TicketView::from),
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
    /// Whom it was assigned to.
    #[schema(required)]
    assignee: Option<String>,
    /// The ticket that it was linked to.
    #[schema(required)]
    ticket: Option<TicketView>,
    /// The groups that were merged into it, or split off.
    groups: Vec<Uuid>,
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
            assignee: event.assignee,
            ticket: event.ticket.map(TicketView::from),
            groups: event.groups,
            version: event.version,
        }
    }
}
