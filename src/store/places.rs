//! Places: which one is home, and which ones services are connected to.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Store, StoreError};
use crate::domain::place::Place;

/// A service that has not said for so long that it is connected to a place is not.
const SERVED_FOR: TimeDelta = TimeDelta::seconds(30);

/// The home place, once it is known. Clones know the same.
pub(super) type KnownHome = Arc<OnceLock<Place>>;

impl Store {
    /// Notes down that this is the home place, unless another one is already: that of the first service that asked. Rows and groups that
    /// bear no place are of it.
    pub async fn settle_home(&self, place: &Place) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query("INSERT INTO home_place (broker, vhost) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&place.broker)
            .bind(&place.vhost)
            .execute(&mut *transaction)
            .await?;
        let (broker, vhost): (String, String) =
            sqlx::query_as("SELECT broker, vhost FROM home_place").fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        // It never changes.
        let _ = self.home.set(Place { broker, vhost });
        Ok(())
    }

    /// Whether this is the home place.
    pub fn is_home(&self, place: &Place) -> bool {
        self.home.get() == Some(place)
    }

    /// Says that a service is connected to these places.
    pub async fn say_served(&self, places: &[Place], now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut connection = self.operations.acquire().await?;
        sqlx::query(
            "INSERT INTO served_place (broker, vhost, seen_at) \
             SELECT broker, vhost, $3 FROM UNNEST($1::text[], $2::text[]) AS n (broker, vhost) \
             ON CONFLICT (broker, vhost) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(places.iter().map(|place| place.broker.as_str()).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.vhost.as_str()).collect::<Vec<_>>())
        .bind(now)
        .execute(&mut *connection)
        .await?;
        connection.done().await?;
        Ok(())
    }

    /// The places that any service is connected to now.
    pub async fn served_places(&self, now: DateTime<Utc>) -> Result<Vec<Place>, StoreError> {
        let places: Vec<(String, String)> =
            sqlx::query_as("SELECT broker, vhost FROM served_place WHERE seen_at > $1")
                .bind(now - SERVED_FOR)
                .fetch_all(&mut *self.operations.acquire().await?)
                .await?;
        Ok(places.into_iter().map(|(broker, vhost)| Place { broker, vhost }).collect())
    }
}
