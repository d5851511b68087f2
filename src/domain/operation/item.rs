//! The dead letters of an operation, and what became of them.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::outcome::Outcome;

/// One dead letter in one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place in the operation, from 1.
    pub position: i64,
    /// The dead letter.
    pub dead_letter: Uuid,
    /// How it ended; `None` while it has not.
    pub outcome: Option<Outcome>,
    /// The broker's reason, the operation that has it, or what keeps it waiting.
    pub detail: Option<String>,
    /// The id that it was published with.
    pub redelivery_id: Option<Uuid>,
    /// When it ended.
    pub settled_at: Option<DateTime<Utc>>,
    /// The dead letter that its message is now, if it died again.
    pub returned_as: Option<Uuid>,
}

/// Those of an operation's messages that died again for the same reason.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnedGroup {
    /// The error group that they are in now.
    pub group: Uuid,
    /// The service in which they died; `None` if the group is no longer stored.
    pub service: Option<String>,
    /// The type of the error.
    pub error_type: Option<String>,
    /// The error's text without what differs.
    pub template: Option<String>,
    /// How many.
    pub count: i64,
    /// After how long the first of them arrived here again, from when it was settled.
    pub soonest: TimeDelta,
    /// After how long half of them had.
    pub median: TimeDelta,
    /// After how long the last of them did.
    pub latest: TimeDelta,
}

/// What became of an item in a chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Its place in the operation.
    pub position: i64,
    /// The dead letter.
    pub dead_letter: Uuid,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub detail: Option<String>,
    /// The id that it was published with.
    pub redelivery_id: Option<Uuid>,
}
