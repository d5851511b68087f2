//! Counters: how many dead letters of each error group there are, in all and by time of arrival, by status, kept in the very
//! transactions that change the rows (rule R11).

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::dead_letter::{NewDeadLetter, Status, received_at};
use crate::domain::fingerprint;

/// What arrived is counted by intervals of this length.
pub(super) const FINE: TimeDelta = TimeDelta::minutes(5);
/// And by this one when it is older than [`FINE_FOR`].
pub(super) const COARSE: TimeDelta = TimeDelta::hours(1);
/// How long intervals stay as they were written.
pub(super) const FINE_FOR: TimeDelta = TimeDelta::days(2);
/// No batch takes so long that it still writes into an interval which ended before.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Writes what stands in the common table expression `changed (error_group, start, arrived, dead, redelivered, deleted,
/// last_seen)` into this connection's slots; `totals` then has the groups, and whether each is new to the slot. Sorted, so
/// that two transactions never lock in opposite orders.
pub(super) const RECORD: &str = "intervals AS ( \
         INSERT INTO error_group_interval AS c (error_group, start, slot, dead, redelivered, deleted) \
         SELECT error_group, start, pg_backend_pid() % 16 + 1, dead, redelivered, deleted \
         FROM changed ORDER BY error_group, start \
         ON CONFLICT (error_group, start, slot) DO UPDATE SET dead = c.dead + excluded.dead, \
             redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted), \
     totals AS ( \
         INSERT INTO error_group_total AS c \
             (error_group, slot, arrived, dead, redelivered, deleted, last_seen) \
         SELECT error_group, pg_backend_pid() % 16, sum(arrived)::bigint, sum(dead)::bigint, \
             sum(redelivered)::bigint, sum(deleted)::bigint, max(last_seen) \
         FROM changed GROUP BY error_group ORDER BY error_group \
         ON CONFLICT (error_group, slot) DO UPDATE SET arrived = c.arrived + excluded.arrived, \
             dead = c.dead + excluded.dead, redelivered = c.redelivered + excluded.redelivered, \
             deleted = c.deleted + excluded.deleted, last_seen = GREATEST(c.last_seen, excluded.last_seen) \
         RETURNING error_group, xmax = 0 AS is_new)";

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
}

/// What a transaction changes, by error group and interval.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(Uuid, DateTime<Utc>), Change>);

impl Changes {
    /// One more dead letter.
    pub fn arrived(&mut self, group: Uuid, id: Uuid, now: DateTime<Utc>) {
        let change = self.of(group, id, now);
        change.arrived += 1;
        change.dead += 1;
        change.last_seen = change.last_seen.max(Some(received_at(id)));
    }

    /// One dead letter is no longer dead.
    pub fn left(&mut self, group: Option<Uuid>, id: Uuid, to: Status, now: DateTime<Utc>) {
        let change = self.of(group.unwrap_or_default(), id, now);
        change.dead -= 1;
        match to {
            Status::Dead => change.dead += 1,
            Status::Redelivered => change.redelivered += 1,
            Status::Deleted => change.deleted += 1,
        }
    }

    fn of(&mut self, group: Uuid, id: Uuid, now: DateTime<Utc>) -> &mut Change {
        self.0.entry((group, interval_of(received_at(id), now))).or_default()
    }

    /// Writes them; returns the groups that may be new.
    pub async fn apply(self, connection: &mut PgConnection) -> Result<Vec<Uuid>, StoreError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let (keys, changes): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        let (groups, starts): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let column = |of: fn(&Change) -> i64| changes.iter().map(of).collect::<Vec<_>>();
        let statement = format!(
            "WITH changed AS MATERIALIZED ( \
                 SELECT * FROM UNNEST($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], \
                     $6::bigint[], $7::timestamptz[]) \
                     AS n (error_group, start, arrived, dead, redelivered, deleted, last_seen)), \
             {RECORD} SELECT error_group FROM totals WHERE is_new"
        );
        Ok(sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(groups)
            .bind(starts)
            .bind(column(|change| change.arrived))
            .bind(column(|change| change.dead))
            .bind(column(|change| change.redelivered))
            .bind(column(|change| change.deleted))
            .bind(changes.iter().map(|change| change.last_seen).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?)
    }
}

