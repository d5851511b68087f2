//! Outcomes of the items of an operation.

use super::named::named;

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
