//! Operations: one request to redeliver or delete a frozen selection of dead letters, and what became of each.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    }
}

named! {
    /// Where an operation stands.
    State {
        /// Waits for its first chunk.
        Pending = "pending",
        /// Has begun.
        Running = "running",
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
        /// The broker, or a rule of it that we know, refused it: it is still dead.
        Refused = "refused",
        /// Not this operation's to act on: another one has it, or it is not dead, or not there.
        Skipped = "skipped",
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
    /// Where to, for a redelivery.
    pub target: Target,
    /// At most so many messages a second.
    pub rate: Option<u32>,
    /// At most so many dead letters.
    pub limit: Option<u64>,
    /// Which ones first.
    pub order: Order,
    /// Why, in words.
    pub note: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// The same request with the same key is the same operation.
    pub idempotency_key: Option<String>,
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
    /// At most so many messages a second.
    pub rate: Option<u32>,
    /// Why, in words.
    pub note: Option<String>,
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
            Outcome::Refused => self.refused += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }

    /// Items that have ended.
    pub fn settled(&self) -> i64 {
        self.sent + self.returned + self.deleted + self.refused + self.skipped
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
