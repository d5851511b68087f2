//! Counters: how many dead letters of each service arrived on each day, by status, kept in the very transactions that
//! change the rows (rule R11).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::postgres::PgConnection;

use super::{Store, StoreError};
use crate::domain::dead_letter::Status;

/// What a transaction changes, by service and day. Sorted, so that two transactions never lock in opposite orders.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(String, NaiveDate), [i64; 3]>);

impl Changes {
    /// One more dead letter.
    pub fn arrived(&mut self, service: &str, day: NaiveDate) {
        self.of(service, day)[0] += 1;
    }

    /// One dead letter is no longer dead.
    pub fn left(&mut self, service: &str, day: NaiveDate, to: Status) {
        let counts = self.of(service, day);
        counts[0] -= 1;
        match to {
            Status::Dead => counts[0] += 1,
            Status::Redelivered => counts[1] += 1,
            Status::Deleted => counts[2] += 1,
        }
    }

    fn of(&mut self, service: &str, day: NaiveDate) -> &mut [i64; 3] {
        self.0.entry((service.to_owned(), day)).or_default()
    }
}

/// Writes the changes into this connection's slot.
pub(super) async fn apply(connection: &mut PgConnection, changes: Changes) -> Result<(), StoreError> {
    if changes.0.is_empty() {
        return Ok(());
    }
    let (keys, counts): (Vec<_>, Vec<_>) = changes.0.into_iter().unzip();
    let (services, days): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let column = |index: usize| counts.iter().map(|count| count[index]).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO dead_letter_counter AS c (service, day, slot, dead, redelivered, deleted) \
         SELECT service, day, pg_backend_pid() % 16, dead, redelivered, deleted \
         FROM UNNEST($1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[]) \
             AS n (service, day, dead, redelivered, deleted) \
         ON CONFLICT (service, day, slot) DO UPDATE SET dead = c.dead + excluded.dead, \
             redelivered = c.redelivered + excluded.redelivered, deleted = c.deleted + excluded.deleted",
    )
    .bind(services)
    .bind(days)
    .bind(column(0))
    .bind(column(1))
    .bind(column(2))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Counts everything anew and returns the services and days whose counters differ: there must be none.
    pub async fn recount(&self) -> Result<Vec<(String, NaiveDate)>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        // It reads every row, and takes as long as that takes.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
        let differing = sqlx::query_as(
            "SELECT service, day FROM ( \
                 SELECT service, day, dead, redelivered, deleted FROM dead_letter_counter \
                 UNION ALL \
                 SELECT service, (to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) \
                         AT TIME ZONE 'UTC')::date, \
                     -(status = 'dead')::int, -(status = 'redelivered')::int, -(status = 'deleted')::int \
                 FROM dead_letter) counts \
             GROUP BY service, day \
             HAVING sum(dead) <> 0 OR sum(redelivered) <> 0 OR sum(deleted) <> 0",
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(differing)
    }
}
