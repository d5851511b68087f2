//! A chunk of an operation: one transaction that locks the items, lets the worker act, and records the outcomes (rule R10).
//!
//! An operation with a rate, or a redelivery that keeps an order, has one worker at a time, by an advisory lock: all of a chunk
//! is confirmed before anything of the next one is published. In other operations the rows that list the items are locked, and
//! workers skip locked rows. If a worker crashes, its locks end with its connection, and another worker repeats the chunk.
//! Readers never wait for these locks.
//!
//! A worker may hold two chunks of an operation that keeps an order: the one that it publishes, and the previous or the next one.
//! The advisory lock belongs to the first of them. The row locks of the other exclude other workers, because a worker that needs
//! an order takes the first open rows or none.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempts::{self, PastAttempts};
use super::lease::Transaction;
use super::served_places::ServedPlaces;
use super::{Store, StoreError, operations};
use crate::clock;
use crate::domain::canary::Verdict;
use crate::domain::operation::Operation;
use crate::memory_budget::ChunkReservation;
use items::{Wanted, bytes_of, next_items, read_messages};

mod items;
mod record;

pub use items::{ChunkItem, IDS_IN_A_ROW};

/// Number of unfinished operations to try for one that no other worker has.
const CANDIDATES: i64 = 20;
/// Selects the operations with work to do at the time `$1`.
const DUE: &str = "state IN ('pending', 'running', 'cancelling') AND next_chunk_at <= $1";

/// A locked chunk. If it is dropped, it is rolled back.
#[derive(Debug)]
pub struct Chunk {
    transaction: Transaction<'static>,
    /// The worker that holds it.
    pub(super) worker: Uuid,
    /// Its operation.
    pub operation: Operation,
    /// Items without an outcome.
    pub items: Vec<ChunkItem>,
    /// Memory for their messages.
    _reserved: ChunkReservation,
}

/// The next work of a worker.
#[derive(Debug)]
pub enum Next {
    /// A chunk.
    Chunk(Box<Chunk>),
    /// The messages of the next chunk have this many bytes, and there is not enough memory now.
    OverBudget(usize),
    /// Nothing now.
    Nothing,
}

impl Store {
    /// Locks the next chunk of the operation that has waited longest. A chunk has at most `items` items and `bytes` bytes of
    /// messages, and at least one item. No lock is held while waiting for memory: if there is too little, nothing is locked.
    pub async fn next_chunk(
        &self,
        worker: Uuid,
        now: DateTime<Utc>,
        (items, bytes): (i64, i64),
        served: &ServedPlaces,
        mut reserved: ChunkReservation,
    ) -> Result<Next, StoreError> {
        for id in self.candidates(now, served).await? {
            let mut transaction = self.operations.begin().await?;
            if let Some(operation) = lock(&mut transaction, id, now).await? {
                if let Some(verdict) = operation.verdict() {
                    judge(transaction, id, verdict).await?;
                    continue;
                }
                let most = operation.allowance().map_or(items, |allowed| items.min(allowed));
                let mut wanted = Wanted { after: 0, items: most, bytes, of: None };
                let mut items = next_items(&mut transaction, &operation, &wanted).await?;
                if let Some(away) = served.not_for_us(&operation, &items) {
                    wanted.of = Some(served);
                    items = next_items(&mut transaction, &operation, &wanted).await?;
                    if items.is_empty() {
                        self.leave_to_others(transaction, id, &away, served, now).await?;
                        continue;
                    }
                }
                if items.is_empty() && has_open_items(&mut transaction, id).await? {
                    // Other workers have them.
                    continue;
                }
                let needed = bytes_of(&items, &operation);
                if !reserved.try_grow(needed) {
                    return Ok(Next::OverBudget(needed));
                }
                match attempts::past_attempts(&mut transaction, &operation, worker, &items).await? {
                    PastAttempts::None => {}
                    PastAttempts::Some => items.truncate(1),
                    PastAttempts::TooMany => {
                        attempts::pause(&mut transaction, &operation, &items).await?;
                        transaction.commit().await?;
                        continue;
                    }
                }
                read_messages(&mut transaction, &operation, &mut items).await?;
                return Ok(Next::Chunk(Box::new(Chunk {
                    transaction,
                    worker,
                    operation,
                    items,
                    _reserved: reserved,
                })));
            }
        }
        Ok(Next::Nothing)
    }

