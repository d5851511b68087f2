//! Dead letters that do not arrive: they stay in the queue where they died, or are dropped on the way.

use chrono::{DateTime, Utc};

use super::place::Place;

/// A queue whose dead letters do not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Where the queue is.
    pub place: Place,
    /// The queue in which messages die.
    pub queue: String,
    /// The sources that its dead letters should reach. Empty if they reach none.
    pub sources: Vec<String>,
    /// Dead letters that wait in the queue's dead-letter worker. `None` if they are dropped: the broker does not count them.
    pub messages: Option<u64>,
    /// Since when this process has seen it.
    pub since: DateTime<Utc>,
    /// Why they do not arrive.
    pub reason: Reason,
}

/// Why dead letters do not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The dead-letter exchange is missing, or has no binding for them. They wait.
    Unroutable,
    /// The same, and the queue dead-letters at most once: they are dropped.
    Dropped,
    /// They could be routed, and are not taken.
    Stuck,
}

impl Reason {
    /// Its name in metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unroutable => "unroutable",
            Self::Dropped => "dropped",
            Self::Stuck => "stuck",
        }
    }
}
