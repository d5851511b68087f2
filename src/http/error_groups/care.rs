//! Who is on an error group, its ticket, and which groups are one: as clients say it.

use uuid::Uuid;

use crate::access::Permission;
use crate::clock;
use crate::domain::error_group::{ErrorGroup, GroupAction};
use crate::domain::triage::{self, ME, NOBODY, Ticket};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, FieldError};
use crate::http::words::{ErrorGroupAction, Word};
use crate::store::{Done, Regrouped};

/// Most groups that are merged or split at once.
const MOST: usize = 100;

/// What a request asks for.
#[derive(Clone, Debug)]
pub enum Change {
    /// Something is said of the group.
    Act(GroupAction),
    /// These groups become part of it.
    Merge(Vec<Uuid>),
    /// These parts become groups of their own again.
    Split(Vec<Uuid>),
}

/// What a change says of who is on it, of its ticket, and of which groups are one.
#[derive(Clone, Copy, Debug)]
pub struct Care<'c> {
    /// Who is on it.
    pub assignee: Option<&'c str>,
    /// Address of its ticket.
    pub ticket_url: Option<&'c str>,
    /// What people call the ticket.
    pub ticket_key: Option<&'c str>,
    /// Groups to merge or to split.
    pub groups: Option<&'c [Uuid]>,
}

impl Care<'_> {
    /// What is missing, too much or wrong, before anything is looked up.
    pub fn errors(&self, action: ErrorGroupAction) -> Vec<FieldError> {
        use ErrorGroupAction::{Assign, Link, Merge, Split};
        let mut errors = Vec::new();
        let mut check = |field, is_given, of: &[ErrorGroupAction], is_needed| {
            let is_its_own = of.contains(&action);
            if is_given && !is_its_own {
                let of: Vec<_> = of.iter().map(|action| format!("`{}`", action.name())).collect();
                errors.push(FieldError::new(field, format!("is for {} only", of.join(" and "))));
            } else if is_its_own && !is_given && is_needed {
                errors.push(FieldError::new(field, "is needed"));
            }
        };
        check("assignee", self.assignee.is_some(), &[Assign], true);
        check("ticketUrl", self.ticket_url.is_some(), &[Link], true);
        check("ticketKey", self.ticket_key.is_some(), &[Link], false);
        check("groups", self.groups.is_some(), &[Merge, Split], true);
        if self.groups.is_some_and(|groups| groups.is_empty() || groups.len() > MOST) {
            errors.push(FieldError::new("groups", format!("must be 1 to {MOST} ids")));
        }
        errors
    }

    /// The action, of which [`Care::errors`] has found nothing missing.
    pub fn change(&self, action: ErrorGroupAction, caller: &Caller) -> Result<Change, ApiError> {
        let groups = || self.groups.unwrap_or_default().to_vec();
        Ok(Change::Act(match action {
            ErrorGroupAction::Assign => {
                let name = self.assignee.unwrap_or_default();
                GroupAction::Assign(Some(identity("assignee", name, caller)?))
            }
            ErrorGroupAction::Unassign => GroupAction::Assign(None),
            ErrorGroupAction::Link => {
                let url = self.ticket_url.unwrap_or_default();
                let ticket = Ticket::parse(url, self.ticket_key);
                GroupAction::Link(Some(ticket.map_err(|(field, why)| ApiError::field(field, why))?))
            }
            ErrorGroupAction::Unlink => GroupAction::Link(None),
            ErrorGroupAction::Merge => return Ok(Change::Merge(groups())),
            ErrorGroupAction::Split => return Ok(Change::Split(groups())),
            ErrorGroupAction::Resolve
            | ErrorGroupAction::Reopen
            | ErrorGroupAction::Mute
            | ErrorGroupAction::Note => GroupAction::Note,
        }))
    }
}

/// Whom a field names.
fn identity(field: &str, name: &str, caller: &Caller) -> Result<String, ApiError> {
    if name != ME {
        return triage::assignee(name).map_err(|why| ApiError::field(field, why));
    }
    let requester = caller.requester();
    requester
        .principal()
        .map(|_| requester.actor().name)
        .ok_or_else(|| ApiError::field(field, "`me` is for callers who have signed in: name the assignee"))
}

/// Whose groups are wanted.
#[derive(Clone, Debug)]
pub enum Assigned {
    /// Nobody's.
    Nobody,
    /// Those of this person or squad.
    To(String),
}

impl Assigned {
    /// As a query says it.
    pub fn read(name: &str, caller: &Caller) -> Result<Self, ApiError> {
        if name == NOBODY { Ok(Self::Nobody) } else { Ok(Self::To(identity("assignee", name, caller)?)) }
    }

    /// Whether a group with this assignee is wanted.
    pub fn includes(&self, assignee: Option<&str>) -> bool {
        match self {
            Self::Nobody => assignee.is_none(),
            Self::To(name) => assignee == Some(name),
        }
    }
}

/// Makes the change. What the caller may not see does not exist (R17). Returns whether the group exists.
pub async fn make(
    api: &Api,
    caller: &Caller,
    group: &ErrorGroup,
    change: &Change,
    note: Option<&str>,
) -> Result<bool, ApiError> {
    let actor = caller.requester().actor();
    let done = Done { by: &actor, note };
    let regrouped = match change {
        Change::Act(action) => {
            return Ok(api.store.act_on_group(group.id, action, note, &actor, clock::now()).await?);
        }
        Change::Merge(others) => {
            let known = api.store.services_of_groups(others).await?;
            let scope = caller.scope(&[Permission::Read]);
            let hidden = others
                .iter()
                .find(|other| known.get(other).is_none_or(|service| !scope.covers(service)))
                .copied();
            match hidden {
                Some(other) => Regrouped::OtherUnknown(other),
                None => api.store.merge_groups(group.id, others, done).await?,
            }
        }
        Change::Split(others) => api.store.split_groups(group.id, others, done).await?,
    };
    let wrong = |why: String| Err(ApiError::field("groups", why));
    match regrouped {
        Regrouped::Done => Ok(true),
        Regrouped::Unknown => Ok(false),
        Regrouped::OtherUnknown(other) => {
            wrong(format!("no error group has the id {other}. Its dead letters may have been purged"))
        }
        Regrouped::OfService(other, service) => wrong(format!(
            "{other} is an error of {service}, and this group one of {}. Only groups of one service can be merged",
            group.service
        )),
        Regrouped::NoPart(other) => wrong(format!(
            "{other} is not merged into this group. `merged` has the groups that can be split off"
        )),
    }
}