    /// Operations with work to do, the one that has waited longest first.
    async fn candidates(&self, now: DateTime<Utc>, served: &ServedPlaces) -> Result<Vec<Uuid>, StoreError> {
        let due = format!(
            "SELECT id FROM operation WHERE {DUE} AND id <> ALL ($3) ORDER BY next_chunk_at LIMIT $2"
        );
        Ok(sqlx::query_scalar(&due)
            .bind(now)
            .bind(CANDIDATES)
            .bind(served.left_to_others())
            .fetch_all(&self.operations)
            .await?)
    }

    /// Locks the next chunk while the current one is published, if the operation continues unchanged. Nothing of it may be
    /// published before all of the current one is confirmed.
    pub async fn following_chunk(
        &self,
        after: &Follower,
        now: DateTime<Utc>,
        (items, bytes): (i64, i64),
        served: &ServedPlaces,
    ) -> Result<Option<Box<Chunk>>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let Some(operation) = due(&mut transaction, after.operation, now).await? else { return Ok(None) };
        if !operation.can_be_read_ahead() {
            return Ok(None);
        }
        let wanted = Wanted { after: after.position, items, bytes, of: None };
        let mut items = next_items(&mut transaction, &operation, &wanted).await?;
        let mut reserved = ChunkReservation::default();
        if items.is_empty()
            || served.not_for_us(&operation, &items).is_some()
            || !reserved.try_grow(bytes_of(&items, &operation))
            || attempts::past_attempts(&mut transaction, &operation, after.worker, &items).await?
                != PastAttempts::None
        {
            return Ok(None);
        }
        read_messages(&mut transaction, &operation, &mut items).await?;
        Ok(Some(Box::new(Chunk { transaction, worker: after.worker, operation, items, _reserved: reserved })))
    }
}

/// The position after a chunk, to read ahead.
#[derive(Clone, Copy, Debug)]
pub struct Follower {
    operation: Uuid,
    worker: Uuid,
    /// The last item of the chunk.
    position: i64,
}

impl Chunk {
    /// The position after this chunk, if the next one may be read while this one is published.
    pub fn follower(&self) -> Option<Follower> {
        let position = self.items.last()?.position;
        let (operation, worker) = (self.operation.id, self.worker);
        self.operation.can_be_read_ahead().then_some(Follower { operation, worker, position })
    }
}

/// Locks the operation, unless another worker has it exclusively, or has acted on it in the meantime. See
/// [`Operation::has_one_worker`].
async fn lock(
    transaction: &mut Transaction<'static>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Operation>, StoreError> {
    let locked: Option<bool> = sqlx::query_scalar(
        "SELECT CASE WHEN rate IS NULL AND canary_passed >= ALL (canary_steps) AND (item_order = 'any' OR kind <> 'redeliver') \
             THEN pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) \
             ELSE pg_try_advisory_xact_lock(hashtextextended($1, 0)) END FROM operation WHERE id = $2",
    )
    .bind(format!("dead-letter operation {id}"))
    .bind(id)
    .fetch_optional(&mut **transaction)
    .await?;
    if locked != Some(true) {
        return Ok(None);
    }
    due(transaction, id, now).await
}

/// The operation, if it has work to do now.
async fn due(
    transaction: &mut Transaction<'static>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Operation>, StoreError> {
    let query = format!("SELECT {} FROM operation WHERE id = $2 AND {DUE}", operations::columns());
    let row = sqlx::query(&query).bind(now).bind(id).fetch_optional(&mut **transaction).await?;
    row.as_ref().map(operations::operation).transpose()
}

/// Records the verdict of the canary: the operation is paused, or continues with the next step.
async fn judge(mut transaction: Transaction<'static>, id: Uuid, verdict: Verdict) -> Result<(), StoreError> {
    let (passed, stopped) = match &verdict {
        Verdict::Pass(step) => (Some(*step), None),
        Verdict::Stop(why) => (None, Some(why.as_str())),
    };
    sqlx::query(
        "WITH judged AS ( \
             UPDATE operation SET canary_passed = COALESCE($2, canary_passed), last_error = $3, \
                 state = CASE WHEN $3::text IS NULL OR state = 'cancelling' THEN state ELSE 'paused' END \
             WHERE id = $1 RETURNING id) \
         INSERT INTO operation_event (id, operation_id, action, detail, done_by) \
         SELECT $4, id, 'canary', COALESCE($3, 'passed after ' || $2), 'dead-letter' FROM judged",
    )
    .bind(id)
    .bind(passed)
    .bind(stopped)
    .bind(clock::new_id())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

async fn has_open_items(transaction: &mut Transaction<'static>, id: Uuid) -> Result<bool, StoreError> {
    let query = "SELECT EXISTS (SELECT FROM operation_chunk WHERE operation_id = $1 AND open > 0)";
    Ok(sqlx::query_scalar(query).bind(id).fetch_one(&mut **transaction).await?)
}
