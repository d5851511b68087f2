//! What a plan warns of.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::operation::State;

/// How much a warning matters. A warning that is always there teaches people to skip all of them: such are notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Messages may fail again, wait, be refused or be lost: a reason to stop.
    #[default]
    Warning,
    /// Something that happens as it is meant to, and that somebody may want to know.
    Note,
}

impl Severity {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What may go wrong with a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warning {
    /// Whether it is a reason to stop.
    pub severity: Severity,
    /// In one of a few words.
    pub code: &'static str,
    /// In words for people.
    pub message: String,
    /// How many of the plan's dead letters it is about, where that is known.
    pub count: Option<i64>,
    /// The service that it is about.
    pub service: Option<String>,
    /// The type of the error that it is about.
    pub error_type: Option<String>,
    /// When that error last arrived.
    pub last_seen: Option<DateTime<Utc>>,
    /// The queue that it is about.
    pub queue: Option<String>,
    /// How many messages are ready in that queue.
    pub ready: Option<i64>,
    /// The operation that it is about, and where that stands.
    pub operation: Option<(Uuid, State)>,
}

impl Warning {
    /// Of that kind, in these words, about so many of the plan's dead letters.
    pub fn new(code: &'static str, message: String, count: impl Into<Option<i64>>) -> Self {
        Self { code, message, count: count.into(), ..Self::default() }
    }

    /// The same, but worth to know and no more.
    pub fn note(code: &'static str, message: String, count: impl Into<Option<i64>>) -> Self {
        Self { severity: Severity::Note, ..Self::new(code, message, count) }
    }
}
