//! Limits scans: queries that read as much as it takes, such as searches that no index serves.
//!
//! A scan keeps one processor of the database busy. Only a few run at a time. If batches were stored while one ran, a cool-down
//! follows it: ingest needs the processors more than a caller who expects to wait anyway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::StoreError;
use super::lease::Lease;
use super::pool::Pool;

/// Longest wait for a permit: as long as one scan may take.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Cool-down after a scan, as a multiple of the time that ingest spent writing while it ran.
const COOL_DOWN: u32 = 5;

#[derive(Clone, Debug)]
pub(super) struct ScanLimiter {
    free: Arc<Semaphore>,
    connections: Pool,
    /// To cancel the statements of callers that have gone.
    health: Pool,
    writes: Arc<Mutex<WriteTime>>,
}

/// How long batches were being written. Concurrent batches count once.
#[derive(Debug)]
struct WriteTime {
    batches: usize,
    /// The time up to which `total` counts.
    counted_to: Instant,
    total: Duration,
}

/// Marks a batch as being written, until this is dropped.
#[derive(Debug)]
pub(super) struct WriteGuard(Arc<Mutex<WriteTime>>);

/// Permission to scan, with a connection. Dropped before [`ScanPermit::finish`], the caller has gone: the statement is cancelled
/// on the server, where it would otherwise keep running.
pub(super) struct ScanPermit {
    limiter: ScanLimiter,
    permit: Option<OwnedSemaphorePermit>,
    lease: Option<Lease>,
    /// Process id of the connection's server process.
    backend: i32,
    /// The total write time when the scan began.
    written_before: Duration,
}

impl ScanLimiter {
    /// Limits scans to this number at a time, on these connections.
    pub fn new(scans: usize, connections: Pool, health: Pool) -> Self {
        let writes = WriteTime { batches: 0, counted_to: Instant::now(), total: Duration::ZERO };
        Self {
            free: Arc::new(Semaphore::new(scans)),
            connections,
            health,
            writes: Arc::new(Mutex::new(writes)),
        }
    }

    pub async fn acquire(&self) -> Result<ScanPermit, StoreError> {
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.free).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Slow)?.ok();
        let mut lease = self.connections.acquire().await?;
        let backend = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut lease).await?;
        let written_before = locked(&self.writes).total(Instant::now());
        Ok(ScanPermit { limiter: self.clone(), permit, lease: Some(lease), backend, written_before })
    }

    /// Acquires a permit, and fetches all rows of the query.
    pub async fn fetch_all(
        &self,
        mut query: QueryBuilder<'static, Postgres>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut permit = self.acquire().await?;
        let rows = query.build().fetch_all(permit.connection()).await;
        permit.finish();
        Ok(rows?)
    }

    /// Notes that a batch is being written.
    pub fn note_write(&self) -> WriteGuard {
        locked(&self.writes).begin(Instant::now());
        WriteGuard(Arc::clone(&self.writes))
    }
}

impl ScanPermit {
    pub fn connection(&mut self) -> &mut Lease {
        self.lease.as_mut().expect("it is kept until the end")
    }

    /// The statement has ended, successfully or not.
    pub fn finish(mut self) {
        self.lease = None;
    }
}

/// Best effort: the statement timeout ends it otherwise.
async fn cancel_statement(backend: i32, health: &Pool) {
    let _ = sqlx::query("SELECT pg_cancel_backend($1)").bind(backend).execute(health).await;
}

impl WriteTime {
    fn total(&mut self, now: Instant) -> Duration {
        let since = std::mem::replace(&mut self.counted_to, now);
        if self.batches > 0 {
            self.total += now - since;
        }
        self.total
    }

    fn begin(&mut self, now: Instant) {
        self.total(now);
        self.batches += 1;
    }

    fn end(&mut self, now: Instant) {
        self.total(now);
        self.batches -= 1;
    }
}

fn locked(writes: &Mutex<WriteTime>) -> MutexGuard<'_, WriteTime> {
    writes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        locked(&self.0).end(Instant::now());
    }
}

impl Drop for ScanPermit {
    fn drop(&mut self) {
        let (permit, lease) = (self.permit.take(), self.lease.take());
        let (backend, health) = (self.backend, self.limiter.health.clone());
        let written = locked(&self.limiter.writes).total(Instant::now()).saturating_sub(self.written_before);
        tokio::spawn(async move {
            if let Some(lease) = lease {
                cancel_statement(backend, &health).await;
                // Not before: the next user's statement would be cancelled.
                drop(lease);
            }
            sleep(written * COOL_DOWN).await;
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
        let mut writes = WriteTime { batches: 0, counted_to: begun, total: Duration::ZERO };
        writes.begin(at(10));
        writes.begin(at(11));
        writes.end(at(13));
        assert_eq!(writes.total(at(14)), Duration::from_secs(4));
        writes.end(at(15));
        writes.begin(at(20));
        assert_eq!(writes.total(at(22)), Duration::from_secs(7));
    }
}
