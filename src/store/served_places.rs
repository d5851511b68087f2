//! Places: the home place, and the places that replicas are connected to.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::lease::Transaction;
use super::{ChunkItem, Store, StoreError};
use crate::domain::dead_letter::Status;
use crate::domain::operation::Operation;
use crate::domain::place::Place;

/// How long this replica leaves an operation to others.
const LEFT_FOR: Duration = Duration::from_secs(1);
/// Pause of an operation that no replica can continue.
const RETRY: TimeDelta = TimeDelta::seconds(1);

/// A condition on chunks `c`: an item without an outcome died at one of the places `$4`, `$5`, or is no longer stored.
pub(super) const CHUNKS_OF_PLACES: &str = " AND EXISTS ( \
     SELECT FROM operation_item i WHERE i.operation_id = c.operation_id AND i.chunk = c.first_position AND i.outcome IS NULL \
         AND COALESCE((SELECT (COALESCE(x.broker, (SELECT broker FROM home_place)), \
                 COALESCE(x.vhost, (SELECT vhost FROM home_place))) IN (SELECT * FROM UNNEST($4::text[], $5::text[])) \
             FROM dead_letter x WHERE x.id = i.dead_letter_id LIMIT 1), true))";

/// The places that this replica is connected to, and the operations that it has recently left to others.
#[derive(Debug)]
pub struct ServedPlaces {
    places: Vec<Place>,
    left: Mutex<HashMap<Uuid, Instant>>,
}

impl ServedPlaces {
    /// For a replica that is connected to these places.
    pub fn new(places: Vec<Place>) -> Self {
        Self { places, left: Mutex::default() }
    }

    /// Brokers and virtual hosts, in the same order.
    pub(super) fn names(&self) -> (Vec<&str>, Vec<&str>) {
        self.places.iter().map(|place| (place.broker.as_str(), place.vhost.as_str())).unzip()
    }

    /// Whether this replica is connected to it.
    pub(super) fn has(&self, place: &Place) -> bool {
        self.places.contains(place)
    }

    /// The operations to skip for now.
    pub(super) fn left_to_others(&self) -> Vec<Uuid> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|_, since| since.elapsed() < LEFT_FOR);
        left.keys().copied().collect()
    }

    /// The places of these items that this replica is not connected to, if there are any.
    pub(super) fn not_for_us(&self, operation: &Operation, items: &[ChunkItem]) -> Option<BTreeSet<Place>> {
        if !operation.publishes() {
            return None;
        }
        let dead = items.iter().filter(|item| item.status == Some(Status::Dead));
        let others = dead.filter_map(|item| item.place.as_ref()).filter(|place| !self.has(place));
        let others: BTreeSet<_> = others.cloned().collect();
        (!others.is_empty()).then_some(others)
    }
}

/// A place without an announcement for this long is not served.
const SERVED_FOR: TimeDelta = TimeDelta::seconds(30);

/// The home place, once it is known. Clones share it.
pub(super) type KnownHome = Arc<OnceLock<Place>>;

impl Store {
    /// Makes this the home place, unless there is one: that of the first service. Rows and groups without a place belong to it.
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

    /// The cluster of the broker of this name at the first connection. If this is the first, `cluster`.
    pub async fn known_cluster(&self, broker: &str, cluster: &str) -> Result<String, StoreError> {
        let mut transaction = self.operations.begin().await?;
        sqlx::query("INSERT INTO known_broker (name, cluster) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(broker)
            .bind(cluster)
            .execute(&mut *transaction)
            .await?;
        let known = sqlx::query_scalar("SELECT cluster FROM known_broker WHERE name = $1")
            .bind(broker)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(known)
    }

    /// Announces that a service is connected to these places.
    pub async fn say_served(&self, places: &[Place], now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO served_place (broker, vhost, seen_at) \
             SELECT broker, vhost, $3 FROM UNNEST($1::text[], $2::text[]) AS n (broker, vhost) \
             ON CONFLICT (broker, vhost) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(places.iter().map(|place| place.broker.as_str()).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.vhost.as_str()).collect::<Vec<_>>())
        .bind(now)
        .execute(&self.operations)
        .await?;
        Ok(())
    }

    /// The places that any service is connected to.
    pub async fn served_places(&self, now: DateTime<Utc>) -> Result<Vec<Place>, StoreError> {
        let places: Vec<(String, String)> =
            sqlx::query_as("SELECT broker, vhost FROM served_place WHERE seen_at > $1")
                .bind(now - SERVED_FOR)
                .fetch_all(&self.operations)
                .await?;
        Ok(places.into_iter().map(|(broker, vhost)| Place { broker, vhost }).collect())
    }

    /// Leaves an operation, whose open items all died at other places, to a replica that is connected to one of them. If there is
    /// none, the operation says what it waits for.
    pub(super) async fn leave_to_others(
        &self,
        mut transaction: Transaction<'static>,
        operation: Uuid,
        away: &BTreeSet<Place>,
        served: &ServedPlaces,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        served.left.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, Instant::now());
        let others = self.served_places(now).await?;
        let Some(place) = away.iter().find(|place| !others.contains(place)) else { return Ok(()) };
        sqlx::query(
            "UPDATE operation SET last_error = $2, next_chunk_at = $3 WHERE id = $1 AND state IN ('pending', 'running')",
        )
        .bind(operation)
        .bind(format!("no service is connected to {place}, where messages of it died"))
        .bind(now + RETRY)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
