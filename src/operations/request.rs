//! Asking for an operation.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::Notify;
use uuid::Uuid;

use super::unrecorded::Unrecorded;
use crate::amqp::Brokers;
use crate::clock;
use crate::config::OperationsConfig;
use crate::domain::convention::Conventions;
use crate::domain::operation::{NewOperation, Selection};
use crate::store::{Frozen, IDS_IN_A_ROW, Served, Store, StoreError};

/// Where operations are asked for. Clones are the same.
#[derive(Clone, Debug)]
pub struct Operations {
    pub(super) store: Store,
    pub(super) brokers: Brokers,
    /// The places of these, for the workers.
    pub(super) served: Arc<Served>,
    watch_returns: TimeDelta,
    ids_in_a_row: u32,
    pub(super) conventions: Conventions,
    asked: Arc<Notify>,
    pub(super) unrecorded: Unrecorded,
}

impl Operations {
    /// On this database and these brokers.
    pub fn new(store: Store, brokers: Brokers, conventions: Conventions, config: &OperationsConfig) -> Self {
        let served = Arc::new(Served::new(brokers.places().cloned().collect()));
        let (asked, unrecorded) = (Arc::new(Notify::new()), Unrecorded::default());
        let watch_returns = config.watch_returns();
        // A chunk is made of whole rows.
        let ids_in_a_row = config.chunk_items.min(IDS_IN_A_ROW);
        Self { store, brokers, served, watch_returns, ids_in_a_row, conventions, asked, unrecorded }
    }

    /// Freezes the selection (rule R9); the work begins at once. A plan is run under its own id, and so once.
    pub async fn request(&self, new: &NewOperation) -> Result<Requested, StoreError> {
        let id = match new.selection {
            Selection::Plan(plan) => plan,
            _ => clock::new_id(),
        };
        let frozen = self.store.freeze(new, id, clock::now(), self.ids_in_a_row).await?;
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

    /// Has the workers look at once.
    pub fn wake(&self) {
        self.asked.notify_waiters();
    }

    /// Waits until an operation is asked for on this replica.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It is this operation, now or since before.
    Operation(Uuid),
    /// Its plan was run before.
    AlreadyRun,
}
