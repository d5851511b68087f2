//! Recording what became of a chunk, in the transaction that locked it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Chunk;
use crate::clock;
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Hold, Kind, Outcome, Outcomes, Settled, State};
use crate::store::counters::Changes;
use crate::store::lease::Transaction;
use crate::store::{StoreError, begins};

impl Chunk {
    /// Records what became of the items, and when the next chunk may begin. Items that are not among them stay open, for
    /// the reason given; `not_done` of the skipped ones are what a cancellation leaves as it was. An operation that has ended keeps its end, as a worker that found nothing to do may come after.
    /// Returns whether the operation is completed.
    pub async fn record(
        mut self,
        settled: &[Settled],
        not_done: i64,
        hold: Option<&Hold>,
        next_chunk_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // What was copied is as dead as before.
        if !self.operation.copy {
            self.change_status(settled, Outcome::Sent, Status::Redelivered).await?;
        }
        self.change_status(settled, Outcome::Deleted, Status::Deleted).await?;
        self.change_status(settled, Outcome::Restored, Status::Dead).await?;
        self.settle(settled).await?;
        if self.operation.kind == Kind::Redeliver {
            begins::end(&mut self.transaction, self.operation.id, self.worker).await?;
        }
        let mut outcomes = Outcomes::default();
        for item in settled {
            outcomes.add(item.outcome);
        }
        let state: String = sqlx::query_scalar(
            "UPDATE operation o SET sent = o.sent + $2, deleted = o.deleted + $3, refused = o.refused + $4, \
                 skipped = o.skipped + $5, restored = o.restored + $8, not_done = o.not_done + $10, \
                 last_error = CASE WHEN o.state = 'paused' THEN o.last_error ELSE $6 END, waits_for = $11, \
                 next_chunk_at = $7, started_at = COALESCE(o.started_at, now()), \
                 state = CASE WHEN n.is_open THEN CASE o.state WHEN 'pending' THEN 'running' ELSE o.state END \
                     WHEN o.state IN ('cancelling', 'cancelled') THEN 'cancelled' ELSE 'completed' END, \
                 ended_at = CASE WHEN n.is_open THEN NULL ELSE COALESCE(o.ended_at, clock_timestamp()) END \
             FROM (SELECT sent + returned + deleted + restored + refused + skipped + $9 < total AS is_open \
                   FROM operation WHERE id = $1 FOR UPDATE) n \
             WHERE id = $1 RETURNING state",
        )
        .bind(self.operation.id)
        .bind(outcomes.sent)
        .bind(outcomes.deleted)
        .bind(outcomes.refused)
        .bind(outcomes.skipped)
        .bind(hold.map(Hold::reason))
        .bind(next_chunk_at)
        .bind(outcomes.restored)
        .bind(outcomes.settled())
        .bind(not_done)
        .bind(hold.and_then(Hold::waits_for))
        .fetch_one(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(State::parse(&state).is_some_and(State::is_final))
    }

    async fn change_status(
        &mut self,
        settled: &[Settled],
        outcome: Outcome,
        to: Status,
    ) -> Result<(), StoreError> {
        let from = self.operation.acts_on();
        // What is redelivered once more stays redelivered.
        if from == to {
            return Ok(());
        }
        let ids: Vec<Uuid> =
            settled.iter().filter(|item| item.outcome == outcome).map(|item| item.dead_letter).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let change = match (from, to) {
            (Status::Dead, _) => {
                "WITH changed AS (DELETE FROM dead_letter_pending WHERE id = ANY($1) RETURNING id, error_group), \
                     others AS (INSERT INTO dead_letter_left (id, status) SELECT id, $2::dead_letter_status FROM changed) \
                 SELECT id, error_group FROM changed"
            }
            _ => {
                "WITH back AS (DELETE FROM dead_letter_left WHERE id = ANY($1) AND status <> $2::dead_letter_status RETURNING id) \
                 INSERT INTO dead_letter_pending (id, service, error_group, trigrams) \
                 SELECT d.id, d.service, d.error_group, d.trigrams FROM back CROSS JOIN LATERAL ( \
                     SELECT * FROM dead_letter x WHERE x.id = back.id LIMIT 1) d RETURNING id, error_group"
            }
        };
        let changed: Vec<(Uuid, Option<Uuid>)> =
            sqlx::query_as(change).bind(&ids).bind(to.as_str()).fetch_all(&mut *self.transaction).await?;
        if changed.len() != ids.len() {
            return Err(StoreError::Inconsistent(format!(
                "{} of {} dead letters of operation {} were changed by another",
                ids.len() - changed.len(),
                ids.len(),
                self.operation.id
            )));
        }
        let mut changes = Changes::default();
        let now = clock::now();
        for (id, group) in changed {
            changes.moved(group, id, (from, to), now);
        }
        changes.apply(&mut self.transaction).await?;
        Ok(())
    }

    /// Writes the outcomes into the rows that are locked, by their places, and lets the planner, who knows nothing of items that
    /// were frozen a moment ago, look for them in no other way.
    async fn settle(&mut self, settled: &[Settled]) -> Result<(), StoreError> {
        let rows: HashMap<i64, &str> =
            self.items.iter().map(|item| (item.position, item.row.as_str())).collect();
        let places: Option<Vec<&str>> =
            settled.iter().map(|item| rows.get(&item.position).copied()).collect();
        let places = places.ok_or_else(|| StoreError::Inconsistent("an item of another chunk".into()))?;
        by_places_only(&mut self.transaction, true).await?;
        let updated = sqlx::query(
            "UPDATE operation_item i SET outcome = s.outcome, detail = s.detail, redelivery_id = s.redelivery_id, \
                 settled_at = now() \
             FROM UNNEST($1::text[]::tid[], $2::text[], $3::text[], $4::uuid[]) \
                 AS s (row, outcome, detail, redelivery_id) \
             WHERE i.ctid = s.row AND i.outcome IS NULL",
        )
        .bind(places)
        .bind(settled.iter().map(|item| item.outcome.as_str()).collect::<Vec<_>>())
        .bind(settled.iter().map(|item| item.detail.as_deref()).collect::<Vec<_>>())
        .bind(settled.iter().map(|item| item.redelivery_id).collect::<Vec<_>>())
        .execute(&mut *self.transaction)
        .await?;
        by_places_only(&mut self.transaction, false).await?;
        if updated.rows_affected() == settled.len() as u64 {
            Ok(())
        } else {
            Err(StoreError::Inconsistent(format!(
                "items of operation {} had ended before",
                self.operation.id
            )))
        }
    }
}

async fn by_places_only(transaction: &mut Transaction<'static>, only: bool) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('enable_indexscan', $1, true), set_config('enable_bitmapscan', $1, true)")
        .bind(if only { "off" } else { "on" })
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
