//! `GET /audit`: who did what.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::auth::Caller;
use super::error::{ApiError, FieldError};
use super::filter::FilterInput;
use super::page::{PageInput, cut, list_hash};
use super::query::{Query, groups};
use super::responses::{BadRequest, Unavailable};
use super::word::{Word, words};
use crate::access::Permission;
use crate::domain::audit::{Action, Entry};
use crate::domain::dead_letter::received_at;
use crate::domain::filter::Order;
use crate::store::WantedEntries;

words! {
    /// What an entry of the audit is about.
    AuditAction = Action {
        /// An operation that redelivers was started.
        Redeliver,
        /// An operation that deletes was started.
        Delete,
        /// An operation that restores was started.
        Restore,
        /// An operation was paused.
        Pause,
        /// An operation was resumed.
        Resume,
        /// An operation was approved by a second person.
        Approve,
        /// An operation was cancelled.
        Cancel,
        /// The rate of an operation was changed.
        Rate,
        /// An error group was resolved.
        Resolve,
        /// An error group was reopened.
        Reopen,
        /// An error group was muted.
        Mute,
        /// A note was added to an error group.
        Note,
        /// An error group was assigned.
        Assign,
        /// The assignment of an error group was withdrawn.
        Unassign,
        /// An error group was linked to a ticket.
        Link,
        /// The link of an error group to a ticket was removed.
        Unlink,
        /// Error groups were merged into another.
        Merge,
        /// Error groups that had been merged were split.
        Split,
        /// A deployment was told.
        Deployment,
        /// The body and the headers of a dead letter were read, or those of a sample.
        ReadPayload,
        /// The messages of a redelivery were previewed.
        Preview,
        /// Test notifications were sent to a squad.
        TestNotification,
        /// A caller was refused what it has no permission for.
        NotAllowed,
        /// A caller was refused because nobody knows it.
        Unauthenticated,
    }
}

/// Which entries.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AuditInput {
    /// Of this caller: `actor.id` of an entry. Empty: callers who had not signed in.
    #[param(example = "user:default/jane")]
    actor: Option<String>,
    /// Of this kind.
    #[param(value_type = Option<AuditAction>)]
    action: Option<String>,
    /// About this service only.
    #[param(min_length = 1, example = "webshop")]
    service: Option<String>,
    /// About this dead letter.
    #[param(value_type = Option<Uuid>)]
    dead_letter: Option<String>,
    /// About this operation.
    #[param(value_type = Option<Uuid>)]
    operation: Option<String>,
    /// About this error group.
    #[param(value_type = Option<Uuid>)]
    error_group: Option<String>,
    /// At or after this time.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Before this time.
    #[param(format = DateTime)]
    to: Option<String>,
}

groups!(AuditInput);

/// A page of the audit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntries {
    /// The entries, latest first.
    entries: Vec<AuditEntry>,
    /// Cursor of the next page. Null: this is the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Something that somebody did, or was refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntry {
    /// Id of the entry.
    id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// Who.
    actor: AuditActor,
    /// What.
    action: AuditAction,
    /// How often, where several refusals of a kind are one entry.
    #[schema(example = 1)]
    times: i64,
    /// The services that it is about.
    #[schema(example = json!(["webshop"]))]
    services: Vec<String>,
    /// The dead letter that it is about.
    #[schema(required)]
    dead_letter_id: Option<Uuid>,
    /// The operation that it is about. Its items have the outcome of each message.
    #[schema(required)]
    operation_id: Option<Uuid>,
    /// The error group that it is about.
    #[schema(required)]
    error_group_id: Option<Uuid>,
    /// What else is known: the selection of an operation, the route of a refusal.
    #[schema(value_type = Object)]
    details: serde_json::Value,
    /// Why, in the caller's words.
    #[schema(required, example = "fixed in release 42")]
    reason: Option<String>,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditActor {
    /// What identifies the caller. Empty: it had not signed in.
    #[schema(example = "user:default/jane")]
    id: String,
    /// The caller, as people know it.
    #[schema(example = "user:default/jane")]
    name: String,
    /// Where the request came from: the caller, or the last proxy before dead-letter.
    #[schema(required, value_type = Option<String>, example = "10.0.3.7")]
    address: Option<IpAddr>,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            at: received_at(entry.id),
            actor: AuditActor { id: entry.actor.id, name: entry.actor.name, address: entry.actor.address },
            action: entry.action.into(),
            times: entry.times,
            services: entry.services,
            dead_letter_id: entry.dead_letter,
            operation_id: entry.operation,
            error_group_id: entry.error_group,
            details: entry.details,
            reason: entry.reason,
        }
    }
}

impl AuditInput {
    /// Entries of services outside of the caller's scope are left out, and those that are about no service.
    async fn resolve(&self, api: &Api, caller: &Caller) -> Result<WantedEntries, ApiError> {
        // Services and times are what they are in every filter.
        let filter = FilterInput {
            service: self.service.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            ..FilterInput::default()
        };
        let filter = filter.resolve(api, caller, &[Permission::Admin]).await?;
        let action = self.action.as_deref().map(|name| AuditAction::read("action", name)).transpose()?;
        Ok(WantedEntries {
            actor: self.actor.clone(),
            action: action.map(Into::into),
            services: filter.services,
            dead_letter: id("deadLetter", self.dead_letter.as_ref())?,
            operation: id("operation", self.operation.as_ref())?,
            error_group: id("errorGroup", self.error_group.as_ref())?,
            from: filter.from,
            to: filter.to,
        })
    }
}

fn id(field: &str, text: Option<&String>) -> Result<Option<Uuid>, FieldError> {
    text.map(|text| text.parse()).transpose().map_err(|_| FieldError::new(field, "must be a UUID"))
}

/// Read the audit
///
/// What callers did and read, and what they were refused, the latest first. `dead-letter audit verify` checks that no entry was changed.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "listAuditEntries",
    extensions(("x-permissions" = json!(["admin"]))),
    tag = "audit",
    params(AuditInput, PageInput),
    responses((status = 200, description = "A page of the audit.", body = AuditEntries), BadRequest, Unavailable)
)]
pub async fn list_audit_entries(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<AuditEntries>, ApiError> {
    let input: AuditInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let wanted = input.resolve(&api, &caller).await?;
    let hash = list_hash("audit", &input, Order::Newest)?;
    let before = page.cursor(hash)?.map(|cursor| cursor.id);
    let mut found = api.store.audit_entries(&wanted, before, limit + 1).await?;
    Ok(Json(AuditEntries {
        next_cursor: cut(&mut found, limit, hash, |entry| entry.id),
        entries: found.into_iter().map(AuditEntry::from).collect(),
    }))
}
