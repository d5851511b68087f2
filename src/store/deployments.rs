//! Deployments: which version of a service has been running since when, as continuous integration tells it.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::lease::Transaction;
use super::{Store, StoreError, audit};
use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::deployment::{Deployment, ToldDeployment};

const COLUMNS: &str =
    "d.id, d.service, d.environment, d.version, d.started_at, d.finished_at, d.commit_id, d.link, d.told_by";

/// What became of a deployment that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// As it is now.
    pub deployment: Deployment,
    /// Whether nobody had told it before.
    pub is_new: bool,
}

/// Which deployments are listed.
#[derive(Clone, Debug, Default)]
pub struct WantedDeployments {
    /// Of these services.
    pub services: Vec<String>,
    /// Of this environment only.
    pub environment: Option<String>,
}

impl Store {
    /// Writes a deployment down, and who told it (R13). One that was told before only learns what it lacks: a repetition changes nothing.
    pub async fn tell_deployment(
        &self,
        told: &ToldDeployment,
        by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Told, StoreError> {
        let mut transaction = self.http.begin().await?;
        // Of two that tell the same at the same time, the second finds what the first has written.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('dead-letter deployments of ' || $1, 0))")
            .bind(&told.service)
            .execute(&mut *transaction)
            .await?;
        let known = known(&mut transaction, told).await?;
        let (deployment, is_new) = match &known {
            None => (insert(&mut transaction, told, by, now).await?, true),
            Some(known) => (complete(&mut transaction, known.id, told).await?, false),
        };
        if known.as_ref() != Some(&deployment) {
            let entry = Entry {
                services: vec![told.service.clone()],
                details: json!({
                    "version": deployment.version,
                    "environment": deployment.environment,
                    "startedAt": deployment.started_at,
                    "finishedAt": deployment.finished_at,
                }),
                ..Entry::new(clock::new_id(), by.clone(), Action::Deployment)
            };
            audit::append(&mut transaction, &entry).await?;
        }
        transaction.commit().await?;
        Ok(Told { deployment, is_new })
    }

    /// At most `limit` deployments told before this one, the latest first.
    pub async fn deployments(
        &self,
        wanted: &WantedDeployments,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Deployment>, StoreError> {
        let mut query =
            QueryBuilder::new(format!("SELECT {COLUMNS} FROM deployment d WHERE d.service = ANY("));
        query.push_bind(wanted.services.clone()).push(")");
        if let Some(environment) = &wanted.environment {
            query.push(" AND d.environment = ").push_bind(environment.clone());
        }
        if let Some(before) = before {
            query.push(" AND d.id < ").push_bind(before);
        }
        query.push(" ORDER BY d.id DESC LIMIT ").push_bind(i64::from(limit));
        query.build().fetch_all(&self.http).await?.iter().map(deployment).collect()
    }

    /// The version of a service that runs at this time, if any was told.
    pub async fn current_version(
        &self,
        service: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT d.version FROM deployment d WHERE d.service = $1 AND d.started_at <= $2 \
             ORDER BY d.started_at DESC, d.id DESC LIMIT 1",
        )
        .bind(service)
        .bind(now)
        .fetch_optional(&self.http)
        .await?)
    }

