//! Ids that are looked up together.

use uuid::Uuid;

/// Ids of dead letters, and the ends of their range: with them the database looks into the days of the range only, whatever
/// number of days it has.
pub(super) struct Ids {
    pub all: Vec<Uuid>,
    pub least: Uuid,
    pub greatest: Uuid,
}

impl Ids {
    pub fn of(ids: impl Iterator<Item = Uuid>) -> Self {
        let all: Vec<Uuid> = ids.collect();
        let least = all.iter().min().copied().unwrap_or_default();
        let greatest = all.iter().max().copied().unwrap_or_default();
        Self { all, least, greatest }
    }
}
