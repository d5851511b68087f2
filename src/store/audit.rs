//! The audit: entries are appended in the transactions of what they record, and sealed a moment later, one after the other.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::lease::Transaction;
use super::operations::named;
use super::{Store, StoreError};
use crate::domain::audit::{Action, Actor, BEGINNING, Entry, Hash, chained, hex};
use crate::domain::dead_letter::{floor_id, received_at};

/// The advisory lock of whoever seals.
const SEALING: &str = "hashtextextended('dead-letter audit', 0)";
/// Entries that are sealed together.
const SEALED_AT_ONCE: i64 = 1_000;
/// Entries that are verified together.
const VERIFIED_AT_ONCE: i64 = 5_000;
/// So much earlier than the last sealed entry another one may have begun that is committed only now. Longer than a transaction may take.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// What a seal covers, as JSON. The time is in the id.
const CANONICAL: &str = "json_build_array(1, e.id, e.actor_id, e.actor, e.address, e.action, e.times, e.services, e.dead_letter, e.operation, \
     e.error_group, e.details, e.reason)::text";

const COLUMNS: &str = "e.id, e.actor_id, e.actor, e.address, e.action, e.times, e.services, e.dead_letter, e.operation, e.error_group, \
     e.details, e.reason";

/// Which entries are listed.
#[derive(Clone, Debug, Default)]
pub struct WantedEntries {
    /// Of this caller, by what identifies it.
    pub actor: Option<String>,
    /// Of this kind.
    pub action: Option<Action>,
    /// About one of these services only.
    pub services: Option<Vec<String>>,
    /// About this dead letter.
    pub dead_letter: Option<Uuid>,
    /// About this operation.
    pub operation: Option<Uuid>,
    /// About this error group.
    pub error_group: Option<Uuid>,
    /// At or after.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
}

/// An entry that was just sealed.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its number in the chain, from 1.
    pub number: i64,
    /// The hash, in hexadecimal digits.
    pub hash: String,
    /// The entry.
    pub entry: Entry,
}

/// What verifying the chain has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries whose seal is right.
    pub sealed: i64,
    /// The last hash, in hexadecimal digits.
    pub head: String,
    /// Entries that are not sealed yet.
    pub open: i64,
    /// What is wrong, in words.
    pub faults: Vec<String>,
}

