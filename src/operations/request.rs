//! Requests for operations.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::Notify;
use uuid::Uuid;

use super::outcome_cache::OutcomeCache;
use crate::amqp::Brokers;
use crate::clock;
use crate::config::OperationsConfig;
use crate::domain::convention::Conventions;
use crate::domain::operation::{NewOperation, Selection};
use crate::store::{Bounds, Frozen, IDS_IN_A_ROW, ServedPlaces, Store, StoreError};

/// Accepts requests for operations. Clones share their state.
#[derive(Clone, Debug)]
pub struct Operations {
    pub(super) store: Store,
    pub(super) brokers: Brokers,
    /// The places of these brokers, for the workers.
    pub(super) served: Arc<ServedPlaces>,
    watch_returns: TimeDelta,
    ids_in_a_row: u32,
    /// What one caller may have.
    pub(super) bounds: Bounds,
    pub(super) conventions: Conventions,
    asked: Arc<Notify>,
    pub(super) outcome_cache: OutcomeCache,
}

impl Operations {
    /// Accepts requests for this database and these brokers.
    pub fn new(
        store: Store,
        brokers: Brokers,
        conventions: Conventions,
        config: &OperationsConfig,
        bounds: Bounds,
    ) -> Self {
        let served = Arc::new(ServedPlaces::new(brokers.places().cloned().collect()));
        let (asked, outcome_cache) = (Arc::new(Notify::new()), OutcomeCache::default());
        let watch_returns = config.watch_returns();
        // A chunk is made of whole rows.
        let ids_in_a_row = config.chunk_items.min(IDS_IN_A_ROW);
        Self {
            store,
            brokers,
            served,
            watch_returns,
            ids_in_a_row,
            bounds,
            conventions,
            asked,
            outcome_cache,
        }
    }

    /// Freezes the selection (rule R9) and wakes the workers. A plan keeps its id, and so runs once.
    pub async fn request(&self, new: &NewOperation) -> Result<Requested, StoreError> {
        let id = match new.selection {
            Selection::Plan(plan) => plan,
            _ => clock::new_id(),
        };
        let frozen = self.store.freeze(new, id, clock::now(), self.ids_in_a_row, &self.bounds).await?;
        self.wake();
        Ok(match frozen {
            Frozen::New(id) | Frozen::Known(id) => Requested::Operation(id),
            Frozen::AlreadyRun => Requested::AlreadyRun,
        })
    }

    /// How long a redelivery is watched for returns before its verdict.
    pub fn watch_returns(&self) -> TimeDelta {
        self.watch_returns
    }

    /// Wakes the workers.
    pub fn wake(&self) {
        self.asked.notify_waiters();
    }

    /// Waits for a request on this replica.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }
}

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The operation, new or found by its idempotency key.
    Operation(Uuid),
    /// The plan was run before.
    AlreadyRun,
}
