//! The days of arrival, each a partition.

use chrono::{NaiveDate, TimeDelta};
use sqlx::Connection;

use super::{Store, StoreError};
use crate::clock;

/// How many days ahead there are partitions: longer than any holiday on which nobody restarts the service.
const DAYS_AHEAD: i64 = 14;

impl Store {
    /// Makes the partitions of the coming days. Rows of a day without one go to the default partition, where they are as
    /// safe, only not as cheap to get rid of.
    pub async fn create_partitions(&self) -> Result<(), StoreError> {
        let today = clock::now().date_naive();
        self.create_partitions_for(today - TimeDelta::days(1), today + TimeDelta::days(DAYS_AHEAD)).await
    }

    /// Makes the partitions of these days, the last included, where there are none.
    pub async fn create_partitions_for(&self, from: NaiveDate, to: NaiveDate) -> Result<(), StoreError> {
        let mut connection = self.operations.acquire().await?;
        for day in from.iter_days().take_while(|day| *day <= to) {
            let mut transaction = connection.begin().await?;
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
}
