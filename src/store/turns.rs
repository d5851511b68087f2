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
        let stored = locked(&self.storing).took(Instant::now());
        Ok(Turn { permit, storing: Arc::clone(&self.storing), stored })
    }

    /// For readers to know that a batch is being stored.
    pub fn storing(&self) -> StoringBatch {
        locked(&self.storing).begin(Instant::now());
        StoringBatch(Arc::clone(&self.storing))
    }
}

impl Storing {
    fn took(&mut self, now: Instant) -> Duration {
        let since = std::mem::replace(&mut self.at, now);
        if self.batches > 0 {
            self.took += now - since;
        }
        self.took
    }

    fn begin(&mut self, now: Instant) {
        self.took(now);
        self.batches += 1;
    }

    fn end(&mut self, now: Instant) {
        self.took(now);
        self.batches -= 1;
    }
}

fn locked(storing: &Mutex<Storing>) -> MutexGuard<'_, Storing> {
    storing.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for StoringBatch {
    fn drop(&mut self) {
        locked(&self.0).end(Instant::now());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let beside = locked(&self.storing).took(Instant::now()) - self.stored;
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
    use super::*;

    #[test]
    fn the_time_of_two_batches_at_once_counts_once() {
        let begun = Instant::now();
        let at = |second| begun + Duration::from_secs(second);
        let mut storing = Storing { batches: 0, at: begun, took: Duration::ZERO };
        storing.begin(at(10));
        storing.begin(at(11));
        storing.end(at(13));
        assert_eq!(storing.took(at(14)), Duration::from_secs(4));
        storing.end(at(15));
        storing.begin(at(20));
        assert_eq!(storing.took(at(22)), Duration::from_secs(7));
    }
}
