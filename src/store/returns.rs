//! Returns: messages that we redelivered and that died again.
//!
//! Ingest only notes that one has come, beside its row: the item that it belongs to may be locked by the chunk that has just
//! published it, and no batch waits for that. The note is linked with the item afterwards.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::lease::Lease;
use super::{Store, StoreError};
use crate::domain::dead_letter::{NewDeadLetter, floor_id};

/// A return that is not linked after this time is not ours, or its operation is no longer stored.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Number of returns that are linked together.
const AT_ONCE: i64 = 1000;

/// Notes which of these rows, stored in the same transaction, are returns.
pub(super) async fn announce(connection: &mut Lease, rows: &[NewDeadLetter]) -> Result<(), StoreError> {
    let returned: Vec<_> = rows.iter().filter(|row| row.derived.redelivery_id.is_some()).collect();
    if returned.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO dead_letter_return (dead_letter_id, redelivery_id, error_group) \
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[])",
    )
    .bind(returned.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(returned.iter().map(|row| row.derived.redelivery_id).collect::<Vec<_>>())
    .bind(returned.iter().map(|row| row.fingerprint.group).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Tells the items which of their messages died again, as far as they came since this time. Returns how many items that
    /// were.
    pub async fn link_returns(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_ours: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('dead-letter returns', 0))",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !is_ours {
            return Ok(0);
        }
        let (mut linked, mut after) = (0, floor_id(since));
        loop {
            let notes: Vec<(Uuid, Uuid)> = sqlx::query_as(
                "SELECT dead_letter_id, redelivery_id FROM dead_letter_return WHERE dead_letter_id > $1 \
                 ORDER BY dead_letter_id LIMIT $2",
            )
            .bind(after)
            .bind(AT_ONCE)
            .fetch_all(&mut *transaction)
            .await?;
            let Some((last, _)) = notes.last() else { break };
            after = *last;
            let (ids, redeliveries): (Vec<_>, Vec<_>) = notes.into_iter().unzip();
            linked += link(&mut transaction, ids, redeliveries).await?;
        }
        sqlx::query("DELETE FROM dead_letter_return WHERE dead_letter_id < $1")
            .bind(floor_id(now - KEPT))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(linked)
    }
}

/// The note of an item that has no outcome yet waits. A message that came back twice, as it
/// was published twice, is one item; both of its deaths are in its history.
async fn link(connection: &mut Lease, ids: Vec<Uuid>, redeliveries: Vec<Uuid>) -> Result<u64, StoreError> {
    let linked: i64 = sqlx::query_scalar(
        "WITH known AS MATERIALIZED ( \
             SELECT n.id, r.operation_id, r.position, r.dead_letter_id, s.outcome, s.settled_at \
             FROM UNNEST($1::uuid[], $2::uuid[]) AS n (id, redelivery_id) \
                 CROSS JOIN LATERAL (SELECT * FROM dead_letter_redelivery(n.redelivery_id) LIMIT 1) r \
                 JOIN LATERAL (SELECT * FROM operation_run o \
                     WHERE o.operation_id = r.operation_id AND o.first_position <= r.position \
                     ORDER BY o.first_position DESC LIMIT 1) s ON s.last_position >= r.position), \
         gone AS ( \
             DELETE FROM dead_letter_return r USING known k WHERE r.dead_letter_id = k.id \
             RETURNING k.*, r.error_group), \
         linked AS ( \
             INSERT INTO operation_return (operation_id, position, dead_letter_id, returned_as, returned_group, sent_at) \
             SELECT DISTINCT ON (operation_id, position) operation_id, position, dead_letter_id, id, error_group, settled_at \
             FROM gone WHERE outcome = 'sent' ORDER BY operation_id, position, id \
             ON CONFLICT DO NOTHING RETURNING operation_id), \
         counted AS ( \
             UPDATE operation o SET sent = o.sent - n.count, returned = o.returned + n.count \
             FROM (SELECT operation_id, count(*) AS count FROM linked GROUP BY operation_id) n \
             WHERE o.id = n.operation_id) \
         SELECT count(*) FROM linked",
    )
    .bind(ids)
    .bind(redeliveries)
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(linked).unwrap_or_default())
}
