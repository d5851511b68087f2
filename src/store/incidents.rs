//! Incidents: opened, joined and resolved by the replica whose turn it is, each with the notifications about it in the same transaction.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::lease::Transaction;
use super::operations::{json, named};
use super::outbox::{self, Recipient};
use super::{Store, StoreError, audit};
use crate::clock;
use crate::domain::audit::Entry;
use crate::domain::incident::{Event, Facts, Incident, Kind, NewIncident, Severity};

/// What [`incident`] reads, of incidents `i`.
pub(super) const COLUMNS: &str = "i.id, i.kind, i.subject, i.squad, i.severity, i.services, i.facts, i.opened_at, i.over_since, i.resolved_at, \
     i.resolution";
/// The advisory lock of whoever looks for incidents.
const LOOKING: &str = "hashtextextended('dead-letter incidents', 0)";

/// The turn of this replica to look for incidents: one transaction.
#[derive(Debug)]
pub struct IncidentTurn {
    pub(super) transaction: Transaction<'static>,
    /// Since when incidents are looked for.
    pub began_at: DateTime<Utc>,
    /// When they were looked for last.
    pub looked_at: DateTime<Utc>,
    /// The time of this turn.
    pub now: DateTime<Utc>,
}

/// Which incidents are listed.
#[derive(Clone, Debug, Default)]
pub struct WantedIncidents {
    /// Only those about one of these services. Those about none are left out.
    pub services: Option<Vec<String>>,
    /// Only open ones, or only those that are over.
    pub is_open: Option<bool>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
}

impl Store {
    /// Takes the turn, unless another replica has it.
    pub async fn incident_turn(&self, now: DateTime<Utc>) -> Result<Option<IncidentTurn>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_ours: bool = sqlx::query_scalar(&format!("SELECT pg_try_advisory_xact_lock({LOOKING})"))
            .fetch_one(&mut *transaction)
            .await?;
        if !is_ours {
            return Ok(None);
        }
        let (began_at, looked_at) = sqlx::query_as("SELECT began_at, looked_at FROM incident_watch")
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Some(IncidentTurn { transaction, began_at, looked_at, now }))
    }

    /// Opens an incident that somebody asked for, and records who did (R13).
    pub async fn open_incident(
        &self,
        new: &NewIncident,
        severity: Severity,
        recipients: &[Recipient],
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<Uuid, StoreError> {
        let mut transaction = self.http.begin().await?;
        let id = open(&mut transaction, new, severity, recipients, now).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The incidents before this one, the latest first.
    pub async fn incidents(
        &self,
        wanted: &WantedIncidents,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM incident i WHERE true"));
        if let Some(services) = &wanted.services {
            query.push(" AND i.services && ").push_bind(services.clone());
        }
        if let Some(is_open) = wanted.is_open {
            query.push(" AND (i.resolved_at IS NULL) = ").push_bind(is_open);
        }
        if let Some(kind) = wanted.kind {
            query.push(" AND i.kind = ").push_bind(kind.as_str());
        }
        if let Some(before) = before {
            query.push(" AND i.id < ").push_bind(before);
        }
        query.push(" ORDER BY i.id DESC LIMIT ").push_bind(i64::from(limit));
        query.build().fetch_all(&self.http).await?.iter().map(incident).collect()
    }

    /// The incident of this id.
    pub async fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM incident i WHERE i.id = $1");
        let row = sqlx::query(&query).bind(id).fetch_optional(&self.http).await?;
        row.as_ref().map(incident).transpose()
    }

    /// The error groups of an incident. For those that were merged: the group that they were merged into.
    pub async fn groups_of_incident(&self, id: Uuid) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT DISTINCT COALESCE(g.merged_into, m.error_group) FROM incident_group m \
                 LEFT JOIN error_group g ON g.id = m.error_group WHERE m.incident = $1 ORDER BY 1",
        )
        .bind(id)
        .fetch_all(&self.http)
        .await?)
    }

    /// Number of open incidents of each kind.
    pub async fn open_incidents(&self) -> Result<Vec<(Kind, i64)>, StoreError> {
        let counts: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, count(*) FROM incident WHERE resolved_at IS NULL GROUP BY kind")
                .fetch_all(&self.health)
                .await?;
        Ok(counts.into_iter().filter_map(|(kind, count)| Some((Kind::parse(&kind)?, count))).collect())
    }

    /// For how long an open incident about error groups has been waiting in each squad: the longest, in seconds, or 0 where somebody has
    /// acted on all of them. To act is to change a group, to write a note, or to begin an operation on it or on one that counts as the
    /// same. Ids tell the time.
    pub async fn untriaged(&self, now: DateTime<Utc>) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT i.squad, max(CASE WHEN acted THEN 0 ELSE EXTRACT(epoch FROM $1 - i.opened_at) END)::bigint \
             FROM incident i CROSS JOIN LATERAL (SELECT EXISTS ( \
                 SELECT FROM incident_group t JOIN error_group g ON g.id = t.error_group \
                     JOIN error_group m ON COALESCE(g.merged_into, g.id) IN (m.id, m.merged_into) \
                 WHERE t.incident = i.id AND ( \
                     EXISTS (SELECT FROM error_group_event e WHERE e.error_group = m.id AND e.id > i.id) \
                     OR EXISTS (SELECT FROM operation o WHERE o.error_groups @> ARRAY[m.id] AND o.id > i.id))) AS acted) a \
             WHERE i.resolved_at IS NULL AND i.kind IN ('newErrorGroup', 'regressedErrorGroup', 'escalatingErrorGroup') \
             GROUP BY i.squad",
        )
        .bind(now)
        .fetch_all(&self.health)
        .await?)
    }

    /// Removes incidents that were resolved before, with their notifications. The last incident of each error group stays as long as the
    /// group: it tells whether the group comes back.
    pub async fn forget_incidents(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM incident i WHERE i.resolved_at < $1 AND NOT EXISTS ( \
                 SELECT FROM incident_group m JOIN error_group g ON g.id = m.error_group \
                 WHERE m.incident = i.id AND NOT EXISTS ( \
                     SELECT FROM incident_group later WHERE later.error_group = g.id AND later.incident > i.id))",
        )
        .bind(before)
        .execute(&self.operations)
        .await?;
        Ok(())
    }
}

