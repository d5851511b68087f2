//! Records the outcomes of a chunk, in the transaction that locked it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Chunk;
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Hold, Outcome, Outcomes, Settled, State};
use crate::store::counters::Changes;
use crate::store::ids::Ids;
use crate::store::{StoreError, attempts};

impl Chunk {
    /// Records the outcomes, and when the next chunk may begin. Items without an outcome stay open, for the reason in `hold`.
    /// `not_done` is the number of items that a cancellation skips. An operation that has ended keeps its end, because a worker
    /// without items may record after it. Returns whether the operation is completed.
    pub async fn record(
        mut self,
        settled: &[Settled],
        not_done: i64,
        hold: Option<&Hold>,
        next_chunk_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // A copy leaves its dead letter dead.
        if !self.operation.copy {
            self.change_status(settled, Outcome::Sent, Status::Redelivered, now).await?;
        }
        self.change_status(settled, Outcome::Deleted, Status::Deleted, now).await?;
        self.change_status(settled, Outcome::Restored, Status::Dead, now).await?;
        self.settle(settled).await?;
        attempts::clear(&mut self.transaction, &self.operation, self.worker, &self.items).await?;
        let mut outcomes = Outcomes::default();
        for item in settled {
            outcomes.add(item.outcome, 1);
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
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let from = self.operation.acts_on();
        // A dead letter that is redelivered again stays redelivered.
        if from == to {
            return Ok(());
        }
        let ended = settled.iter().filter(|item| item.outcome == outcome);
        let ids = Ids::of(ended.map(|item| item.dead_letter));
        if ids.all.is_empty() {
            return Ok(());
        }
        let change = match (from, to) {
            (Status::Dead, _) => {
                "WITH changed AS (DELETE FROM dead_letter_pending \
                     WHERE id = ANY($1) AND id BETWEEN $3 AND $4 RETURNING id, error_group), \
                     others AS (INSERT INTO dead_letter_left (id, status) SELECT id, $2::dead_letter_status FROM changed) \
                 SELECT id, error_group FROM changed"
            }
            _ => {
                "WITH back AS (DELETE FROM dead_letter_left \
                     WHERE id = ANY($1) AND id BETWEEN $3 AND $4 AND status <> $2::dead_letter_status RETURNING id) \
                 INSERT INTO dead_letter_pending (id, service, error_group, trigrams) \
                 SELECT d.id, d.service, d.error_group, d.trigrams FROM back CROSS JOIN LATERAL ( \
                     SELECT * FROM dead_letter x WHERE x.id = back.id LIMIT 1) d RETURNING id, error_group"
            }
        };
        let changed: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(change)
            .bind(&ids.all)
            .bind(to.as_str())
            .bind(ids.least)
            .bind(ids.greatest)
            .fetch_all(&mut *self.transaction)
            .await?;
        if changed.len() != ids.all.len() {
            return Err(StoreError::Inconsistent(format!(
                "{} of {} dead letters of operation {} were changed by another",
                ids.all.len() - changed.len(),
                ids.all.len(),
                self.operation.id
            )));
        }
        let mut changes = Changes::default();
        for (id, group) in changed {
            changes.moved(group, id, (from, to), now);
        }
        changes.apply(&mut self.transaction).await?;
        Ok(())
    }

    /// Records the outcomes as runs of neighbours with the same outcome, and releases the claims on the dead letters.
    async fn settle(&mut self, settled: &[Settled]) -> Result<(), StoreError> {
        let chunks: HashMap<i64, i64> = self.items.iter().map(|item| (item.position, item.chunk)).collect();
        let runs = runs(settled, &chunks)?;
        let freed: i64 = sqlx::query_scalar(
            "WITH ended AS ( \
                 INSERT INTO operation_run (operation_id, first_position, last_position, outcome, detail) \
                 SELECT $1, r.* FROM UNNEST($2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS r), \
             closed AS ( \
                 UPDATE operation_chunk c SET open = c.open - n.count \
                 FROM (SELECT r.chunk, sum(r.last - r.first + 1)::integer AS count \
                       FROM UNNEST($6::bigint[], $2::bigint[], $3::bigint[]) AS r (chunk, first, last) GROUP BY 1) n \
                 WHERE c.operation_id = $1 AND c.first_position = n.chunk), \
             freed AS (DELETE FROM operation_claim WHERE dead_letter_id = ANY($7) AND operation_id = $1 RETURNING 1) \
             SELECT count(*) FROM freed",
        )
        .bind(self.operation.id)
        .bind(runs.iter().map(|run| run.first).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.last).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.outcome.as_str()).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.detail).collect::<Vec<_>>())
        .bind(runs.iter().map(|run| run.chunk).collect::<Vec<_>>())
        .bind(settled.iter().map(|item| item.dead_letter).collect::<Vec<_>>())
        .fetch_one(&mut *self.transaction)
        .await?;
        if usize::try_from(freed) == Ok(settled.len()) {
            Ok(())
        } else {
            Err(StoreError::Inconsistent(format!(
                "items of operation {} had ended before",
                self.operation.id
            )))
        }
    }
}

/// Neighbours within a chunk that have the same outcome.
#[derive(Debug, PartialEq)]
struct Run<'s> {
    chunk: i64,
    first: i64,
    last: i64,
    outcome: Outcome,
    detail: Option<&'s str>,
}

/// The runs of these items. `chunks` maps positions to chunks.
fn runs<'s>(settled: &'s [Settled], chunks: &HashMap<i64, i64>) -> Result<Vec<Run<'s>>, StoreError> {
    let mut settled: Vec<_> = settled.iter().collect();
    settled.sort_unstable_by_key(|item| item.position);
    let mut runs: Vec<Run<'s>> = Vec::new();
    for item in settled {
        let (position, outcome, detail) = (item.position, item.outcome, item.detail.as_deref());
        let chunk = *chunks
            .get(&position)
            .ok_or_else(|| StoreError::Inconsistent("an item of another chunk".into()))?;
        match runs.last_mut() {
            Some(run)
                if (run.chunk, run.last + 1, run.outcome, run.detail)
                    == (chunk, position, outcome, detail) =>
            {
                run.last = position;
            }
            _ => runs.push(Run { chunk, first: position, last: position, outcome, detail }),
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(position: i64, outcome: Outcome, detail: Option<&str>) -> Settled {
        let detail = detail.map(str::to_owned);
        Settled { position, dead_letter: Uuid::nil(), outcome, detail, redelivery_id: None }
    }

    #[test]
    fn neighbours_that_ended_alike_are_one_run() {
        use Outcome::{Refused, Sent};
        let ended = [
            settled(6, Sent, None),
            settled(1, Sent, None),
            settled(2, Sent, None),
            settled(3, Refused, Some("a")),
            settled(4, Refused, Some("b")),
            settled(7, Sent, None),
            // Of the next chunk.
            settled(8, Sent, None),
        ];
        let chunks = (1..=7).map(|position| (position, 1)).chain([(8, 8)]).collect();
        let found = runs(&ended, &chunks).unwrap();
        let run = |chunk, first, last, outcome, detail| Run { chunk, first, last, outcome, detail };
        assert_eq!(
            found,
            [
                run(1, 1, 2, Sent, None),
                run(1, 3, 3, Refused, Some("a")),
                run(1, 4, 4, Refused, Some("b")),
                run(1, 6, 7, Sent, None),
                run(8, 8, 8, Sent, None)
            ]
        );
        assert!(runs(&[settled(9, Sent, None)], &chunks).is_err());
    }
}
