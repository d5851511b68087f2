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
        /// Refused by the broker, or because the broker would refuse it. It is still dead.
        Refused = "refused",
        /// Not acted on: another operation has it, it is not dead, or it is no longer stored.
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
    /// Counts so many more.
    pub fn add(&mut self, outcome: Outcome, count: i64) {
        *match outcome {
            Outcome::Sent => &mut self.sent,
            Outcome::Returned => &mut self.returned,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Restored => &mut self.restored,
            Outcome::Refused => &mut self.refused,
            Outcome::Skipped => &mut self.skipped,
        } += count;
    }

    /// Items with an outcome.
    pub fn settled(&self) -> i64 {
        self.sent + self.returned + self.deleted + self.restored + self.refused + self.skipped
    }

    /// Published items, including returned ones.
    pub fn went(&self) -> i64 {
        self.sent + self.returned
    }

    /// Published and refused items.
    pub fn tried(&self) -> i64 {
        self.sent + self.returned + self.refused
    }
}
