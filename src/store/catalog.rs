//! The last good snapshot of the catalog. All replicas share it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// A snapshot as it is stored.
#[derive(Clone, Debug)]
pub struct CatalogSnapshot {
    /// When it was taken, by the database's clock.
    pub taken_at: DateTime<Utc>,
    /// Since then, by the same clock.
    pub age: Duration,
    /// The services, as JSON.
    pub services: String,
}

impl Store {
    /// The last snapshot.
    pub async fn catalog_snapshot(&self) -> Result<Option<CatalogSnapshot>, StoreError> {
        let row: Option<(DateTime<Utc>, f64, String)> = sqlx::query_as(
            "SELECT taken_at, EXTRACT(epoch FROM now() - taken_at)::double precision, services FROM catalog_snapshot",
        )
        .fetch_optional(&self.operations)
        .await?;
        Ok(row.map(|(taken_at, age, services)| {
            let age = Duration::try_from_secs_f64(age).unwrap_or_default();
            CatalogSnapshot { taken_at, age, services }
        }))
    }

    /// Says that a new snapshot was taken, with the same services as before or with these, and returns when. `None`: the last one is not
    /// that of `base`, so another replica was faster, and nothing is changed.
    pub async fn keep_catalog(
        &self,
        base: Option<DateTime<Utc>>,
        services: Option<&str>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let statement = match services {
            None => "UPDATE catalog_snapshot SET taken_at = now() WHERE taken_at = $1 RETURNING taken_at",
            Some(_) => {
                "INSERT INTO catalog_snapshot AS c (taken_at, services) VALUES (now(), $2) \
                 ON CONFLICT (is_last) DO UPDATE SET taken_at = excluded.taken_at, services = excluded.services \
                 WHERE c.taken_at = $1 RETURNING taken_at"
            }
        };
        let query = sqlx::query_scalar(statement).bind(base);
        let query = if services.is_some() { query.bind(services) } else { query };
        Ok(query.fetch_optional(&self.operations).await?)
    }
}
