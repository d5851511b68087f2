//! Outcomes that are not recorded yet, because the database failed after the messages were published.
//!
//! The chunk is tried again. Without this cache, a database that can be read but does not commit would cause the same messages to
//! be published with each attempt.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::domain::operation::Settled;
use crate::store::ChunkItem;

/// Outcomes that this process knows and the database may not, by operation and position. Shared by its workers.
#[derive(Clone, Debug, Default)]
pub(super) struct OutcomeCache(Arc<Mutex<HashMap<(Uuid, i64), Settled>>>);

impl OutcomeCache {
    /// The known outcomes of these items.
    pub fn of<'i>(&self, operation: Uuid, items: impl Iterator<Item = &'i ChunkItem>) -> Vec<Settled> {
        let outcomes = self.lock();
        items.filter_map(|item| outcomes.get(&(operation, item.position)).cloned()).collect()
    }

    /// Keeps outcomes before they are recorded.
    pub fn keep(&self, operation: Uuid, settled: &[Settled]) {
        self.lock().extend(settled.iter().map(|item| ((operation, item.position), item.clone())));
    }

    /// Forgets outcomes that are recorded.
    pub fn forget(&self, operation: Uuid, settled: &[Settled]) {
        let mut outcomes = self.lock();
        for item in settled {
            outcomes.remove(&(operation, item.position));
        }
    }

    /// The operations with known outcomes.
    pub fn operations(&self) -> BTreeSet<Uuid> {
        self.lock().keys().map(|(operation, _)| *operation).collect()
    }

    /// Forgets operations that have ended: another replica may have recorded their chunks.
    pub fn forget_all_of(&self, ended: &[Uuid]) {
        self.lock().retain(|(of, _), _| !ended.contains(of));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, i64), Settled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::Outcome;

    #[test]
    fn what_another_replica_has_ended_is_dropped() {
        let (outcome_cache, [ended, other]) =
            (OutcomeCache::default(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
        let settled = Settled {
            position: 1,
            dead_letter: Uuid::nil(),
            outcome: Outcome::Sent,
            detail: None,
            redelivery_id: None,
        };
        outcome_cache.keep(ended, std::slice::from_ref(&settled));
        outcome_cache.keep(other, &[settled]);
        outcome_cache.forget_all_of(&[ended]);
        assert_eq!(outcome_cache.operations(), BTreeSet::from([other]));
    }
}
