//! Which chunks were begun and have not ended: committed before a worker acts, so that a chunk that kills its worker is known.
//!
//! A chunk's transaction goes with its worker; this row does not. It is written without waiting for the disk: it has to outlive
//! the service, and where the database dies too, a death goes uncounted.

use uuid::Uuid;

use super::chunk::ChunkItem;
use super::lease::Transaction;
use super::{Store, StoreError};
use crate::clock;
use crate::domain::operation::{Kind, Operation, State};

/// An item with which workers have died so often is not tried again before somebody says so.
const DEATHS: i64 = 3;

/// What is to be done with a chunk that is locked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It may be acted on; after a death it was made one item long, so that the next death names a single dead letter.
    Yes,
    /// Its operation was paused instead.
    Paused,
}

impl Store {
    /// Notes that this worker begins the chunk of these items, or pauses the operation where others died with it.
    pub(super) async fn begin_chunk(
        &self,
        transaction: &mut Transaction<'static>,
        operation: &Operation,
        worker: Uuid,
        items: &mut Vec<ChunkItem>,
    ) -> Result<Begun, StoreError> {
        let is_published = operation.kind == Kind::Redeliver && operation.state != State::Cancelling;
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(Begun::Yes) };
        if !is_published {
            return Ok(Begun::Yes);
        }
        let (from, mut to) = (first.position, last.position);
        // Who is alive has its items locked: of a row that overlaps ours, the worker has died, or failed.
        let (of_the_first, of_any): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE first_position <= $3), count(*) FROM operation_begin \
             WHERE operation_id = $1 AND worker <> $2 AND first_position <= $4 AND last_position >= $3",
        )
        .bind(operation.id)
        .bind(worker)
        .bind(from)
        .bind(to)
        .fetch_one(&mut **transaction)
        .await?;
        if of_the_first >= DEATHS {
            pause(transaction, operation.id, first.dead_letter).await?;
            return Ok(Begun::Paused);
        }
        if of_any > 0 {
            items.truncate(1);
            to = from;
        }
        sqlx::query(
            "WITH fast AS (SELECT set_config('synchronous_commit', 'off', true)) \
             INSERT INTO operation_begin (operation_id, worker, first_position, last_position) SELECT $1, $2, $3, $4 FROM fast \
             ON CONFLICT (operation_id, worker) DO UPDATE \
             SET first_position = EXCLUDED.first_position, last_position = EXCLUDED.last_position, begun_at = now()",
        )
        .bind(operation.id)
        .bind(worker)
        .bind(from)
        .bind(to)
        .execute(&self.operations)
        .await?;
        Ok(Begun::Yes)
    }

    /// Takes back what a worker noted that has failed and lives: that was no death.
    pub async fn forget_begin(&self, operation: Uuid, worker: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM operation_begin WHERE operation_id = $1 AND worker = $2")
            .bind(operation)
            .bind(worker)
            .execute(&self.operations)
            .await?;
        Ok(())
    }
}

/// Takes away the row of the chunk that ends with this transaction, and those of the dead of whose items none is left.
pub(super) async fn end(
    transaction: &mut Transaction<'static>,
    operation: Uuid,
    worker: Uuid,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM operation_begin b WHERE b.operation_id = $1 AND (b.worker = $2 OR NOT EXISTS ( \
             SELECT FROM operation_item i WHERE i.operation_id = $1 AND i.outcome IS NULL \
                 AND i.position BETWEEN b.first_position AND b.last_position))",
    )
    .bind(operation)
    .bind(worker)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn pause(
    transaction: &mut Transaction<'static>,
    operation: Uuid,
    dead_letter: Uuid,
) -> Result<(), StoreError> {
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
    .bind(operation)
    .bind(why)
    .bind(clock::new_id())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
