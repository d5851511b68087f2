//! Operations: one request to redeliver or delete a frozen selection of dead letters, and what became of each.

mod item;
mod request;
mod request_hash;
mod words;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::canary::{Canary, Verdict};
use super::dead_letter::Status;
use super::edit::Edit;

pub use super::outcome::{Outcome, Outcomes};
pub use item::{Item, ReturnedGroup, Settled};
pub use request::{NewOperation, Options, Selection, Target};
pub use request_hash::RequestHash;
pub use words::{Kind, RoutingKey, Sequence, State};

/// An operation as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its id: UUID version 7 of its request.
    pub id: Uuid,
    /// The kind.
    pub kind: Kind,
    /// The state.
    pub state: State,
    /// The selection as requested.
    pub asked: serde_json::Value,
    /// Where to, for a redelivery.
    pub target: Target,
    /// Which ones first.
    pub order: Sequence,
    /// Limit in messages per second.
    pub rate: Option<u32>,
    /// Why, in words.
    pub note: Option<String>,
    /// The canary.
    pub canary: Canary,
    /// The last step of the canary that was passed.
    pub canary_passed: i64,
    /// The operation waits while a target queue has more ready messages.
    pub max_queue_depth: Option<i64>,
    /// The edit of the messages. Absent in lists.
    pub edit: Option<Edit>,
    /// Whether it publishes copies only, and the dead letters stay dead.
    pub copy: bool,
    /// Which routing key messages have at the queue that they died in.
    pub routing_key: RoutingKey,
    /// Whether it sends once more what was redelivered before.
    pub again: bool,
    /// The caller, as people know it.
    pub requested_by: String,
    /// The caller, by what identifies it. Empty: not signed in.
    pub requested_by_id: String,
    /// Whether it waits for a second person to approve it.
    pub awaits_approval: bool,
    /// Number of items.
    pub total: i64,
    /// Items by outcome.
    pub outcomes: Outcomes,
    /// What it is waiting for, while it waits on purpose.
    pub waiting_for: Option<String>,
    /// The error that keeps it from continuing, while there is one.
    pub last_error: Option<String>,
    /// Time of the request.
    pub created_at: DateTime<Utc>,
    /// When its first chunk began.
    pub started_at: Option<DateTime<Utc>>,
    /// When its last item ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// No chunk begins before.
    pub next_chunk_at: DateTime<Utc>,
    /// The services of its dead letters; `None` where that is not known.
    pub services: Option<Vec<String>>,
    /// Of the skipped ones: how many its cancellation left as they were.
    pub not_done: i64,
    /// What the messages that died again died of, in a few words; only where it was looked up.
    pub died_of: Option<String>,
}

#[cfg(test)]
impl Operation {
    /// An operation for tests.
    pub(crate) fn made() -> Self {
        Self {
            id: Uuid::nil(),
            kind: Kind::Redeliver,
            state: State::Running,
            asked: serde_json::json!({}),
            target: Target::Queue,
            order: Sequence::default(),
            rate: None,
            note: None,
            canary: Canary::default(),
            canary_passed: 0,
            max_queue_depth: None,
            edit: None,
            copy: false,
            routing_key: RoutingKey::default(),
            again: false,
            requested_by: String::new(),
            requested_by_id: String::new(),
            awaits_approval: false,
            total: 0,
            outcomes: Outcomes::default(),
            waiting_for: None,
            last_error: None,
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            ended_at: None,
            next_chunk_at: DateTime::UNIX_EPOCH,
            services: None,
            not_done: 0,
            died_of: None,
        }
    }
}

impl Operation {
    /// The status of what it acts on.
    pub fn acts_on(&self) -> Status {
        if self.again { Status::Redelivered } else { self.kind.acts_on() }
    }

    /// The verdict of the canary, at the end of a step.
    pub fn verdict(&self) -> Option<Verdict> {
        let verdict = self.canary.verdict(self.canary_passed, &self.outcomes);
        verdict.filter(|_| self.state != State::Cancelling)
    }

    /// Whether only one worker may have it at a time. Each message is then confirmed before the next chunk is published, which
    /// keeps the order at a queue, and the rate.
    pub fn has_one_worker(&self) -> bool {
        let in_order = self.kind == Kind::Redeliver && self.order != Sequence::Any;
        in_order || self.rate.is_some() || self.canary.is_climbing(self.canary_passed)
    }

    /// Whether its next chunk publishes messages. A cancelled operation skips its items.
    pub fn publishes(&self) -> bool {
        self.kind == Kind::Redeliver && self.state != State::Cancelling
    }

    /// Whether a chunk may be read while the previous one is published: only the order separates them.
    pub fn can_be_read_ahead(&self) -> bool {
        self.publishes() && self.order != Sequence::Any && self.allowance().is_none()
    }

    /// Limit of items in the next chunk, if there is one.
    pub fn allowance(&self) -> Option<i64> {
        if self.state == State::Cancelling {
            return None;
        }
        let by_rate = self.rate.map(|rate| i64::from(rate.max(1)));
        let by_canary = self.canary.allowance(self.canary_passed, &self.outcomes);
        by_rate.into_iter().chain(by_canary).min()
    }
}

/// Why an operation does not continue now. It retries automatically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It waits on purpose, for this.
    Waits(String),
    /// This went wrong.
    Failed(String),
}

impl Hold {
    /// Why, in words.
    pub fn reason(&self) -> &str {
        let (Self::Waits(reason) | Self::Failed(reason)) = self;
        reason
    }

    /// What it waits for, if it waits on purpose.
    pub fn waits_for(&self) -> Option<&str> {
        match self {
            Self::Waits(reason) => Some(reason),
            Self::Failed(_) => None,
        }
    }
}

/// How a user steers an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// Stops it for a while.
    Pause,
    /// Lets it go on, past the canary's step that it may have stopped at.
    Resume,
    /// Lets one that waits for a second person begin.
    Approve,
    /// Ends it. The remaining dead letters stay as they are.
    Cancel,
    /// Sets another rate.
    Rate(Option<u32>),
}

impl Steering {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Approve => "approve",
            Self::Cancel => "cancel",
            Self::Rate(_) => "rate",
        }
    }

    /// The states in which it is allowed. In the state that it leads to it changes nothing.
    pub fn allowed_in(self) -> &'static [State] {
        match self {
            Self::Approve => &[State::Paused],
            Self::Pause | Self::Resume | Self::Rate(_) => &[State::Pending, State::Running, State::Paused],
            Self::Cancel => &[State::Pending, State::Running, State::Paused, State::Cancelling],
        }
    }
}

/// A recorded action of a user or the canary on an operation (rule R13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationEvent {
    /// Its id, which also says when.
    pub id: Uuid,
    /// What.
    pub action: String,
    /// How.
    pub detail: Option<String>,
    /// Who.
    pub done_by: String,
}
