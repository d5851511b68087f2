//! A chunk of an operation: one transaction that locks, lets its holder act, and records (rule R10).
//!
//! An operation with a rate, and a redelivery that keeps an order, are a matter for one worker at a time, by an advisory lock: all
//! of a chunk is confirmed before anything of the next is published. Of others the items are locked by their rows: workers take the
//! next ones that nobody has. When a holder dies its locks are gone with the connection, so that whoever comes next does the chunk
//! again. Nobody who only reads waits for any of these.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::begins::Begun;
use super::lease::Transaction;
use super::places::Served;
use super::{Store, StoreError, operations};
use crate::clock;
use crate::domain::canary::Verdict;
use crate::domain::operation::Operation;
use crate::room::ChunkRoom;
use items::{bytes_of, next_items, read_messages};

mod items;
mod record;

pub use items::ChunkItem;

/// How many unfinished operations are looked at for one that nobody is working on.
const CANDIDATES: i64 = 20;
/// Which operations have something to do at the time `$1`.
const DUE: &str = "state IN ('pending', 'running', 'cancelling') AND next_chunk_at <= $1";

/// A chunk that is locked. Dropped, it was never begun.
#[derive(Debug)]
pub struct Chunk {
    transaction: Transaction<'static>,
    /// Who does it.
    worker: Uuid,
    /// The operation that it is of.
    pub operation: Operation,
    /// The next items that have no outcome.
    pub items: Vec<ChunkItem>,
    /// What their messages take.
    _room: ChunkRoom,
}

/// What there is to do.
#[derive(Debug)]
pub enum Next {
    /// This chunk.
    Chunk(Box<Chunk>),
    /// A chunk whose messages have so many bytes, for which there is no room now.
    NoRoom(usize),
    /// Nothing now.
    Nothing,
}

impl Store {
    /// Locks the next chunk of the operation that has waited longest, if one has any to do now, for this worker, and notes that it is
    /// begun. A chunk has at most `items` items and `bytes` bytes of messages, but one item at least. No lock waits for room: where
    /// there is too little, nothing is begun.
    pub async fn next_chunk(
        &self,
        worker: Uuid,
        now: DateTime<Utc>,
        (items, bytes): (i64, i64),
        served: &Served,
        mut room: ChunkRoom,
    ) -> Result<Next, StoreError> {
        let due = format!(
            "SELECT id FROM operation WHERE {DUE} AND id <> ALL ($3) ORDER BY next_chunk_at LIMIT $2"
        );
        let candidates: Vec<Uuid> = sqlx::query_scalar(&due)
            .bind(now)
            .bind(CANDIDATES)
            .bind(served.left_to_others())
            .fetch_all(&self.operations)
            .await?;
        for id in candidates {
            let mut transaction = self.operations.begin().await?;
            plan_by_index(&mut transaction).await?;
            if let Some(operation) = lock(&mut transaction, id, now).await? {
                if let Some(verdict) = operation.verdict() {
                    judge(transaction, id, verdict).await?;
                    continue;
                }
                let most = operation.allowance().map_or(items, |allowed| items.min(allowed));
                let mut items = next_items(&mut transaction, &operation, (most, bytes), None).await?;
                if let Some(away) = served.not_for_us(&operation, &items) {
                    items = next_items(&mut transaction, &operation, (most, bytes), Some(served)).await?;
                    if items.is_empty() {
                        self.leave_to_others(transaction, id, &away, served, now).await?;
                        continue;
                    }
                }
                if items.is_empty() && has_open_items(&mut transaction, id).await? {
                    // Others are at them.
                    continue;
                }
                let needed = bytes_of(&items, &operation);
                if !room.grow(needed) {
                    return Ok(Next::NoRoom(needed));
                }
                if self.begin_chunk(&mut transaction, &operation, worker, &mut items).await? == Begun::Paused
                {
                    transaction.commit().await?;
                    continue;
                }
                read_messages(&mut transaction, &operation, &mut items).await?;
                return Ok(Next::Chunk(Box::new(Chunk {
                    transaction,
                    worker,
                    operation,
                    items,
                    _room: room,
                })));
            }
        }
        Ok(Next::Nothing)
    }
}

/// Joins of a chunk look each row up. The planner knows nothing of items that were frozen a moment ago, or of a young
/// partition, and would read all of either for every chunk.
pub(super) async fn plan_by_index(transaction: &mut Transaction<'static>) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), \
             set_config('enable_seqscan', 'off', true)",
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Takes the operation, unless another worker has it to itself, or had it since it was looked at. See [`Operation::has_one_worker`].
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
    let query = format!("SELECT {} FROM operation WHERE id = $2 AND {DUE}", operations::columns());
    let row = sqlx::query(&query).bind(now).bind(id).fetch_optional(&mut **transaction).await?;
    row.as_ref().map(operations::operation).transpose()
}

/// Records what the canary found: the operation is paused, or looked at again at once, past the step.
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
    let query = "SELECT EXISTS (SELECT FROM operation_item WHERE operation_id = $1 AND outcome IS NULL)";
    Ok(sqlx::query_scalar(query).bind(id).fetch_one(&mut **transaction).await?)
}
