//! Batches of new dead letters: one transaction each, rows and counters together.
//!
//! A large batch is written by `COPY`. `INSERT … ON CONFLICT DO NOTHING` is faster for small batches, and it is the careful way,
//! which is also taken
//! - when `COPY` finds a row that is stored already: after a crash, or when the answer to a commit was lost;
//! - when a copy of a row may be in another partition, whose unique index does not cover it. No copy can have been stored before
//!   the message died. So that is only possible if the message died on an earlier UTC day than it arrived, or around midnight.
//!   Such a batch looks up its identities in the days that can hold a copy. An advisory lock serialises batches that may both
//!   contain a message around midnight: shared to look up, exclusive to store.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::copy::CopyData;
use super::counters::{self, interval_of};
use super::lease::Lease;
use super::{Store, StoreError, columns, returns};
use crate::clock;
use crate::domain::dead_letter::{self, NewDeadLetter, received_at};
use crate::domain::identity;
use crate::domain::wire;

/// Longest distance between the clocks of broker, service and database, plus the longest batch.
const EDGE: TimeDelta = TimeDelta::minutes(5);

/// Size in bytes from which a batch is copied. A smaller one is inserted, in one round trip instead of five.
const COPY_FROM: usize = 128 << 10;

/// The result of storing a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Rows that were stored.
    pub stored: u64,
    /// Rows that were stored before.
    pub duplicates: u64,
}

impl Store {
    /// Whether rows can be stored: a database that answers may be read-only, or its table locked.
    pub async fn takes_rows(&self) -> Result<(), StoreError> {
        let mut transaction = self.ingest.begin().await?;
        sqlx::query(
            "INSERT INTO dead_letter (id, source, service, properties, body) VALUES ($1, '', '', '', '')",
        )
        .bind(clock::new_id())
        .execute(&mut *transaction)
        .await?;
        transaction.rollback().await?;
        Ok(())
    }

    /// Stores all rows of a batch that are not stored yet, or none. `now` is the time of the attempt.
    pub async fn insert(&self, rows: &[NewDeadLetter], now: DateTime<Utc>) -> Result<Stored, StoreError> {
        let _writing = self.scans.note_write();
        self.make_groups(rows).await?;
        match Neighbours::of(rows, now) {
            None if rows.iter().any(|row| row.former_identity.is_some())
                || rows.iter().map(NewDeadLetter::size).sum::<usize>() < COPY_FROM =>
            {
                self.insert_carefully(rows, &Neighbours::own_day_only(now), now).await
            }
            None => match self.insert_by_copy(rows, now).await {
                Err(StoreError::Duplicate) => {
                    self.insert_carefully(rows, &Neighbours::own_day_only(now), now).await
                }
                other => other,
            },
            Some(neighbours) => self.insert_carefully(rows, &neighbours, now).await,
        }
    }

    async fn insert_by_copy(&self, rows: &[NewDeadLetter], now: DateTime<Utc>) -> Result<Stored, StoreError> {
        let mut transaction = self.ingest.begin().await?;
        let stored = transaction.copy_in(CopyData::of(rows)).await?;
        transaction.copy_in(CopyData::pending(rows)).await?;
        counters::count(&mut transaction, rows, now).await?;
        returns::announce(&mut transaction, rows).await?;
        transaction.commit().await?;
        Ok(Stored { stored, duplicates: 0 })
    }

    async fn insert_carefully(
        &self,
        rows: &[NewDeadLetter],
        near: &Neighbours,
        now: DateTime<Utc>,
    ) -> Result<Stored, StoreError> {
        let all: Vec<&NewDeadLetter> = rows.iter().collect();
        let stored = if near.is_alone() && rows.iter().all(|row| row.former_identity.is_none()) {
            // A transaction of its own, in one round trip.
            insert_unknown(&self.ingest, &all, now).await?
        } else {
            let mut transaction = self.ingest.begin().await?;
            let known = near.known(&mut transaction, rows).await?;
            let former = near.former_candidates(&mut transaction, rows).await?;
            let is_unknown = |row: &&NewDeadLetter| {
                row.identity.is_none_or(|identity| !known.contains(&identity))
                    && !former.iter().any(|stored| stored.is_copy(row))
            };
            let candidates: Vec<_> = all.into_iter().filter(is_unknown).collect();
            let stored = insert_unknown(&mut *transaction, &candidates, now).await?;
            transaction.commit().await?;
            stored
        };
        Ok(Stored { stored, duplicates: rows.len() as u64 - stored })
    }
}

