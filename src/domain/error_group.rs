//! Error groups: dead letters of one service that failed for the same reason, and what people think of them.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::error_text;
use super::triage::Ticket;

/// How long a group is new.
pub const NEW_FOR: TimeDelta = TimeDelta::hours(24);

/// Characters in the name of an error, at most.
const NAME: usize = 80;

/// An error group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroup {
    /// The fingerprint that its dead letters share.
    pub id: Uuid,
    /// The service.
    pub service: String,
    /// The broker's reason.
    pub reason: Option<String>,
    /// The type of the error.
    pub error_type: Option<String>,
    /// The error's text without what differs; `None` for groups of an older version of the fingerprint.
    pub template: Option<String>,
    /// When its first dead letter arrived.
    pub first_seen: DateTime<Utc>,
    /// The version of the service that ran then, where that was told.
    pub first_version: Option<String>,
    /// When its last one arrived.
    pub last_seen: DateTime<Utc>,
    /// The latest time of death of all.
    pub last_died: DateTime<Utc>,
    /// How many have ever arrived.
    pub arrived: i64,
    /// When it was marked as resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The deployment that is to have resolved it, where one was named.
    pub fix: Option<Fix>,
    /// Muted until then.
    pub muted_until: Option<DateTime<Utc>>,
    /// Until how many have arrived.
    pub muted_up_to: Option<i64>,
    /// Whom it is assigned to.
    pub assignee: Option<String>,
    /// Its ticket.
    pub ticket: Option<Ticket>,
}

/// A group that was merged into another. Its dead letters keep its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedGroup {
    /// The fingerprint that its dead letters share.
    pub id: Uuid,
    /// The broker's reason.
    pub reason: Option<String>,
    /// The type of the error.
    pub error_type: Option<String>,
    /// The error's text without what differs.
    pub template: Option<String>,
    /// When its first dead letter arrived.
    pub first_seen: DateTime<Utc>,
}

/// The deployment that resolves an error group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Which one.
    pub release: Release,
    /// From when on a death is a regression: instances of that version and of later ones run alone. `None`: it is not deployed.
    pub since: Option<DateTime<Utc>>,
}

/// Which version has a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// This one.
    Version(String),
    /// The next one after this one.
    After(String),
}

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupState {
    /// First seen less than [`NEW_FOR`] ago.
    New,
    /// Known for longer.
    Ongoing,
    /// Came back after it was resolved.
    Regressed,
    /// Resolved, and did not come back.
    Resolved,
    /// Not to be heard of for a while.
    Muted,
}

/// An error in a few words: its type, else the head of its text, else the broker's reason.
pub fn error_name(error_type: Option<&str>, template: Option<&str>, reason: Option<&str>) -> String {
    let known = error_type.filter(|name| !name.is_empty()).map(str::to_owned);
    let text = known.unwrap_or_else(|| error_text::shown(template.unwrap_or_default()));
    match (text.char_indices().nth(NAME), reason) {
        (Some((end, _)), _) => format!("{}…", &text[..end]),
        (None, _) if !text.is_empty() => text,
        (None, Some(reason)) => format!("{reason}, no error given"),
        (None, None) => "no error given".into(),
    }
}

impl GroupState {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::New, Self::Ongoing, Self::Regressed, Self::Resolved, Self::Muted];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Regressed => "regressed",
            Self::Resolved => "resolved",
            Self::Muted => "muted",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl ErrorGroup {
    /// The current state. It is derived on read, so that arrivals change nothing.
    pub fn state(&self, now: DateTime<Utc>) -> GroupState {
        if self.is_muted(now) {
            return GroupState::Muted;
        }
        match self.resolved_at {
            Some(resolved) if self.came_back(resolved) => GroupState::Regressed,
            Some(_) => GroupState::Resolved,
            None if now - self.first_seen < NEW_FOR => GroupState::New,
            None => GroupState::Ongoing,
        }
    }

    /// From when on what arrives, or what dies if a version was named, is a regression. `None`: nothing is yet.
    pub fn regresses_from(&self) -> Option<DateTime<Utc>> {
        self.fix.as_ref().map_or(self.resolved_at, |fix| fix.since)
    }

    /// Messages of older versions that still drain are no regression.
    fn came_back(&self, resolved: DateTime<Utc>) -> bool {
        match &self.fix {
            None => self.last_seen > resolved,
            Some(fix) => fix.since.is_some_and(|since| self.last_died >= since),
        }
    }

    /// Muted until a time or a number, whichever comes first.
    fn is_muted(&self, now: DateTime<Utc>) -> bool {
        (self.muted_until.is_some() || self.muted_up_to.is_some())
            && self.muted_until.is_none_or(|until| now < until)
            && self.muted_up_to.is_none_or(|number| self.arrived < number)
    }
}