    /// The latest deployment of a version, and the one of another version after it. `environment`: only there.
    pub async fn deployment_of(
        &self,
        service: &str,
        version: &str,
        environment: Option<&str>,
    ) -> Result<Option<(Deployment, Option<Deployment>)>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM deployment d WHERE d.service = $1 AND d.version = $2 AND ($3::text IS NULL OR d.environment = $3) \
             ORDER BY d.started_at DESC, d.id DESC LIMIT 1"
        );
        let found = sqlx::query(&query).bind(service).bind(version).bind(environment);
        let Some(found) = found.fetch_optional(&self.http).await?.as_ref().map(deployment).transpose()?
        else {
            return Ok(None);
        };
        let query = format!(
            "SELECT {COLUMNS} FROM deployment d \
             WHERE d.service = $1 AND d.environment = $2 AND d.started_at >= $3 AND d.version <> $4 ORDER BY d.started_at, d.id LIMIT 1"
        );
        let next = sqlx::query(&query)
            .bind(service)
            .bind(found.environment.as_deref().unwrap_or_default())
            .bind(found.started_at)
            .bind(version)
            .fetch_optional(&self.http)
            .await?;
        let next = next.as_ref().map(deployment).transpose()?;
        Ok(Some((found, next)))
    }

    /// Removes deployments that started before, but for the latest of each service, and those that resolutions name.
    pub async fn forget_deployments(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM deployment d WHERE d.started_at < $1 \
                 AND EXISTS (SELECT FROM deployment l WHERE l.service = d.service AND l.environment = d.environment \
                     AND l.started_at > d.started_at) \
                 AND NOT EXISTS (SELECT FROM error_group g WHERE g.service = d.service \
                     AND (g.resolved_version = d.version OR g.resolved_after IS NOT NULL))",
        )
        .bind(before)
        .execute(&self.operations)
        .await?;
        Ok(())
    }
}

/// The deployment that is told again.
async fn known(
    transaction: &mut Transaction<'static>,
    told: &ToldDeployment,
) -> Result<Option<Deployment>, StoreError> {
    let query = format!(
        "SELECT {COLUMNS} FROM deployment d WHERE d.service = $1 AND d.environment = $2 AND ($3::timestamptz IS NULL OR d.started_at = $3) \
             AND ($3 IS NULL OR d.version = $4) ORDER BY d.started_at DESC, d.id DESC LIMIT 1"
    );
    let latest = sqlx::query(&query)
        .bind(&told.service)
        .bind(told.environment.as_deref().unwrap_or_default())
        .bind(told.started_at)
        .bind(&told.version)
        .fetch_optional(&mut **transaction)
        .await?;
    let latest = latest.as_ref().map(deployment).transpose()?;
    Ok(latest.filter(|latest| latest.version == told.version))
}

async fn insert(
    transaction: &mut Transaction<'static>,
    told: &ToldDeployment,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Deployment, StoreError> {
    let query = format!(
        "INSERT INTO deployment AS d (id, service, environment, version, started_at, finished_at, commit_id, link, told_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {COLUMNS}"
    );
    let started =
        told.started_at.unwrap_or_else(|| told.finished_at.map_or(now, |finished| finished.min(now)));
    let row = sqlx::query(&query)
        .bind(clock::new_id())
        .bind(&told.service)
        .bind(told.environment.as_deref().unwrap_or_default())
        .bind(&told.version)
        .bind(started)
        .bind(told.finished_at)
        .bind(&told.commit)
        .bind(&told.link)
        .bind(&by.name)
        .fetch_one(&mut **transaction)
        .await?;
    deployment(&row)
}

/// What was told first stays.
async fn complete(
    transaction: &mut Transaction<'static>,
    id: Uuid,
    told: &ToldDeployment,
) -> Result<Deployment, StoreError> {
    let query = format!(
        "UPDATE deployment d SET finished_at = COALESCE(d.finished_at, $2 + GREATEST(interval '0', d.started_at - $2)), \
             commit_id = COALESCE(d.commit_id, $3), link = COALESCE(d.link, $4) WHERE d.id = $1 RETURNING {COLUMNS}"
    );
    let row = sqlx::query(&query)
        .bind(id)
        .bind(told.finished_at)
        .bind(&told.commit)
        .bind(&told.link)
        .fetch_one(&mut **transaction)
        .await?;
    deployment(&row)
}

fn deployment(row: &PgRow) -> Result<Deployment, StoreError> {
    Ok(Deployment {
        id: row.try_get("id")?,
        service: row.try_get("service")?,
        environment: Some(row.try_get("environment")?).filter(|name: &String| !name.is_empty()),
        version: row.try_get("version")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        commit: row.try_get("commit_id")?,
        link: row.try_get("link")?,
        told_by: row.try_get("told_by")?,
    })
}
