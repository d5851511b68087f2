//! Turns of what reads as much as it takes, such as searches that no index serves.
//!
//! A reader has a processor of the database for itself. So only so many read at once, and while batches are stored the next one
//! waits a little longer: ingest needs the processors more than somebody who waits for such an answer anyway.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::StoreError;
use super::pool::Pool;

/// Longest that a reader waits until those before it are done: as long as one of them may take.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long nobody reads after a reader, in times of what it took, while batches are stored.
const REST: u32 = 3;

#[derive(Clone, Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    ingest: Pool,
}

/// Leave to read, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    permit: Option<OwnedSemaphorePermit>,
    begun: Instant,
    ingest: Pool,
}

impl Turns {
    /// For so many readers at once, of a database that this pool stores batches in.
    pub fn new(readers: usize, ingest: Pool) -> Self {
        Self { free: Arc::new(Semaphore::new(readers)), ingest }
    }

    pub async fn take(&self) -> Result<Turn, StoreError> {
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.free).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Slow)?.ok();
        Ok(Turn { permit, begun: Instant::now(), ingest: self.ingest.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (permit, rest) = (self.permit.take(), self.begun.elapsed() * REST);
        if self.ingest.is_used() {
            tokio::spawn(async move {
                sleep(rest).await;
                drop(permit);
            });
        }
    }
}