/// An action on a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupAction {
    /// Says that it is resolved: it is heard of again when it comes back.
    Resolve {
        /// In which version, if not in whatever runs.
        fix: Option<Release>,
    },
    /// Removes the resolution and the mute.
    Reopen,
    /// Does not want to hear of it.
    Mute {
        /// Until then.
        until: Option<DateTime<Utc>>,
        /// Until this many more have arrived.
        count: Option<i64>,
    },
    /// Writes something down.
    Note,
    /// Says who is on it. `None`: nobody.
    Assign(Option<String>),
    /// Links it to a ticket. `None`: to none.
    Link(Option<Ticket>),
}

impl GroupAction {
    /// The name in the database and in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => "resolve",
            Self::Reopen => "reopen",
            Self::Mute { .. } => "mute",
            Self::Note => "note",
            Self::Assign(Some(_)) => "assign",
            Self::Assign(None) => "unassign",
            Self::Link(Some(_)) => "link",
            Self::Link(None) => "unlink",
        }
    }
}

/// A recorded action on a group (rule R13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEvent {
    /// Its id, which also says when.
    pub id: Uuid,
    /// What.
    pub action: String,
    /// In their own words.
    pub note: Option<String>,
    /// Until when it was muted.
    pub muted_until: Option<DateTime<Utc>>,
    /// For how many more it was muted.
    pub muted_count: Option<i64>,
    /// Whom it was assigned to.
    pub assignee: Option<String>,
    /// The ticket that it was linked to.
    pub ticket: Option<Ticket>,
    /// The groups that were merged or split.
    pub groups: Vec<Uuid>,
    /// In which version it was resolved, in words.
    pub version: Option<String>,
    /// Who.
    pub done_by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_from_what_arrived_and_what_was_said() {
        let hour = |number| DateTime::UNIX_EPOCH + TimeDelta::hours(number);
        let group = ErrorGroup {
            id: Uuid::nil(),
            service: "webshop".into(),
            reason: None,
            error_type: None,
            template: None,
            first_seen: hour(0),
            first_version: None,
            last_seen: hour(10),
            last_died: hour(9),
            arrived: 7,
            resolved_at: None,
            fix: None,
            muted_until: None,
            muted_up_to: None,
            assignee: None,
            ticket: None,
        };
        assert_eq!(group.state(hour(23)), GroupState::New);
        assert_eq!(group.state(hour(24)), GroupState::Ongoing);
        let resolved = ErrorGroup { resolved_at: Some(hour(10)), ..group.clone() };
        assert_eq!(resolved.state(hour(11)), GroupState::Resolved);
        let back = ErrorGroup { last_seen: hour(12), ..resolved.clone() };
        assert_eq!(back.state(hour(12)), GroupState::Regressed);
        let fixed_since = |since| {
            let fix = Some(Fix { release: Release::Version("1.43".into()), since });
            ErrorGroup { fix, resolved_at: Some(hour(8)), ..group.clone() }.state(hour(30))
        };
        assert_eq!(fixed_since(None), GroupState::Resolved, "not deployed");
        assert_eq!(fixed_since(Some(hour(10))), GroupState::Resolved, "it died under the version before");
        assert_eq!(fixed_since(Some(hour(9))), GroupState::Regressed);
        let muted = ErrorGroup { muted_until: Some(hour(20)), muted_up_to: Some(9), ..back };
        assert_eq!(muted.state(hour(19)), GroupState::Muted);
        assert_eq!(muted.state(hour(20)), GroupState::Regressed);
        assert_eq!(ErrorGroup { arrived: 9, ..muted }.state(hour(19)), GroupState::Regressed);
    }

    #[test]
    fn an_error_has_a_name() {
        assert_eq!(error_name(Some("Declined"), Some("no \u{1} money"), Some("rejected")), "Declined");
        assert_eq!(error_name(None, Some("no \u{1} money"), Some("rejected")), "no <number> money");
        assert_eq!(error_name(None, Some(""), Some("expired")), "expired, no error given");
        assert_eq!(error_name(Some(""), None, None), "no error given");
        assert_eq!(error_name(Some(&"é".repeat(81)), None, None), "é".repeat(80) + "…");
    }
}
