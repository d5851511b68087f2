//! Turns of what reads as much as it takes, such as searches that no index serves.
//!
//! A reader has a processor of the database for itself. So only so many read at once, and where batches were stored beside it
//! the next one waits the longer: ingest needs the processors more than somebody who waits for such an answer anyway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::StoreError;
use super::lease::Lease;
use super::pool::Pool;

/// Longest that a reader waits until those before it are done: as long as one of them may take.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long nobody reads after a reader, in times of how long batches were stored beside it.
const REST: u32 = 5;

#[derive(Clone, Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    connections: Pool,
    /// For telling the database that nobody waits for an answer any more.
    watch: Pool,
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

/// Leave to read, with a connection for it, until it is dropped. Where that is before [`Turn::done`], whoever asked has hung up,
/// and the statement is given up in the database too, which would read on, in the way of others.
pub(super) struct Turn {
    turns: Turns,
    permit: Option<OwnedSemaphorePermit>,
    lease: Option<Lease>,
    /// The database's process for the connection.
    backend: i32,
    /// How long batches had been stored when it began.
    stored: Duration,
}

impl Turns {
    /// For so many readers at once, with these connections.
    pub fn new(readers: usize, connections: Pool, watch: Pool) -> Self {
        let storing = Storing { batches: 0, at: Instant::now(), took: Duration::ZERO };
        Self {
            free: Arc::new(Semaphore::new(readers)),
            connections,
            watch,
            storing: Arc::new(Mutex::new(storing)),
        }
    }

    pub async fn take(&self) -> Result<Turn, StoreError> {
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.free).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Slow)?.ok();
        let mut lease = self.connections.acquire().await?;
        let backend = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut lease).await?;
        let stored = locked(&self.storing).took(Instant::now());
        Ok(Turn { turns: self.clone(), permit, lease: Some(lease), backend, stored })
    }

    /// Reads all rows of a query in a turn of its own.
    pub async fn fetch_all(
        &self,
        mut query: QueryBuilder<'static, Postgres>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut turn = self.take().await?;
        let rows = query.build().fetch_all(turn.connection()).await;
        turn.done();
        Ok(rows?)
    }

    /// For readers to know that a batch is being stored.
    pub fn storing(&self) -> StoringBatch {
        locked(&self.storing).begin(Instant::now());
        StoringBatch(Arc::clone(&self.storing))
    }
}

impl Turn {
    pub fn connection(&mut self) -> &mut Lease {
        self.lease.as_mut().expect("it is kept until the end")
    }

    /// The statement ended, whether well or not.
    pub fn done(mut self) {
        self.lease = None;
    }
}

/// In vain at worst: then the statement ends at its timeout.
async fn give_up(backend: i32, watch: &Pool) {
    let _ = sqlx::query("SELECT pg_cancel_backend($1)").bind(backend).execute(watch).await;
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
        let (permit, lease) = (self.permit.take(), self.lease.take());
        let (backend, watch) = (self.backend, self.turns.watch.clone());
        let beside = locked(&self.turns.storing).took(Instant::now()).saturating_sub(self.stored);
        tokio::spawn(async move {
            if let Some(lease) = lease {
                give_up(backend, &watch).await;
                // Not before: somebody else's statement would be given up.
                drop(lease);
            }
            sleep(beside * REST).await;
            drop(permit);
        });
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