/// Counts rows that are stored in the same transaction, and makes the groups that are new.
pub(super) async fn count(
    connection: &mut PgConnection,
    rows: &[NewDeadLetter],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    for row in rows {
        changes.arrived(row.fingerprint.group, row.id, now);
    }
    let new = changes.apply(&mut *connection).await?;
    if new.is_empty() {
        return Ok(());
    }
    let mut first: BTreeMap<Uuid, &NewDeadLetter> = BTreeMap::new();
    for row in rows.iter().filter(|row| new.contains(&row.fingerprint.group)) {
        let known = first.entry(row.fingerprint.group).or_insert(row);
        if row.id < known.id {
            *known = row;
        }
    }
    let first: Vec<_> = first.into_values().collect();
    let text = |of: fn(&NewDeadLetter) -> Option<&str>| first.iter().map(|row| of(row)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO error_group (id, version, service, reason, error_type, template, first_seen) \
         SELECT id, $2, service, reason, error_type, template, first_seen \
         FROM UNNEST($1::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[]) \
             AS n (id, service, reason, error_type, template, first_seen) \
         ON CONFLICT DO NOTHING",
    )
    .bind(first.iter().map(|row| row.fingerprint.group).collect::<Vec<_>>())
    .bind(fingerprint::VERSION)
    .bind(text(|row| Some(&row.derived.service)))
    .bind(text(|row| row.derived.reason.as_deref()))
    .bind(text(|row| row.derived.error_type.as_deref()))
    .bind(text(|row| Some(&row.fingerprint.template)))
    .bind(first.iter().map(|row| received_at(row.id)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Makes one row of the rows of several connections, and one hour of the intervals of days gone by. Of several replicas
    /// one does it. Rows that somebody is writing are left for the next time: nobody waits for this.
    pub async fn fold_counters(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_ours: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('dead-letter folded counters', 0))",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !is_ours {
            return Ok(());
        }
        for (condition, length, before) in [
            ("slot <> 0", FINE, now - SETTLED_AFTER),
            ("start <> date_trunc('hour', start, 'UTC')", COARSE, now - FINE_FOR),
        ] {
            let statement = format!(
                "WITH settled AS ( \
                     SELECT ctid FROM error_group_interval WHERE {condition} AND start < $1 FOR UPDATE SKIP LOCKED), \
                 gone AS ( \
                     DELETE FROM error_group_interval WHERE ctid = ANY(ARRAY(SELECT ctid FROM settled)) RETURNING *) \
                 INSERT INTO error_group_interval AS c (error_group, start, slot, dead, redelivered, deleted) \
                 SELECT error_group, date_bin($2::interval, start, 'epoch'), 0, sum(dead), sum(redelivered), sum(deleted) \
                 FROM gone GROUP BY 1, 2 \
                 ON CONFLICT (error_group, start, slot) DO UPDATE SET dead = c.dead + excluded.dead, \
                     redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted"
            );
            sqlx::query(AssertSqlSafe(statement))
                .bind(before)
                .bind(length)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Does at once what the coming hours would: folds the counters, and has the tables vacuumed. For a database that was filled
    /// in one go.
    pub async fn settle(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.fold_counters(now).await?;
        let mut connection = self.operations.acquire().await?;
        sqlx::query("SET statement_timeout = 0").execute(&mut *connection).await?;
        for table in ["dead_letter", "error_group", "error_group_total", "error_group_interval"] {
            let statement = AssertSqlSafe(format!("VACUUM (ANALYZE) {table}"));
            sqlx::query(statement).execute(&mut *connection).await?;
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
                 FROM dead_letter GROUP BY 1, 2) \
             SELECT error_group, hour FROM ( \
                 SELECT error_group, date_trunc('hour', start, 'UTC') AS hour, dead, redelivered, deleted \
                 FROM error_group_interval \
                 UNION ALL SELECT error_group, NULL, dead, redelivered, deleted FROM error_group_total \
                 UNION ALL SELECT error_group, hour, -dead, -redelivered, -deleted FROM rows \
                 UNION ALL SELECT error_group, NULL, -dead, -redelivered, -deleted FROM rows \
                 UNION ALL SELECT error_group, NULL, 1, 1, 1 FROM rows \
                     WHERE error_group NOT IN (SELECT id FROM error_group)) counts \
             GROUP BY error_group, hour \
             HAVING sum(dead) <> 0 OR sum(redelivered) <> 0 OR sum(deleted) <> 0",
        )
        .fetch_all(&mut *transaction)
        .await?;
        differing.iter().map(|row| Ok((row.try_get("error_group")?, row.try_get("hour")?))).collect()
    }

    /// Sets every counter to what a recount finds. Nobody else writes meanwhile.
    pub async fn rebuild_counters(&self) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
        sqlx::query("SELECT dead_letter_rebuild_counters()").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}
