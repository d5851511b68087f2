//! Overviews: how many dead letters each service has, from the counters.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::dead_letter::received_at;

/// The dead letters of one service that are dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCount {
    /// The service.
    pub service: String,
    /// How many are dead.
    pub dead: i64,
    /// When the first of them arrived.
    pub oldest: Option<DateTime<Utc>>,
    /// When the last of them arrived.
    pub newest: Option<DateTime<Utc>>,
}

impl Store {
    /// The services with dead letters, most first.
    ///
    /// The counters say on which days the oldest and the newest arrived; one look into the index of each of these days
    /// says when.
    pub async fn service_counts(&self) -> Result<Vec<ServiceCount>, StoreError> {
        let rows = sqlx::query(
            "WITH days AS ( \
                 SELECT service, day, sum(dead)::bigint AS dead FROM dead_letter_counter \
                 GROUP BY service, day HAVING sum(dead) <> 0), \
             services AS ( \
                 SELECT service, sum(dead)::bigint AS dead, min(day) AS first, max(day) AS last FROM days \
                 GROUP BY service) \
             SELECT s.service, s.dead, o.id AS oldest, n.id AS newest FROM services s \
             LEFT JOIN LATERAL ( \
                 SELECT id FROM dead_letter d WHERE d.service = s.service AND d.status = 'dead' \
                     AND d.id >= dead_letter_floor_id(s.first) AND d.id < dead_letter_floor_id(s.first + 1) \
                 ORDER BY id LIMIT 1) o ON true \
             LEFT JOIN LATERAL ( \
                 SELECT id FROM dead_letter d WHERE d.service = s.service AND d.status = 'dead' \
                     AND d.id >= dead_letter_floor_id(s.last) AND d.id < dead_letter_floor_id(s.last + 1) \
                 ORDER BY id DESC LIMIT 1) n ON true \
             ORDER BY s.dead DESC, s.service",
        )
        .fetch_all(&mut *self.http.acquire().await?)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ServiceCount {
                    service: row.try_get("service")?,
                    dead: row.try_get("dead")?,
                    oldest: row.try_get::<Option<Uuid>, _>("oldest")?.map(received_at),
                    newest: row.try_get::<Option<Uuid>, _>("newest")?.map(received_at),
                })
            })
            .collect()
    }

    /// Every service that has ever had a dead letter that is still stored.
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT DISTINCT service FROM dead_letter_counter")
            .fetch_all(&mut *self.http.acquire().await?)
            .await?)
    }
}
