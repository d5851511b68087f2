//! Incidents: what a squad is told without looking, once, until it is over.

mod watch;
mod words;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::named::named;

pub use watch::{Bug, FACTOR, GROUP_FLOOR, SQUAD_GROWTH_FLOOR, WatchedGroup, ceiling, grows};
pub use words::Notice;

named! {
    /// What happened.
    Kind {
        /// An error that no group had before.
        NewErrorGroup = "newErrorGroup",
        /// An error occurred again after it was over.
        RegressedErrorGroup = "regressedErrorGroup",
        /// A known error occurs far more often than in its week before.
        EscalatingErrorGroup = "escalatingErrorGroup",
        /// Known errors of a squad together do.
        SquadGrowth = "squadGrowth",
        /// An operation paused itself.
        OperationPaused = "operationPaused",
        /// An operation ended, and some of its messages were refused or died again.
        OperationFailed = "operationFailed",
        /// Messages wait in a source.
        SourceLag = "sourceLag",
        /// Somebody tries whether notifications arrive.
        Test = "test",
    }
}

/// How bad it is. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// To know.
    Info,
    /// To look at during the day.
    Warning,
    /// To look at now.
    Critical,
}

named! {
    /// What is told of an incident.
    Event {
        /// That it began.
        Opened = "opened",
        /// That it is over.
        Resolved = "resolved",
    }
}

impl Kind {
    /// How bad it is, unless the notifications file says otherwise.
    pub fn severity(self) -> Severity {
        match self {
            Self::Test => Severity::Info,
            Self::NewErrorGroup
            | Self::RegressedErrorGroup
            | Self::OperationPaused
            | Self::OperationFailed => Severity::Warning,
            Self::EscalatingErrorGroup | Self::SquadGrowth | Self::SourceLag => Severity::Critical,
        }
    }

    /// Whether it is about error groups.
    pub fn is_of_groups(self) -> bool {
        matches!(self, Self::NewErrorGroup | Self::RegressedErrorGroup | Self::EscalatingErrorGroup)
    }
}

impl Severity {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

/// What notifications say of an incident. Without payloads, and without the texts of errors beyond their names (R14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// Name of the error.
    pub error: Option<String>,
    /// Dead letters that are dead, or messages that wait in the source.
    pub dead: i64,
    /// Arrivals in the last hour.
    pub last_hour: i64,
    /// Arrivals in an hour above which it is too many.
    pub ceiling: i64,
    /// When it began.
    pub since: Option<DateTime<Utc>>,
    /// The error group that was first.
    pub error_group: Option<Uuid>,
    /// The operation.
    pub operation: Option<Uuid>,
    /// What the operation or the source says itself.
    pub detail: Option<String>,
    /// Who is on it.
    pub assignee: Option<String>,
    /// Its ticket.
    pub ticket: Option<String>,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its id. It is the key by which receivers know it.
    pub id: Uuid,
    /// What happened.
    pub kind: Kind,
    /// What it is about.
    pub subject: String,
    /// Whom it was told.
    pub squad: String,
    /// How bad it is.
    pub severity: Severity,
    /// The services that it is about.
    pub services: Vec<String>,
    /// What notifications say of it.
    pub facts: Facts,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Since when it seems to be over.
    pub over_since: Option<DateTime<Utc>>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Why it is over.
    pub resolution: Option<String>,
}

/// An incident that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// What happened.
    pub kind: Kind,
    /// What it is about. An open incident of the same subject is the same incident.
    pub subject: String,
    /// Whom to tell.
    pub squad: String,
    /// The services that it is about.
    pub services: Vec<String>,
    /// The error groups that it is about.
    pub groups: Vec<Uuid>,
    /// What notifications say of it.
    pub facts: Facts,
}

/// When an incident that seems to be over is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It goes on.
    GoesOn,
    /// It has seemed to be over for too short a time.
    Settles,
    /// It is over.
    Over,
}

impl Incident {
    /// Whether it ends now, for a reason that holds at this moment, if there is one. An incident has to seem over for `settle`, so
    /// that what flickers does not open and resolve again and again.
    pub fn ending(&self, reason: Option<&str>, settle: TimeDelta, now: DateTime<Utc>) -> Ending {
        match (reason, self.over_since) {
            (None, _) => Ending::GoesOn,
            (Some(_), Some(since)) if now - since >= settle => Ending::Over,
            (Some(_), _) => Ending::Settles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flickers_is_not_over() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let incident = words::tests::incident(Kind::NewErrorGroup);
        let settle = TimeDelta::seconds(60);
        let over = |incident: &Incident, reason, second| incident.ending(reason, settle, at(second));
        assert_eq!(over(&incident, None, 0), Ending::GoesOn);
        assert_eq!(over(&incident, Some("muted"), 0), Ending::Settles);
        let settling = Incident { over_since: Some(at(0)), ..incident };
        assert_eq!(over(&settling, Some("muted"), 59), Ending::Settles);
        assert_eq!(over(&settling, Some("muted"), 60), Ending::Over);
        assert_eq!(over(&settling, None, 60), Ending::GoesOn);
    }

    #[test]
    fn urgency_has_an_order() {
        assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Critical);
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
        }
    }
}