/// The days that can hold copies of the rows.
struct Neighbours {
    from: NaiveDate,
    to: NaiveDate,
    /// Whether a copy may be arriving on another day at the same time.
    exclusive: bool,
}

impl Neighbours {
    fn own_day_only(now: DateTime<Utc>) -> Self {
        Self { from: now.date_naive(), to: now.date_naive(), exclusive: false }
    }

    /// Whether there is no other day.
    fn is_alone(&self) -> bool {
        self.from == self.to
    }

    /// `None` if only the own day of each row can hold a copy.
    fn of(rows: &[NewDeadLetter], now: DateTime<Utc>) -> Option<Self> {
        let keyed = || rows.iter().filter(|row| row.identity.is_some());
        let arrivals = || keyed().map(|row| dead_letter::received_on(row.id));
        let earliest = keyed().filter_map(|row| row.latest_death).min()?.min(now) - EDGE;
        // A message can claim any date, but ids begin in 1970.
        let earliest = earliest.max(DateTime::UNIX_EPOCH);
        let days = (arrivals().min()?, arrivals().max()?);
        let today = now.date_naive();
        let near = Self {
            from: earliest.date_naive().min(days.0),
            to: (now + EDGE).date_naive().max(days.1),
            exclusive: (now - EDGE).date_naive() != (now + EDGE).date_naive() || days != (today, today),
        };
        (near.from != near.to).then_some(near)
    }

    /// Which of the rows' identities are stored on these days.
    async fn known(&self, connection: &mut Lease, rows: &[NewDeadLetter]) -> Result<Vec<Uuid>, StoreError> {
        // Two batches can only contain copies for different days if at least one of them takes the lock exclusively.
        let lock = if self.exclusive { "pg_advisory_xact_lock" } else { "pg_advisory_xact_lock_shared" };
        sqlx::query(&format!("SELECT {lock}(hashtextextended('dead-letter midnight', 0))"))
            .execute(&mut *connection)
            .await?;
        let identities: Vec<Uuid> = rows.iter().filter_map(|row| row.identity).collect();
        let known = sqlx::query_scalar(
            "SELECT identity FROM dead_letter WHERE identity = ANY($1) \
             AND id >= dead_letter_floor_id($2) AND id < dead_letter_floor_id($3 + 1)",
        )
        .bind(identities)
        .bind(self.from)
        .bind(self.to)
        .fetch_all(connection)
        .await?;
        Ok(known)
    }

    /// Rows that the previous release stored, and that may be copies.
    async fn former_candidates(
        &self,
        connection: &mut Lease,
        rows: &[NewDeadLetter],
    ) -> Result<Vec<FormerRow>, StoreError> {
        let identities: Vec<Uuid> = rows.iter().filter_map(|row| row.former_identity).collect();
        if identities.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
            "SELECT identity, properties FROM dead_letter WHERE identity = ANY($1) \
             AND id >= dead_letter_floor_id($2) AND id < dead_letter_floor_id($3 + 1)",
        )
        .bind(identities)
        .bind(self.from)
        .bind(self.to)
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().map(|(identity, properties)| FormerRow { identity, properties }).collect())
    }
}

/// A row with an identity of the previous release.
struct FormerRow {
    identity: Uuid,
    properties: Vec<u8>,
}

impl FormerRow {
    /// That identity does not cover most of the properties, so they are compared.
    fn is_copy(&self, row: &NewDeadLetter) -> bool {
        let of_one_message = || {
            let [stored, came] = [&self.properties, &row.properties].map(|bytes| wire::decode(bytes).ok());
            Some(identity::are_of_one_message(&stored?, &came?))
        };
        row.former_identity == Some(self.identity) && of_one_message() == Some(true)
    }
}

