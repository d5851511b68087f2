//! What was published and could not be recorded, because the database failed in between.
//!
//! Its chunk is done again. Without this a database that reads, but does not commit, would have the same messages published
//! with each try, for as long as that lasts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::domain::operation::Settled;
use crate::store::Chunk;

/// The outcomes that this process knows and the database may not, shared by its workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Unrecorded(Arc<Mutex<HashMap<Uuid, HashMap<i64, Settled>>>>);

impl Unrecorded {
    /// What is known of the items of this chunk.
    pub fn of(&self, chunk: &Chunk) -> Vec<Settled> {
        let outcomes = self.lock();
        let Some(known) = outcomes.get(&chunk.operation.id) else { return Vec::new() };
        chunk.items.iter().filter_map(|item| known.get(&item.position).cloned()).collect()
    }

    /// To be called before the outcomes are recorded.
    pub fn keep(&self, operation: Uuid, settled: &[Settled]) {
        let mut outcomes = self.lock();
        let known = outcomes.entry(operation).or_default();
        known.extend(settled.iter().map(|item| (item.position, item.clone())));
    }

    /// To be called when they are; with all of the operation, once that is completed.
    pub fn forget(&self, operation: Uuid, settled: &[Settled], completed: bool) {
        let mut outcomes = self.lock();
        if completed {
            outcomes.remove(&operation);
        } else if let Some(known) = outcomes.get_mut(&operation) {
            for item in settled {
                known.remove(&item.position);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, HashMap<i64, Settled>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
