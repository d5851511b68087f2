//! The days of arrival, each a partition.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};

use super::counters::FOLDING;
use super::{Store, StoreError};

/// Longest wait of a drop for readers and writers: others queue behind it.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '500ms'";
/// How often it is tried.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// Number of days ahead with a partition. They are checked every hour. More of them would slow lookups down that do not know the
/// day.
const DAYS_AHEAD: i64 = 3;

impl Store {
    /// Creates the partitions from yesterday to the coming days. Rows of a day without a partition go to the default partition,
    /// where they are as safe, but more expensive to delete.
    pub async fn create_partitions(&self, today: NaiveDate) -> Result<(), StoreError> {
        self.create_partitions_for(today - TimeDelta::days(1), today + TimeDelta::days(DAYS_AHEAD)).await
    }

    /// Creates the missing partitions of these days, the last included.
    pub async fn create_partitions_for(&self, from: NaiveDate, to: NaiveDate) -> Result<(), StoreError> {
        for day in from.iter_days().take_while(|day| *day <= to) {
            let mut transaction = self.operations.begin().await?;
            // Attaching a partition waits for all writers, and new writers queue behind it: retry rather than block them.
            sqlx::query("SET LOCAL lock_timeout = '2s'").execute(&mut *transaction).await?;
            // Replicas that start together would collide on the name.
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('dead-letter partitions', 0))")
                .execute(&mut *transaction)
                .await?;
            sqlx::query("SELECT dead_letter_create_partition($1)")
                .bind(day)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Drops the days of arrival before this one, rows and counters together, whatever the status of their dead letters. Returns
    /// the number of dead letters of each day.
    pub async fn drop_days_before(&self, day: NaiveDate) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
        let expired: Vec<NaiveDate> = sqlx::query_scalar(
            "SELECT to_date(right(relname, 8), 'YYYYMMDD') AS day FROM pg_inherits JOIN pg_class ON oid = inhrelid \
             WHERE inhparent = 'dead_letter'::regclass AND relname ~ '^dead_letter_[0-9]{8}$' \
                 AND to_date(right(relname, 8), 'YYYYMMDD') < $1 ORDER BY day",
        )
        .bind(day)
        .fetch_all(&self.operations)
        .await?;
        if expired.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 1..TRIES {
            match self.drop_days(&expired).await {
                Err(error) if error.is_transient() => tokio::time::sleep(BETWEEN_TRIES).await,
                done => return done,
            }
        }
        self.drop_days(&expired).await
    }

    /// Deletes groups without dead letters and without recorded actions.
    pub async fn forget_empty_groups(&self) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
        sqlx::query(
            "WITH gone AS ( \
                 DELETE FROM error_group g \
                 WHERE touched_at < now() - interval '1 day' AND merged_into IS NULL \
                     AND NOT EXISTS (SELECT FROM error_group_timeline i WHERE i.error_group = g.id) \
                     AND NOT EXISTS (SELECT FROM error_group_event e WHERE e.error_group = g.id) RETURNING id) \
             DELETE FROM error_group_total t USING gone WHERE t.error_group = gone.id",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All in one transaction: others queue behind its lock once, and not for each day.
    async fn drop_days(&self, days: &[NaiveDate]) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
        sqlx::query("SELECT dead_letter_drop_days($1)").bind(days).execute(&mut *transaction).await?;
        sqlx::query(&format!("SELECT pg_advisory_xact_lock({FOLDING})")).execute(&mut *transaction).await?;
        let counts = sqlx::query_as(
            "WITH intervals AS ( \
                 DELETE FROM error_group_interval WHERE (start AT TIME ZONE 'UTC')::date = ANY($1) RETURNING *), \
             changes AS ( \
                 DELETE FROM error_group_change WHERE (start AT TIME ZONE 'UTC')::date = ANY($1) RETURNING *), \
             gone AS ( \
                 SELECT error_group, start, dead, redelivered, deleted FROM intervals \
                 UNION ALL SELECT error_group, start, dead, redelivered, deleted FROM changes), \
             fewer AS ( \
                 INSERT INTO error_group_total AS c (error_group, dead, redelivered, deleted) \
                 SELECT error_group, -sum(dead), -sum(redelivered), -sum(deleted) FROM intervals GROUP BY error_group \
                 ON CONFLICT (error_group) DO UPDATE SET dead = c.dead + excluded.dead, \
                     redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted) \
             SELECT d.day, COALESCE(sum(g.dead + g.redelivered + g.deleted), 0)::bigint \
             FROM UNNEST($1) AS d (day) LEFT JOIN gone g ON (g.start AT TIME ZONE 'UTC')::date = d.day \
             GROUP BY d.day ORDER BY d.day",
        )
        .bind(days)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(counts)
    }
}
