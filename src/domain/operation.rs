//! Operations: one request to redeliver or delete a frozen selection of dead letters, and what became of each.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::canary::{Canary, Verdict};
use super::dead_letter::Status;
use super::edit::Edit;
use super::filter::{Filter, Order};

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the database and in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What an operation does.
    Kind {
        /// Publishes the messages again.
        Redeliver = "redeliver",
        /// Marks the dead letters as deleted.
        Delete = "delete",
        /// Takes that back.
        Restore = "restore",
    }
}

named! {
    /// Where an operation stands.
    State {
        /// Waits for its first chunk.
        Pending = "pending",
        /// Has begun.
        Running = "running",
        /// Somebody, or its canary, has stopped it; it can go on.
        Paused = "paused",
        /// What is left is being let go.
        Cancelling = "cancelling",
        /// It was cancelled: what was not done stays as it was.
        Cancelled = "cancelled",
        /// Every item has its outcome.
        Completed = "completed",
    }
}

named! {
    /// How an item ended.
    Outcome {
        /// Published, confirmed and not returned.
        Sent = "sent",
        /// Sent, and died again.
        Returned = "returned",
        /// Deleted.
        Deleted = "deleted",
        /// Restored: dead again.
        Restored = "restored",
        /// The broker, or a rule of it that we know, refused it: it is still dead.
        Refused = "refused",
        /// Not this operation's to act on: another one has it, or it is not dead, or not there.
        Skipped = "skipped",
    }
}

named! {
    /// Which dead letters go first. Of a redelivery this is the order in which its messages reach a queue.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Sequence {
        /// Last arrived first.
        #[default]
        Newest = "newest",
        /// First arrived first.
        Oldest = "oldest",
        /// As fast as they go: the newest are chosen, and workers share them, so that some overtake others.
        Any = "any",
    }
}

named! {
    /// Which routing key a message has at the queue that it is put back into.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    RoutingKey {
        /// The queue's name, as the default exchange wants it.
        #[default]
        Queue = "queue",
        /// The one that it was first published with.
        Original = "original",
    }
}

impl Sequence {
    /// The order in which dead letters are chosen, and first tried.
    pub fn of_choice(self) -> Order {
        match self {
            Self::Newest | Self::Any => Order::Newest,
            Self::Oldest => Order::Oldest,
        }
    }
}

impl Kind {
    /// The status of what it acts on.
    pub fn acts_on(self) -> Status {
        match self {
            Self::Redeliver | Self::Delete => Status::Dead,
            Self::Restore => Status::Deleted,
        }
    }
}

impl State {
    /// Whether nothing more comes of it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// Where redelivered messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// To the queue that each died in, through the default exchange.
    #[default]
    Queue,
    /// To the exchange that each had been published to, with its routing key: every bound queue gets it again.
    Exchange,
    /// To this exchange with this routing key.
    #[serde(rename_all = "camelCase")]
    Explicit {
        /// The exchange; empty for the default exchange.
        exchange: String,
        /// The routing key; with the default exchange, the name of the queue.
        routing_key: String,
    },
}

/// Which dead letters an operation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// These.
    Ids(Vec<Uuid>),
    /// Those that the filter lists.
    Filter(Box<Filter>),
    /// Those of the plan.
    Plan(Uuid),
    /// Those that this operation deleted.
    DeletedBy(Uuid),
}

/// How an operation is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Where to, for a redelivery.
    pub target: Target,
    /// At most so many messages a second.
    pub rate: Option<u32>,
    /// At most so many dead letters.
    pub limit: Option<u64>,
    /// Which ones first.
    pub order: Sequence,
    /// Why, in words.
    pub note: Option<String>,
    /// A few first.
    pub canary: Canary,
    /// It waits while a target queue has more ready messages.
    pub max_queue_depth: Option<i64>,
    /// What is changed in the messages, of a redelivery.
    pub edit: Option<Edit>,
    /// Whether it publishes copies only, and the dead letters stay dead.
    pub copy: bool,
    /// Which routing key messages have at the queue that they died in.
    pub routing_key: RoutingKey,
    /// Whether it sends once more what was redelivered before.
    pub again: bool,
}

/// A request for an operation, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOperation {
    /// What to do.
    pub kind: Kind,
    /// With which dead letters.
    pub selection: Selection,
    /// The selection as it was asked for, for the record (rule R13).
    pub asked: serde_json::Value,
    /// How.
    pub options: Options,
    /// Who asked.
    pub requested_by: String,
    /// The same request with the same key is the same operation.
    pub idempotency_key: Option<String>,
}

impl NewOperation {
    /// The status of what it acts on.
    pub fn acts_on(&self) -> Status {
        if self.options.again { Status::Redelivered } else { self.kind.acts_on() }
    }

    /// Why it does not act on a dead letter of another status.
    pub fn refusal_of(&self, status: Status) -> String {
        let wanted = self.acts_on();
        match (wanted, status) {
            (Status::Redelivered, Status::Dead) => "Not redelivered yet: leave out `again`".into(),
            (Status::Dead, Status::Redelivered) if self.kind == Kind::Redeliver => {
                "Not dead: already redelivered. Add `again: true` to redeliver it once more".into()
            }
            _ => format!("Not {}: already {}", wanted.as_str(), status.as_str()),
        }
    }
}

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
    /// What keeps it from going on, while something does.
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

    /// The states that it can be done in. In the one that it leads to it changes nothing.
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

/// Numbers of items by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Published, confirmed and not returned by the broker.
    pub sent: i64,
    /// Sent, and died again.
    pub returned: i64,
    /// Deleted.
    pub deleted: i64,
    /// Restored.
    pub restored: i64,
    /// Refused.
    pub refused: i64,
    /// Skipped.
    pub skipped: i64,
}

impl Outcomes {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Sent => self.sent += 1,
            Outcome::Returned => self.returned += 1,
            Outcome::Deleted => self.deleted += 1,
            Outcome::Restored => self.restored += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }

    /// Items that have ended.
    pub fn settled(&self) -> i64 {
        self.sent + self.returned + self.deleted + self.restored + self.refused + self.skipped
    }

    /// Items that were published, whatever became of them.
    pub fn went(&self) -> i64 {
        self.sent + self.returned
    }

    /// Items that were published, whatever became of them, or would have been.
    pub fn tried(&self) -> i64 {
        self.sent + self.returned + self.refused
    }
}

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
