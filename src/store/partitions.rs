//! The days of arrival, each a partition.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};

use super::counters::FOLDING;
use super::{Store, StoreError};
use crate::clock;

/// Getting rid of a day waits no longer than this for those who read or write, as others then queue behind it.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '500ms'";
/// How often it is tried.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// How many days ahead there are partitions. They are looked after every hour; and a look-up that does not know the day asks
/// each of them.
const DAYS_AHEAD: i64 = 3;

/// The tables that have a partition for each day.
pub(super) const PARTITIONED: [&str; 3] = ["dead_letter", "dead_letter_pending", "dead_letter_left"];

impl Store {
    /// Makes the partitions of the coming days. Rows of a day without one go to the default partition, where they are as
    /// safe, only not as cheap to get rid of.
    pub async fn create_partitions(&self) -> Result<(), StoreError> {
        let today = clock::now().date_naive();
        self.create_partitions_for(today - TimeDelta::days(1), today + TimeDelta::days(DAYS_AHEAD)).await
    }

    /// Makes the partitions of these days, the last included, where there are none.
    pub async fn create_partitions_for(&self, from: NaiveDate, to: NaiveDate) -> Result<(), StoreError> {
        for day in from.iter_days().take_while(|day| *day <= to) {
            let mut transaction = self.operations.begin().await?;
            // Attaching a partition waits for all who write: better to give up and come again than to make them queue.
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

    /// Frees the days of arrival before this one, rows and counters together, whatever became of their dead letters. Returns
    /// how many there were on each.
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

    /// Forgets the groups that have no dead letters any more and of which nobody has said anything.
    pub async fn forget_empty_groups(&self) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
        sqlx::query(
            "WITH gone AS ( \
                 DELETE FROM error_group g \
                 WHERE touched_at < now() - interval '1 day' \
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
        let names: Vec<_> = days
            .iter()
            .flat_map(|day| PARTITIONED.map(|table| format!("{table}_{}", day.format("%Y%m%d"))))
            .collect();
        let dropping = format!("DROP TABLE {}", names.join(", "));
        sqlx::query(&dropping).execute(&mut *transaction).await?;
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
