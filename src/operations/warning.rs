//! Warnings about a plan.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::operation::State;

/// How much a warning matters. Warnings that always appear teach people to skip all of them; these are notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Messages may fail again, wait, be refused or be lost: a reason to stop.
    #[default]
    Warning,
    /// Expected behaviour that users may want to know about.
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

/// A warning about a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warning {
    /// Whether it is a reason to stop.
    pub severity: Severity,
    /// A stable code.
    pub code: &'static str,
    /// A sentence for users.
    pub message: String,
    /// Number of dead letters that it is about, if known.
    pub count: Option<i64>,
    /// The service that it is about.
    pub service: Option<String>,
    /// The type of the error that it is about.
    pub error_type: Option<String>,
    /// Last arrival of that error.
    pub last_seen: Option<DateTime<Utc>>,
    /// The queue that it is about.
    pub queue: Option<String>,
    /// Number of ready messages in that queue.
    pub ready: Option<i64>,
    /// The operation that it is about, and its state.
    pub operation: Option<(Uuid, State)>,
}

impl Warning {
    /// A warning about this number of dead letters.
    pub fn new(code: &'static str, message: String, count: impl Into<Option<i64>>) -> Self {
        Self { code, message, count: count.into(), ..Self::default() }
    }

    /// A note about this number of dead letters.
    pub fn note(code: &'static str, message: String, count: impl Into<Option<i64>>) -> Self {
        Self { severity: Severity::Note, ..Self::new(code, message, count) }
    }
}
