//! Error groups that are known to be in the database, so that a batch makes only those that are new.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::dead_letter::{NewDeadLetter, received_at};
use crate::domain::fingerprint;

/// How long a group is there for sure after that: one that was touched within a day is not forgotten.
const SURE_FOR: Duration = Duration::from_hours(1);
/// Size of the cache.
const MOST: usize = 100_000;

/// Groups, and when they were last made sure of. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownGroups(Arc<Mutex<HashMap<Uuid, Instant>>>);

impl KnownGroups {
    /// The first dead letter of each group that may not be there.
    fn unknown<'r>(&self, rows: &'r [NewDeadLetter]) -> Vec<&'r NewDeadLetter> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |group| known.get(group).is_some_and(|since| since.elapsed() < SURE_FOR);
        let mut first: BTreeMap<Uuid, &NewDeadLetter> = BTreeMap::new();
        for row in rows.iter().filter(|row| !is_known(&row.fingerprint.group)) {
            let earliest = first.entry(row.fingerprint.group).or_insert(row);
            if row.id < earliest.id {
                *earliest = row;
            }
        }
        first.into_values().collect()
    }

    fn learn(&self, first: &[&NewDeadLetter]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MOST {
            known.clear();
        }
        known.extend(first.iter().map(|row| (row.fingerprint.group, Instant::now())));
    }
}

impl Store {
    /// Makes the groups of these rows, before the rows: one without dead letters is not seen by anybody.
    pub(super) async fn make_groups(&self, rows: &[NewDeadLetter]) -> Result<(), StoreError> {
        let first = self.known_groups.unknown(rows);
        if first.is_empty() {
            return Ok(());
        }
        let text =
            |of: fn(&NewDeadLetter) -> Option<&str>| first.iter().map(|row| of(row)).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO error_group (id, version, service, reason, error_type, template, first_seen, broker, vhost, bug) \
             SELECT id, $2, service, reason, error_type, template, first_seen, broker, vhost, bug \
             FROM UNNEST($1::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], \
                 $8::text[], $9::text[], $10::uuid[]) \
                 AS n (id, service, reason, error_type, template, first_seen, broker, vhost, bug) \
             ON CONFLICT (id) DO UPDATE SET touched_at = now(), bug = excluded.bug",
        )
        .bind(first.iter().map(|row| row.fingerprint.group).collect::<Vec<_>>())
        .bind(fingerprint::VERSION)
        .bind(text(|row| Some(&row.derived.service)))
        .bind(text(|row| row.derived.reason.as_deref()))
        .bind(text(|row| row.derived.error_type.as_deref()))
        .bind(text(|row| Some(&row.fingerprint.template)))
        .bind(first.iter().map(|row| received_at(row.id)).collect::<Vec<_>>())
        .bind(text(|row| Some(row.source.place()?.broker.as_str())))
        .bind(text(|row| Some(row.source.place()?.vhost.as_str())))
        .bind(first.iter().map(|row| row.fingerprint.bug).collect::<Vec<_>>())
        .execute(&self.ingest)
        .await?;
        self.known_groups.learn(&first);
        Ok(())
    }
}
