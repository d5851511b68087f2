//! Counters: how many dead letters of each error group there are, in all and by time of arrival, by status, kept in the very
//! transactions that change the rows (rule R11): as changes, which are added up every few seconds.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::lease::Lease;
use super::{Store, StoreError};
use crate::domain::dead_letter::{NewDeadLetter, Status, received_at};

/// What arrived is counted by intervals of this length.
pub(super) const FINE: TimeDelta = TimeDelta::minutes(5);
/// And by this one when it is older than [`FINE_FOR`].
pub(super) const COARSE: TimeDelta = TimeDelta::hours(1);
/// How long intervals stay as they were written.
pub(super) const FINE_FOR: TimeDelta = TimeDelta::days(2);
/// Advisory lock of folding and removing counters.
pub(super) const FOLDING: &str = "hashtextextended('dead-letter folded counters', 0)";
/// Number of folded rows after which a VACUUM follows immediately.
const MANY: i64 = 1000;

/// The interval that an arrival is counted in.
pub(super) fn interval_of(arrived: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let length = if now - arrived < FINE_FOR { FINE } else { COARSE };
    arrived.duration_trunc(length).unwrap_or(arrived)
}

#[derive(Debug, Default)]
struct Change {
    arrived: i64,
    dead: i64,
    redelivered: i64,
    deleted: i64,
    last_seen: Option<DateTime<Utc>>,
    last_died: Option<DateTime<Utc>>,
}

impl Change {
    fn of(&mut self, status: Status) -> &mut i64 {
        match status {
            Status::Dead => &mut self.dead,
            Status::Redelivered => &mut self.redelivered,
            Status::Deleted => &mut self.deleted,
        }
    }
}

/// What a transaction changes, by error group and interval.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(Uuid, DateTime<Utc>), Change>);

impl Changes {
    /// One more dead letter.
    fn arrived(&mut self, row: &NewDeadLetter, now: DateTime<Utc>) {
        let change = self.of(row.fingerprint.group, row.id, now);
        change.arrived += 1;
        change.dead += 1;
        change.last_seen = change.last_seen.max(Some(received_at(row.id)));
        change.last_died = change.last_died.max(Some(row.died()));
    }

    /// One dead letter has another status.
    pub fn moved(&mut self, group: Option<Uuid>, id: Uuid, (from, to): (Status, Status), now: DateTime<Utc>) {
        let change = self.of(group.unwrap_or_default(), id, now);
        *change.of(from) -= 1;
        *change.of(to) += 1;
    }

    fn of(&mut self, group: Uuid, id: Uuid, now: DateTime<Utc>) -> &mut Change {
        self.0.entry((group, interval_of(received_at(id), now))).or_default()
    }

    /// Writes them.
    pub async fn apply(self, connection: &mut Lease) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (keys, changes): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        let (groups, starts): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let column = |of: fn(&Change) -> i64| changes.iter().map(of).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO error_group_change (error_group, start, arrived, dead, redelivered, deleted, last_seen, last_died) \
             SELECT * FROM UNNEST($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], \
                 $6::bigint[], $7::timestamptz[], $8::timestamptz[])",
        )
        .bind(groups)
        .bind(starts)
        .bind(column(|change| change.arrived))
        .bind(column(|change| change.dead))
        .bind(column(|change| change.redelivered))
        .bind(column(|change| change.deleted))
        .bind(changes.iter().map(|change| change.last_seen).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.last_died).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Counts rows that are stored in the same transaction.
pub(super) async fn count(
    connection: &mut Lease,
    rows: &[NewDeadLetter],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    for row in rows {
        changes.arrived(row, now);
    }
    changes.apply(connection).await
}

impl Store {
    /// Adds what was written lately to the totals and the intervals. Of several replicas one does it. Nobody waits for it, and a
    /// sum is the same before and after.
    pub async fn fold_counters(&self) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_ours: bool = sqlx::query_scalar(&format!("SELECT pg_try_advisory_xact_lock({FOLDING})"))
            .fetch_one(&mut *transaction)
            .await?;
        if !is_ours {
            return Ok(());
        }
        let folded: i64 = sqlx::query_scalar(
            "WITH gone AS MATERIALIZED (DELETE FROM error_group_change RETURNING *), \
             totals AS ( \
                 INSERT INTO error_group_total AS c (error_group, arrived, dead, redelivered, deleted, last_seen, last_died) \
                 SELECT error_group, sum(arrived), sum(dead), sum(redelivered), sum(deleted), max(last_seen), \
                     max(COALESCE(last_died, last_seen)) \
                 FROM gone GROUP BY error_group \
                 ON CONFLICT (error_group) DO UPDATE SET arrived = c.arrived + excluded.arrived, \
                     dead = c.dead + excluded.dead, redelivered = c.redelivered + excluded.redelivered, \
                     deleted = c.deleted + excluded.deleted, last_seen = GREATEST(c.last_seen, excluded.last_seen), \
                     last_died = GREATEST(c.last_died, excluded.last_died)), \
             intervals AS ( \
                 INSERT INTO error_group_interval AS c (error_group, start, dead, redelivered, deleted) \
                 SELECT error_group, start, sum(dead), sum(redelivered), sum(deleted) \
                 FROM gone GROUP BY error_group, start \
                 ON CONFLICT (error_group, start) DO UPDATE SET dead = c.dead + excluded.dead, \
                     redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted) \
             SELECT count(*) FROM gone",
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if folded >= MANY && !self.operations.is_pooled() {
            // Readers have to skip dead rows until they are vacuumed.
            sqlx::query("VACUUM error_group_change").execute(&self.operations).await?;
        }
        Ok(())
    }

