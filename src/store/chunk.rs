//! A chunk of an operation: one transaction that locks, lets its holder act, and records (rule R10).
//!
//! An operation with a rate, and a redelivery that keeps an order, are a matter for one worker at a time, by an advisory lock: all
//! of a chunk is confirmed before anything of the next is published. Of others the items are locked by their rows: workers take the
//! next ones that nobody has. When a holder dies its locks are gone with the connection, so that whoever comes next does the chunk
//! again. Nobody who only reads waits for any of these.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::begins::{self, Begun};
use super::counters::Changes;
use super::lease::Transaction;
use super::places::{self, Served};
use super::search::{PLACE, place};
use super::{Store, StoreError, operations};
use crate::clock;
use crate::domain::canary::Verdict;
use crate::domain::convention::{Origin, Provenance};
use crate::domain::dead_letter::{Payload, Status};
use crate::domain::operation::{Hold, Kind, Operation, Outcome, Outcomes, Settled, State};
use crate::domain::place::Place;

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
}

/// A dead letter that is to be acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkItem {
    /// Its place in the operation.
    pub position: i64,
    /// The place of its row, which nothing moves while it is locked.
    row: String,
    /// The dead letter.
    pub dead_letter: Uuid,
    /// Where it stands; `None` where it is no longer stored.
    pub status: Option<Status>,
    /// The broker and virtual host where it died; `None` where it is no longer stored.
    pub place: Option<Place>,
    /// Where it died there.
    pub provenance: Provenance,
    /// Its bytes; empty where it is to be deleted.
    pub payload: Payload,
}

#[cfg(test)]
impl ChunkItem {
    /// One that no database has.
    pub(crate) fn made(position: i64, dead_letter: Uuid, status: Status) -> Self {
        let payload = Payload { properties: Vec::new(), body: Vec::new() };
        Self {
            position,
            row: String::new(),
            dead_letter,
            status: Some(status),
            place: None,
            provenance: Provenance::default(),
            payload,
        }
    }
}

impl Store {
    /// Locks the next chunk of the operation that has waited longest, if one has any to do now, for this worker, and notes that it is
    /// begun. A chunk has at most `items` items and `bytes` bytes of bodies, but one item at least.
    pub async fn next_chunk(
        &self,
        worker: Uuid,
        now: DateTime<Utc>,
        (items, bytes): (i64, i64),
        served: &Served,
    ) -> Result<Option<Chunk>, StoreError> {
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
                let mut items = load(&mut transaction, &operation, (most, bytes), None).await?;
                if let Some(away) = served.not_for_us(&operation, &items) {
                    items = load(&mut transaction, &operation, (most, bytes), Some(served)).await?;
                    if items.is_empty() {
                        self.leave_to_others(transaction, id, &away, served, now).await?;
                        continue;
                    }
                }
                if items.is_empty() && has_open_items(&mut transaction, id).await? {
                    // Others are at them.
                    continue;
                }
                if self.begin_chunk(&mut transaction, &operation, worker, &mut items).await? == Begun::Paused
                {
                    transaction.commit().await?;
                    continue;
                }
                return Ok(Some(Chunk { transaction, worker, operation, items }));
            }
        }
        Ok(None)
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

async fn load(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    (items, bytes): (i64, i64),
    of: Option<&Served>,
) -> Result<Vec<ChunkItem>, StoreError> {
    let payload = match operation.kind {
        Kind::Redeliver => "d.properties, d.body",
        Kind::Delete | Kind::Restore => "NULL::bytea AS properties, NULL::bytea AS body",
    };
    let ours = if of.is_some() { places::ITEMS_OF_PLACES } else { "" };
    // Sizes are summed before any body that is stored apart is read. Each dead letter is looked up by its id: the LIMIT keeps
    // the planner, who knows nothing of a young partition, from reading all of it for every chunk instead.
    let query = format!(
        "WITH open AS MATERIALIZED ( \
             SELECT position, dead_letter_id, ctid AS row FROM operation_item \
             WHERE operation_id = $1 AND outcome IS NULL{ours} ORDER BY position LIMIT $2 \
             FOR UPDATE SKIP LOCKED), \
         sized AS ( \
             SELECT o.position, o.row, o.dead_letter_id, d.*, \
                 sum(COALESCE(d.size, 0)) OVER (ORDER BY o.position) - COALESCE(d.size, 0) AS before \
             FROM open o LEFT JOIN LATERAL ( \
                 SELECT d.status::text AS status, {ORIGIN}, \
                     octet_length(d.body) AS size, {payload}, {PLACE} \
                 FROM dead_letter d WHERE d.id = o.dead_letter_id LIMIT 1) d ON true) \
         SELECT position, row::text AS row, dead_letter_id, status, origin_queue, origin_exchange, \
             origin_routing_key, claimed_by, has_other_routing, properties, body, broker, vhost \
         FROM sized WHERE before = 0 OR before < $3 ORDER BY position"
    );
    let mut query = sqlx::query(&query).bind(operation.id).bind(items).bind(bytes);
    if let Some(served) = of {
        let (brokers, vhosts) = served.names();
        query = query.bind(brokers).bind(vhosts);
    }
    let rows = query.fetch_all(&mut **transaction).await?;
    rows.iter()
        .map(|row| {
            Ok(ChunkItem {
                position: row.try_get("position")?,
                row: row.try_get("row")?,
                dead_letter: row.try_get("dead_letter_id")?,
                status: operations::named_option(row, "status", Status::parse)?,
                place: place(row)?,
                provenance: provenance(row)?,
                payload: Payload {
                    properties: row.try_get::<Option<_>, _>("properties")?.unwrap_or_default(),
                    body: row.try_get::<Option<_>, _>("body")?.unwrap_or_default(),
                },
            })
        })
        .collect()
}

/// Columns of a dead letter `d`, for [`provenance`].
pub(super) const ORIGIN: &str = "d.origin_queue, d.origin_exchange, d.origin_routing_key, \
     CASE WHEN d.origin_claimed THEN COALESCE(d.convention, '') END AS claimed_by, \
     d.redelivery_id IS NOT NULL AND NOT EXISTS ( \
         SELECT FROM operation_item r \
             CROSS JOIN LATERAL (SELECT p.origin_exchange, p.origin_routing_key FROM dead_letter p \
                 WHERE p.id = r.dead_letter_id LIMIT 1) p \
         WHERE r.redelivery_id = d.redelivery_id AND p.origin_exchange IS NOT DISTINCT FROM d.origin_exchange \
             AND p.origin_routing_key IS NOT DISTINCT FROM d.origin_routing_key) AS has_other_routing";

/// Where a dead letter died, of the columns of [`ORIGIN`].
pub(super) fn provenance(row: &PgRow) -> Result<Provenance, StoreError> {
    let origin = Origin {
        queue: row.try_get("origin_queue")?,
        exchange: row.try_get("origin_exchange")?,
        routing_key: row.try_get("origin_routing_key")?,
    };
    let has_other_routing = row.try_get::<Option<_>, _>("has_other_routing")?.unwrap_or_default();
    Ok(Provenance { origin, claimed_by: row.try_get("claimed_by")?, has_other_routing })
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
        let changed: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
            "UPDATE dead_letter SET status = $1::dead_letter_status WHERE id = ANY($2) AND status = $3::dead_letter_status \
             RETURNING id, error_group",
        )
        .bind(to.as_str())
        .bind(&ids)
        .bind(from.as_str())
        .fetch_all(&mut *self.transaction)
        .await?;
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