/// Inserts the rows whose id and identity are not stored yet, and updates the counters in the same statement. Returns their
/// number.
async fn insert_unknown(
    database: impl Executor<'_, Database = Postgres>,
    rows: &[&NewDeadLetter],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let (names, pending) = (columns::names(&columns::ALL), columns::names(columns::pending()));
    let arrays: Vec<_> = columns::ALL
        .iter()
        .zip(1..)
        .map(|(column, number)| format!("${number}::{}", column.array()))
        .collect();
    let (arrays, next) = (arrays.join(", "), columns::ALL.len() + 1);
    let statement = format!(
        "WITH new AS MATERIALIZED ( \
             SELECT * FROM UNNEST({arrays}, ${next}::timestamptz[], ${}::timestamptz[], ${}::timestamptz[]) \
                 AS n ({names}, received_at, start, last_died)), \
         stored AS ( \
             INSERT INTO dead_letter ({names}) SELECT {names} FROM new ON CONFLICT DO NOTHING RETURNING id), \
         pending AS ( \
             INSERT INTO dead_letter_pending ({pending}) SELECT {pending} FROM new JOIN stored USING (id)), \
         counted AS ( \
             INSERT INTO error_group_change (error_group, start, arrived, dead, redelivered, deleted, last_seen, last_died) \
             SELECT error_group, start, count(*), count(*), 0, 0, max(received_at), max(last_died) \
             FROM new JOIN stored USING (id) GROUP BY error_group, start), \
         returned AS ( \
             INSERT INTO dead_letter_return (dead_letter_id, redelivery_id, error_group) \
             SELECT id, redelivery_id, error_group FROM new JOIN stored USING (id) WHERE redelivery_id IS NOT NULL) \
         SELECT count(*) FROM stored",
        next + 1,
        next + 2
    );
    let mut query = sqlx::query_scalar(&statement);
    for column in &columns::ALL {
        query = column.bind(query, rows);
    }
    let received: Vec<_> = rows.iter().map(|row| received_at(row.id)).collect();
    let starts: Vec<_> = received.iter().map(|at| interval_of(*at, now)).collect();
    let died: Vec<_> = rows.iter().map(|row| row.died()).collect();
    let stored: i64 = query.bind(received).bind(starts).bind(died).fetch_one(database).await?;
    Ok(u64::try_from(stored).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::convention::Failure;
    use crate::domain::dead_letter::{Derived, floor_id};
    use crate::domain::fingerprint;

    fn row(arrived: &str, died: &str) -> NewDeadLetter {
        NewDeadLetter {
            id: floor_id(time(arrived)),
            identity: Some(Uuid::nil()),
            former_identity: None,
            latest_death: Some(time(died)),
            source: "".into(),
            derived: Derived::default(),
            fingerprint: fingerprint::of("", &Failure::default()),
            warning: None,
            properties: vec![],
            body: vec![],
        }
    }

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    fn days(rows: &[NewDeadLetter], now: &str) -> Option<(String, String, bool)> {
        Neighbours::of(rows, time(now))
            .map(|near| (near.from.to_string(), near.to.to_string(), near.exclusive))
    }

    fn on(from: &str, to: &str, locked: bool) -> (String, String, bool) {
        (from.into(), to.into(), locked)
    }

    #[test]
    fn a_copy_may_lie_only_between_the_death_and_now() {
        let noon = row("2026-11-23T12:00:00Z", "2026-11-23T11:59:59Z");
        assert_eq!(days(std::slice::from_ref(&noon), "2026-11-23T12:00:01Z"), None);
        let old = row("2026-11-23T12:00:00Z", "2026-11-20T12:00:00Z");
        assert_eq!(
            days(&[noon.clone(), old], "2026-11-23T12:00:01Z"),
            Some(on("2026-11-20", "2026-11-23", false))
        );
        // In hand since yesterday, as the database was away.
        assert_eq!(days(&[noon], "2026-11-24T09:00:00Z"), Some(on("2026-11-23", "2026-11-24", true)));
        let absurd = row("2026-11-23T12:00:00Z", "0000-01-01T00:00:00Z");
        assert_eq!(days(&[absurd], "2026-11-23T12:00:01Z"), Some(on("1970-01-01", "2026-11-23", false)));
        let unkeyed = NewDeadLetter { identity: None, ..row("2026-11-23T12:00:00Z", "2026-11-20T12:00:00Z") };
        assert_eq!(days(&[unkeyed], "2026-11-23T12:00:01Z"), None);
    }

    #[test]
    fn around_midnight_both_sides_are_looked_at_under_a_lock() {
        let before = row("2026-11-23T23:59:59Z", "2026-11-23T23:59:58Z");
        assert_eq!(days(&[before], "2026-11-23T23:59:59Z"), Some(on("2026-11-23", "2026-11-24", true)));
        let after = row("2026-11-24T00:00:01Z", "2026-11-24T00:00:00Z");
        assert_eq!(days(&[after], "2026-11-24T00:00:01Z"), Some(on("2026-11-23", "2026-11-24", true)));
    }
}