impl Store {
    /// Appends entries that are about nothing else in the database. A crash of the database may lose those of the last moments.
    pub async fn audit(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut transaction = self.http.begin().await?;
        sqlx::query("SELECT set_config('synchronous_commit', 'off', true)")
            .execute(&mut *transaction)
            .await?;
        for entry in entries {
            append(&mut transaction, entry).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Seals entries that are not sealed, if no other replica does. Returns them: as many as are sealed at once, or all that there are.
    pub async fn seal_audit(&self, now: DateTime<Utc>) -> Result<Vec<Sealed>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_ours: bool = sqlx::query_scalar(&format!("SELECT pg_try_advisory_xact_lock({SEALING})"))
            .fetch_one(&mut *transaction)
            .await?;
        if !is_ours {
            return Ok(Vec::new());
        }
        let last: Option<(i64, Uuid, Vec<u8>)> =
            sqlx::query_as("SELECT number, entry, hash FROM audit_seal ORDER BY number DESC LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await?;
        let (mut number, since, mut hash) = match last {
            None => (0, Uuid::nil(), BEGINNING),
            Some((number, entry, hash)) => {
                let sealed_at = received_at(entry).min(now);
                (number, floor_id(sealed_at - LATE), hash_of(&hash)?)
            }
        };
        let query = format!(
            "SELECT {COLUMNS}, {CANONICAL} AS canonical FROM audit_entry e \
             WHERE e.id >= $1 AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry = e.id) ORDER BY e.id LIMIT $2"
        );
        let rows = sqlx::query(&query).bind(since).bind(SEALED_AT_ONCE).fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (mut sealed, mut hashes) = (Vec::new(), Vec::new());
        for row in &rows {
            number += 1;
            hash = chained(hash, row.try_get("canonical")?);
            hashes.push(hash.to_vec());
            sealed.push(Sealed { number, hash: hex(&hash), entry: entry(row)? });
        }
        sqlx::query("INSERT INTO audit_seal (number, entry, hash) SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::bytea[])")
            .bind(sealed.iter().map(|sealed| sealed.number).collect::<Vec<_>>())
            .bind(sealed.iter().map(|sealed| sealed.entry.id).collect::<Vec<_>>())
            .bind(hashes)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(sealed)
    }

    /// Follows the chain from its beginning.
    pub async fn verify_audit(&self, now: DateTime<Utc>) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let (mut expected, mut hash) = (1, BEGINNING);
        loop {
            let query = format!(
                "SELECT s.number, s.entry, s.hash, CASE WHEN e.id IS NOT NULL THEN {CANONICAL} END AS canonical \
                 FROM audit_seal s LEFT JOIN audit_entry e ON e.id = s.entry WHERE s.number >= $1 ORDER BY s.number LIMIT $2"
            );
            let rows =
                sqlx::query(&query).bind(expected).bind(VERIFIED_AT_ONCE).fetch_all(&self.operations).await?;
            for row in &rows {
                let (number, id): (i64, Uuid) = (row.try_get("number")?, row.try_get("entry")?);
                if number != expected {
                    verified
                        .faults
                        .push(format!("entries {expected} to {} are missing from the chain", number - 1));
                }
                let stored = hash_of(row.try_get("hash")?)?;
                match row.try_get::<Option<&str>, _>("canonical")? {
                    None => verified.faults.push(format!("entry {number} ({id}) is missing")),
                    Some(canonical) if number == expected && chained(hash, canonical) != stored => {
                        verified
                            .faults
                            .push(format!("entry {number} ({id}) was changed, or the one before it"));
                    }
                    Some(_) => verified.sealed += 1,
                }
                (expected, hash) = (number + 1, stored);
            }
            if rows.is_empty() {
                break;
            }
        }
        let unsealed = "SELECT count(*), count(*) FILTER (WHERE e.id < $1) FROM audit_entry e \
             WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry = e.id)";
        let (open, late): (i64, i64) =
            sqlx::query_as(unsealed).bind(floor_id(now - LATE)).fetch_one(&self.operations).await?;
        if late > 0 {
            verified.faults.push(format!(
                "{late} entries of more than {} minutes ago are not sealed",
                LATE.num_minutes()
            ));
        }
        (verified.open, verified.head) = (open - late, hex(&hash));
        Ok(verified)
    }

    /// At most `limit` entries before `before`, the latest first.
    pub async fn audit_entries(
        &self,
        wanted: &WantedEntries,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM audit_entry e WHERE e.id < "));
        query.push_bind(before.unwrap_or(Uuid::max()));
        if let Some(actor) = &wanted.actor {
            query.push(" AND e.actor_id = ").push_bind(actor.clone());
        }
        if let Some(action) = wanted.action {
            query.push(" AND e.action = ").push_bind(action.as_str());
        }
        if let Some(services) = &wanted.services {
            query.push(" AND e.services <> '{}' AND e.services <@ ").push_bind(services.clone());
        }
        for (column, id) in [
            ("dead_letter", wanted.dead_letter),
            ("operation", wanted.operation),
            ("error_group", wanted.error_group),
        ] {
            if let Some(id) = id {
                query.push(format!(" AND e.{column} = ")).push_bind(id);
            }
        }
        if let Some(from) = wanted.from {
            query.push(" AND e.id >= ").push_bind(floor_id(from));
        }
        if let Some(to) = wanted.to {
            query.push(" AND e.id < ").push_bind(floor_id(to));
        }
        query.push(" ORDER BY e.id DESC LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&self.http).await?;
        rows.iter().map(entry).collect()
    }
}

/// Appends an entry to what the transaction does.
pub(super) async fn append(transaction: &mut Transaction<'_>, entry: &Entry) -> Result<(), StoreError> {
    let Entry { id, actor, action, times, services, dead_letter, operation, error_group, details, reason } =
        entry;
    sqlx::query(
        "INSERT INTO audit_entry (id, actor_id, actor, address, action, times, services, dead_letter, operation, error_group, details, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(&actor.id)
    .bind(&actor.name)
    .bind(actor.address.map(|address| address.to_string()))
    .bind(action.as_str())
    .bind(times)
    .bind(services)
    .bind(dead_letter)
    .bind(operation)
    .bind(error_group)
    .bind(details.to_string())
    .bind(reason)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn entry(row: &PgRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        id: row.try_get("id")?,
        actor: Actor {
            id: row.try_get("actor_id")?,
            name: row.try_get("actor")?,
            address: row.try_get::<Option<&str>, _>("address")?.and_then(|address| address.parse().ok()),
        },
        action: named(row, "action", Action::parse)?,
        times: row.try_get("times")?,
        services: row.try_get("services")?,
        dead_letter: row.try_get("dead_letter")?,
        operation: row.try_get("operation")?,
        error_group: row.try_get("error_group")?,
        details: super::operations::json(row, "details")?,
        reason: row.try_get("reason")?,
    })
}

fn hash_of(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Inconsistent("a seal of the audit is no hash".into()))
}
