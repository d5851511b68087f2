//! Turns of what reads as much as it takes, such as searches that no index serves.
//!
//! A reader has a processor of the database for itself. So only so many read at once, and where batches were stored beside it
//! the next one waits the longer: ingest needs the processors more than somebody who waits for such an answer anyway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::StoreError;

/// Longest that a reader waits until those before it are done: as long as one of them may take.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long nobody reads after a reader, in times of how long batches were stored beside it.
const REST: u32 = 5;

#[derive(Clone, Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    storing: Arc<Mutex<Storing>>,
}

/// How long batches were stored: of several at once, the time that any of them was.
#[derive(Debug)]
struct Storing {
    batches: usize,
    /// Up to when it is counted.
    at: Instant,
    took: Duration,
}

/// That a batch is being stored, until it is dropped.
#[derive(Debug)]
pub(super) struct StoringBatch(Arc<Mutex<Storing>>);

/// Leave to read, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    permit: Option<OwnedSemaphorePermit>,
    storing: Arc<Mutex<Storing>>,
    /// How long batches had been stored when it began.
    stored: Duration,
}

impl Turns {
    /// For so many readers at once.
    pub fn new(readers: usize) -> Self {
        let storing = Storing { batches: 0, at: Instant::now(), took: Duration::ZERO };
        Self { free: Arc::new(Semaphore::new(readers)), storing: Arc::new(Mutex::new(storing)) }
    }

    pub async fn take(&self) -> Result<Turn, StoreError> {
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.free).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Slow)?.ok();
        let stored = now(&self.storing).took;
        Ok(Turn { permit, storing: Arc::clone(&self.storing), stored })
    }

    /// For readers to know that a batch is being stored.
    pub fn storing(&self) -> StoringBatch {
        now(&self.storing).batches += 1;
        StoringBatch(Arc::clone(&self.storing))
    }
}

/// Counted up to now.
fn now(storing: &Mutex<Storing>) -> MutexGuard<'_, Storing> {
    let mut storing = storing.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    if storing.batches > 0 {
        storing.took += now - storing.at;
    }
    storing.at = now;
    storing
}

impl Drop for StoringBatch {
    fn drop(&mut self) {
        now(&self.0).batches -= 1;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let beside = now(&self.storing).took - self.stored;
        if !beside.is_zero() {
            let (permit, rest) = (self.permit.take(), sleep(beside * REST));
            tokio::spawn(async move {
                rest.await;
                drop(permit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// How long the next reader waits, in seconds.
    async fn waits(turns: &Turns) -> Option<u64> {
        let begun = Instant::now();
        turns.take().await.ok().map(|_| begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_waits_for_the_one_before() {
        let turns = Turns::new(1);
        let turn = turns.take().await.unwrap();
        assert_eq!(waits(&turns).await, None);
        drop(turn);
        assert_eq!(waits(&turns).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn it_rests_for_as_long_as_batches_were_stored_beside_it() {
        let turns = Turns::new(1);
        let before = turns.storing();
        advance(Duration::from_secs(60)).await;
        let turn = turns.take().await.unwrap();
        let beside = turns.storing();
        advance(Duration::from_millis(400)).await;
        drop((before, beside));
        advance(Duration::from_secs(5)).await;
        drop(turn);
        advance(Duration::from_secs(1)).await;
        assert_eq!(waits(&turns).await, Some(1));
    }
}