    /// Makes hours of the intervals of days gone by.
    pub async fn coarsen_counters(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query(&format!("SELECT pg_advisory_xact_lock({FOLDING})")).execute(&mut *transaction).await?;
        sqlx::query(
            "WITH gone AS ( \
                 DELETE FROM error_group_interval \
                 WHERE start < $1 AND start <> date_trunc('hour', start, 'UTC') \
                 RETURNING *) \
             INSERT INTO error_group_interval AS c (error_group, start, dead, redelivered, deleted) \
             SELECT error_group, date_trunc('hour', start, 'UTC'), sum(dead), sum(redelivered), sum(deleted) \
             FROM gone GROUP BY 1, 2 \
             ON CONFLICT (error_group, start) DO UPDATE SET dead = c.dead + excluded.dead, \
                 redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted",
        )
        .bind(now - FINE_FOR)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Does at once what the coming hours would: folds the counters, and has the tables vacuumed. For a database that was filled
    /// in one go.
    pub async fn settle(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.fold_counters().await?;
        self.coarsen_counters(now).await?;
        let mut connection = self.operations.acquire().await?;
        sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
        for table in [
            "dead_letter",
            "dead_letter_pending",
            "dead_letter_left",
            "error_group",
            "error_group_total",
            "error_group_interval",
            "error_group_change",
        ] {
            let statement = format!("VACUUM (ANALYZE) {table}");
            sqlx::query(&statement).execute(&mut connection).await?;
        }
        Ok(())
    }

    /// Counts everything anew and returns the groups, and the hours of each, whose counters differ; an hour is absent where it
    /// is the group's total. There must be none.
    pub async fn recount(&self) -> Result<Vec<(Uuid, Option<DateTime<Utc>>)>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        // It reads every row, and takes as long as that takes.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
        let differing = sqlx::query(
            "WITH rows AS ( \
                 SELECT COALESCE(error_group, '00000000-0000-0000-0000-000000000000') AS error_group, \
                     date_trunc('hour', dead_letter_received_at(id), 'UTC') AS hour, \
                     count(*) FILTER (WHERE status = 'dead') AS dead, \
                     count(*) FILTER (WHERE status = 'redelivered') AS redelivered, \
                     count(*) FILTER (WHERE status = 'deleted') AS deleted \
                 FROM dead_letter_now GROUP BY 1, 2), \
             stands AS ( \
                 SELECT COALESCE(error_group, '00000000-0000-0000-0000-000000000000') AS error_group, \
                     date_trunc('hour', dead_letter_received_at(id), 'UTC') AS hour, count(*) AS dead \
                 FROM dead_letter_pending GROUP BY 1, 2) \
             SELECT error_group, hour FROM ( \
                 SELECT error_group, date_trunc('hour', start, 'UTC') AS hour, dead, redelivered, deleted \
                 FROM error_group_timeline \
                 UNION ALL SELECT error_group, NULL, dead, redelivered, deleted FROM error_group_count \
                 UNION ALL SELECT error_group, hour, -dead, -redelivered, -deleted FROM rows \
                 UNION ALL SELECT error_group, NULL, -dead, -redelivered, -deleted FROM rows \
                 UNION ALL SELECT error_group, NULL, 1, 1, 1 FROM rows FULL JOIN stands USING (error_group, hour) \
                     WHERE rows.dead IS DISTINCT FROM COALESCE(stands.dead, 0) \
                 UNION ALL SELECT error_group, NULL, 1, 1, 1 FROM rows \
                     WHERE error_group NOT IN (SELECT id FROM error_group)) counts \
             GROUP BY error_group, hour \
             HAVING sum(dead) <> 0 OR sum(redelivered) <> 0 OR sum(deleted) <> 0",
        )
        .fetch_all(&mut *transaction)
        .await?;
        differing.iter().map(|row| Ok((row.try_get("error_group")?, row.try_get("hour")?))).collect()
    }

    /// Sets every counter to the result of a recount. Blocks other writers.
    pub async fn rebuild_counters(&self) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
        sqlx::query("SELECT dead_letter_rebuild_counters()").execute(&mut *transaction).await?;
        // Groups that were missing have been made, without a place.
        sqlx::query(
            "UPDATE error_group g SET broker = d.broker, vhost = d.vhost \
             FROM (SELECT error_group, min(broker) AS broker, min(vhost) AS vhost FROM dead_letter \
                   WHERE broker IS NOT NULL GROUP BY error_group) d \
             WHERE d.error_group = g.id AND g.broker IS NULL",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
