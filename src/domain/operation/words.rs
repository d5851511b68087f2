//! The words of operations: what they do, where they stand, and how they go about it.

use serde::{Deserialize, Serialize};

use crate::domain::dead_letter::Status;
use crate::domain::filter::Order;
use crate::domain::named::named;

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
        /// It waits on purpose, and goes on by itself: enough of its messages are ready in a target queue. The database has it as
        /// one of the two above.
        Waiting = "waiting",
        /// Paused by a user or by its canary. It can be resumed.
        Paused = "paused",
        /// The remaining items are being skipped.
        Cancelling = "cancelling",
        /// It was cancelled: what was not done stays as it was.
        Cancelled = "cancelled",
        /// Every item has its outcome.
        Completed = "completed",
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
    /// The routing key of a message that is redelivered to its queue.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    RoutingKey {
        /// The queue's name, as the default exchange wants it.
        #[default]
        Queue = "queue",
        /// The routing key of the first publish.
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
