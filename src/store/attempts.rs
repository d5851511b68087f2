//! Attempts at chunks. A row is committed before a worker acts, so that a chunk that crashes its worker can be identified.
//!
//! The transaction of a chunk ends with its worker; the row of the attempt stays. It is written without waiting for the disk: it
//! only has to survive the service. If the database crashes as well, an attempt goes uncounted.

use uuid::Uuid;

use super::chunk::{Chunk, ChunkItem};
use super::lease::Transaction;
use super::{Store, StoreError};
use crate::clock;
use crate::domain::operation::{Kind, Operation};

/// After this many crashes an item is not tried again until an operator resumes the operation.
const DEATHS: i64 = 3;

/// Whether workers have crashed during a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PastAttempts {
    /// No worker has.
    None,
    /// Some have. The chunk is to be reduced to one item, so that the next crash identifies a single dead letter.
    Some,
    /// Too many have with its first item.
    TooMany,
}

/// Whether other workers crashed during this chunk. A live worker has its items locked. So if an attempt of another worker
/// overlaps this chunk, that worker has crashed or failed.
pub(super) async fn past_attempts(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    worker: Uuid,
    items: &[ChunkItem],
) -> Result<PastAttempts, StoreError> {
    let Some((first, last)) = published(operation, items) else { return Ok(PastAttempts::None) };
    let (of_the_first, of_any): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE first_position <= $3), count(*) FROM operation_begin \
         WHERE operation_id = $1 AND worker <> $2 AND first_position <= $4 AND last_position >= $3",
    )
    .bind(operation.id)
    .bind(worker)
    .bind(first)
    .bind(last)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(match (of_the_first, of_any) {
        (DEATHS.., _) => PastAttempts::TooMany,
        (_, 1..) => PastAttempts::Some,
        _ => PastAttempts::None,
    })
}

/// First and last position of the items, if they are to be published.
fn published(operation: &Operation, items: &[ChunkItem]) -> Option<(i64, i64)> {
    operation.publishes().then_some((items.first()?.position, items.last()?.position))
}

impl Store {
    /// Commits that the chunk's worker begins it. The worker has recorded its previous chunk, or is about to.
    pub async fn note_attempt(&self, chunk: &Chunk) -> Result<(), StoreError> {
        let Some((first, last)) = published(&chunk.operation, &chunk.items) else { return Ok(()) };
        sqlx::query(
            "WITH fast AS (SELECT set_config('synchronous_commit', 'off', true)) \
             INSERT INTO operation_begin (operation_id, worker, first_position, last_position) SELECT $1, $2, $3, $4 FROM fast \
             ON CONFLICT (operation_id, worker) DO UPDATE \
             SET first_position = EXCLUDED.first_position, last_position = EXCLUDED.last_position, begun_at = now()",
        )
        .bind(chunk.operation.id)
        .bind(chunk.worker)
        .bind(first)
        .bind(last)
        .execute(&self.operations)
        .await?;
        Ok(())
    }

    /// Removes the attempt of a worker that failed without crashing.
    pub async fn forget_attempt(&self, operation: Uuid, worker: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM operation_begin WHERE operation_id = $1 AND worker = $2")
            .bind(operation)
            .bind(worker)
            .execute(&self.operations)
            .await?;
        Ok(())
    }
}

/// Removes the attempt at the chunk that ends with this transaction, unless its worker has begun the next one, and the attempts
/// of crashed workers whose items have all ended.
pub(super) async fn clear(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    worker: Uuid,
    items: &[ChunkItem],
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(()) };
    if operation.kind != Kind::Redeliver {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM operation_begin b WHERE b.operation_id = $1 \
             AND (b.worker = $2 AND b.first_position BETWEEN $3 AND $4 OR b.worker <> $2 AND NOT EXISTS ( \
                 SELECT FROM operation_item i WHERE i.operation_id = $1 AND i.outcome IS NULL \
                     AND i.position BETWEEN b.first_position AND b.last_position AND i.chunk IN ( \
                         SELECT c.first_position FROM operation_chunk c WHERE c.operation_id = $1 AND c.open > 0 \
                             AND c.first_position <= b.last_position AND c.last_position >= b.first_position)))",
    )
    .bind(operation.id)
    .bind(worker)
    .bind(first.position)
    .bind(last.position)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Pauses the operation and says which dead letter is to blame.
pub(super) async fn pause(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    items: &[ChunkItem],
) -> Result<(), StoreError> {
    let Some(dead_letter) = items.first().map(|item| item.dead_letter) else { return Ok(()) };
    let why = format!(
        "the dead letter {dead_letter} was begun {DEATHS} times, and each time the service ended before the chunk did: it may \
         be what ends it. Cancel this operation and redeliver the others, or resume it to try again"
    );
    sqlx::query(
        "WITH paused AS ( \
             UPDATE operation SET state = 'paused', last_error = $2 WHERE id = $1 AND state IN ('pending', 'running') RETURNING id) \
         INSERT INTO operation_event (id, operation_id, action, detail, done_by) \
         SELECT $3, id, 'pause', $2, 'dead-letter' FROM paused",
    )
    .bind(operation.id)
    .bind(why)
    .bind(clock::new_id())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
