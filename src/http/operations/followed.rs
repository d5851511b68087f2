//! The operations that callers follow, and those whose end they wait for.

use std::time::Duration;

use uuid::Uuid;

use super::snapshot::Snapshot;
use crate::domain::operation::Operation;
use crate::http::lookout::{Follower, Lookout};
use crate::store::Store;

/// How often an operation is looked at that is followed,
const LOOK: Duration = Duration::from_millis(500);
/// and one whose end is waited for.
const LOOK_FOR_END: Duration = Duration::from_millis(50);

/// One look at the database for each operation. Clones share them.
#[derive(Clone, Debug)]
pub struct Followed {
    store: Store,
    all: Lookout<Snapshot>,
    ends: Lookout<Operation>,
}

impl Followed {
    /// Of this database.
    pub fn new(store: Store) -> Self {
        Self { store, all: Lookout::every(LOOK), ends: Lookout::every(LOOK_FOR_END) }
    }

    /// Follows an operation with all that the database says of it.
    pub fn follow(&self, id: Uuid) -> Follower<Snapshot> {
        let store = self.store.clone();
        self.all.follow(id, move || {
            let store = store.clone();
            async move { Snapshot::take(&store, id).await }
        })
    }

    /// Follows an operation until its end.
    pub fn follow_end(&self, id: Uuid) -> Follower<Operation> {
        let store = self.store.clone();
        self.ends.follow(id, move || {
            let store = store.clone();
            async move { store.operation(id).await }
        })
    }
}