impl IncidentTurn {
    /// Every open incident.
    pub async fn open_incidents(&mut self) -> Result<Vec<Incident>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM incident i WHERE i.resolved_at IS NULL ORDER BY i.id");
        let rows = sqlx::query(&query).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(incident).collect()
    }

    /// Opens an incident, and writes down whom to tell.
    pub async fn open(
        &mut self,
        new: &NewIncident,
        severity: Severity,
        recipients: &[Recipient],
    ) -> Result<Uuid, StoreError> {
        open(&mut self.transaction, new, severity, recipients, self.now).await
    }

    /// Adds error groups and services to an open incident. Nobody is told again.
    pub async fn join(&mut self, incident: Uuid, new: &NewIncident) -> Result<(), StoreError> {
        add_groups(&mut self.transaction, incident, &new.groups).await?;
        sqlx::query(
            "UPDATE incident SET services = ARRAY(SELECT DISTINCT s FROM unnest(services || $2::text[]) AS u (s) ORDER BY s), \
                 over_since = NULL WHERE id = $1",
        )
        .bind(incident)
        .bind(&new.services)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Writes down what is known of an incident now.
    pub async fn update(
        &mut self,
        incident: Uuid,
        facts: &Facts,
        over_since: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE incident SET facts = $2, over_since = $3 WHERE id = $1")
            .bind(incident)
            .bind(to_text(facts)?)
            .bind(over_since)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Resolves an incident. Who was told, or may have been, is told that it is over; for others the notification is dropped.
    pub async fn resolve(&mut self, incident: Uuid, reason: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE incident SET resolved_at = $2, resolution = $3 WHERE id = $1 AND resolved_at IS NULL",
        )
        .bind(incident)
        .bind(self.now)
        .bind(reason)
        .execute(&mut *self.transaction)
        .await?;
        outbox::tell_the_end(&mut self.transaction, incident, self.now).await
    }

    /// Ends the turn. Without it, nothing of it has happened.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        sqlx::query("UPDATE incident_watch SET looked_at = $1")
            .bind(self.now)
            .execute(&mut *self.transaction)
            .await?;
        Ok(self.transaction.commit().await?)
    }

    /// Beginning of the interval of the counters that lies an hour back.
    pub(super) fn hour_ago(&self) -> DateTime<Utc> {
        super::counters::interval_of(self.now - TimeDelta::hours(1), self.now)
    }
}

async fn open(
    transaction: &mut Transaction<'static>,
    new: &NewIncident,
    severity: Severity,
    recipients: &[Recipient],
    now: DateTime<Utc>,
) -> Result<Uuid, StoreError> {
    let id = clock::new_id();
    sqlx::query(
        "INSERT INTO incident (id, kind, subject, squad, severity, services, facts, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(new.kind.as_str())
    .bind(&new.subject)
    .bind(&new.squad)
    .bind(severity.as_str())
    .bind(&new.services)
    .bind(to_text(&new.facts)?)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    add_groups(transaction, id, &new.groups).await?;
    outbox::tell(transaction, id, Event::Opened, recipients, now).await?;
    Ok(id)
}

async fn add_groups(
    transaction: &mut Transaction<'static>,
    incident: Uuid,
    groups: &[Uuid],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO incident_group (error_group, incident) SELECT g, $1 FROM unnest($2::uuid[]) AS n (g) ON CONFLICT DO NOTHING",
    )
    .bind(incident)
    .bind(groups)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn to_text(facts: &Facts) -> Result<String, StoreError> {
    serde_json::to_string(facts).map_err(|_| StoreError::Inconsistent("facts".into()))
}

pub(super) fn incident(row: &PgRow) -> Result<Incident, StoreError> {
    Ok(Incident {
        id: row.try_get("id")?,
        kind: named(row, "kind", Kind::parse)?,
        subject: row.try_get("subject")?,
        squad: row.try_get("squad")?,
        severity: named(row, "severity", Severity::parse)?,
        services: row.try_get("services")?,
        facts: json(row, "facts")?,
        opened_at: row.try_get("opened_at")?,
        over_since: row.try_get("over_since")?,
        resolved_at: row.try_get("resolved_at")?,
        resolution: row.try_get("resolution")?,
    })
}
