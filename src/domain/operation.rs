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

pub use item::{Item, Outcomes, ReturnedGroup, Settled};
pub use request::{NewOperation, Options, Selection, Target};
pub use request_hash::RequestHash;
pub use words::{Kind, Outcome, RoutingKey, Sequence, State};

/// An operation as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its id: UUID version 7 of its request.
    pub id: Uuid,
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The selection as it was asked for.
    pub asked: serde_json::Value,
    /// Where to, for a redelivery.
    pub target: Target,
    /// Which ones first.
    pub order: Sequence,
    /// At most so many messages a second.
    pub rate: Option<u32>,
    /// Why, in words.
    pub note: Option<String>,
    /// A few first.
    pub canary: Canary,
    /// The last step of it that was passed.
    pub canary_passed: i64,
    /// It waits while a target queue has more ready messages.
    pub max_queue_depth: Option<i64>,
    /// What is changed in the messages; absent in lists.
    pub edit: Option<Edit>,
    /// Whether it publishes copies only, and the dead letters stay dead.
    pub copy: bool,
    /// Which routing key messages have at the queue that they died in.
    pub routing_key: RoutingKey,
    /// Whether it sends once more what was redelivered before.
    pub again: bool,
    /// Who asked.
    pub requested_by: String,
    /// Number of items.
    pub total: i64,
    /// Items by outcome.
    pub outcomes: Outcomes,
    /// What it waits for on purpose, while it does.
    pub waiting_for: Option<String>,
    /// What keeps it from going on against its purpose, while something does.
    pub last_error: Option<String>,
    /// When it was asked for.
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
    /// One that no database has.
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

    /// What its canary finds now, where it is at the end of a step.
    pub fn verdict(&self) -> Option<Verdict> {
        let verdict = self.canary.verdict(self.canary_passed, &self.outcomes);
        verdict.filter(|_| self.state != State::Cancelling)
    }

    /// Whether one worker has it at a time: each message is confirmed before one of the next chunk is published, so that they keep
    /// their order at a queue, and a rate its measure.
    pub fn has_one_worker(&self) -> bool {
        let in_order = self.kind == Kind::Redeliver && self.order != Sequence::Any;
        in_order || self.rate.is_some() || self.canary.is_climbing(self.canary_passed)
    }

    /// Whether its next chunk publishes messages: a cancelled one lets its items go.
    pub fn publishes(&self) -> bool {
        self.kind == Kind::Redeliver && self.state != State::Cancelling
    }

    /// Whether a chunk may be read while the one before is published: nothing but an order keeps them apart.
    pub fn can_be_read_ahead(&self) -> bool {
        self.publishes() && self.order != Sequence::Any && self.allowance().is_none()
    }

    /// How many items the next chunk may have, where that is bounded.
    pub fn allowance(&self) -> Option<i64> {
        if self.state == State::Cancelling {
            return None;
        }
        let by_rate = self.rate.map(|rate| i64::from(rate.max(1)));
        let by_canary = self.canary.allowance(self.canary_passed, &self.outcomes);
        by_rate.into_iter().chain(by_canary).min()
    }
}

/// Why an operation does not go on now. It tries again by itself.
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

/// How somebody steers an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// Stops it for a while.
    Pause,
    /// Lets it go on, past the canary's step that it may have stopped at.
    Resume,
    /// Stops it for good: what is not done stays as it was.
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
            Self::Cancel => "cancel",
            Self::Rate(_) => "rate",
        }
    }

    /// The states of the database that it can be done in. In the one that it leads to it changes nothing.
    pub fn allowed_in(self) -> &'static [State] {
        match self {
            Self::Pause | Self::Resume | Self::Rate(_) => &[State::Pending, State::Running, State::Paused],
            Self::Cancel => &[State::Pending, State::Running, State::Paused, State::Cancelling],
        }
    }
}

/// What somebody, or the canary, did to a running operation (rule R13).
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
