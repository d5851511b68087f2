//! Asking for an operation.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use uuid::Uuid;

use super::unrecorded::Unrecorded;
use crate::clock;
use crate::domain::operation::NewOperation;
use crate::store::{Frozen, Store, StoreError};

/// Where operations are asked for. Clones are the same.
#[derive(Clone, Debug)]
pub struct Operations {
    store: Store,
    asked: Arc<Notify>,
    pub(super) unrecorded: Unrecorded,
}

impl Operations {
    /// On this database.
    pub fn new(store: Store) -> Self {
        Self { store, asked: Arc::new(Notify::new()), unrecorded: Unrecorded::default() }
    }

    /// Freezes the selection (rule R9) and returns the operation's id; the work begins at once.
    pub async fn request(&self, new: &NewOperation) -> Result<Uuid, StoreError> {
        let frozen = self.store.freeze(new, clock::new_id(), clock::now(), hash(new)).await?;
        self.asked.notify_waiters();
        Ok(match frozen {
            Frozen::New(id) | Frozen::Known(id) => id,
        })
    }

    /// Waits until an operation is asked for on this replica.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }
}

/// Of what was asked for, but not by whom: the same key with another request is a mistake.
fn hash(new: &NewOperation) -> Uuid {
    let NewOperation { kind, asked, target, rate, limit, order, note, .. } = new;
    let request = format!("{kind:?} {asked} {target:?} {rate:?} {limit:?} {order:?} {note:?}");
    let mut head = [0; 16];
    head.copy_from_slice(&Sha256::digest(request)[..16]);
    Uuid::new_v8(head)
}
