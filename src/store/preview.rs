//! The first dead letters of a selection.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::freeze::chosen;
use super::{Store, StoreError};
use crate::domain::convention::Origin;
use crate::domain::dead_letter::Payload;
use crate::domain::operation::NewOperation;

/// Of larger ones there are fewer.
const MAX_BYTES: i64 = 16 << 20;

impl Store {
    /// How many can be acted on of what is selected now, and the first of them by the order of the request, one at least.
    pub async fn preview(
        &self,
        new: &NewOperation,
        now: DateTime<Utc>,
        samples: i64,
    ) -> Result<(i64, Vec<(Uuid, Origin, Payload)>), StoreError> {
        // Rolled back: it is there for the settings that choosing makes.
        let mut transaction = self.operations.begin().await?;
        let mut query = chosen(&mut transaction, new, now).await?;
        let direction = new.options.order.of_choice().direction();
        query
            .push(", able AS MATERIALIZED (SELECT id FROM chosen WHERE refusal IS NULL), sized AS (")
            .push("SELECT d.*, sum(d.size) OVER (ORDER BY d.id ")
            .push(direction)
            .push(") - d.size AS before FROM (SELECT id FROM able ORDER BY id ")
            .push(direction)
            .push(" LIMIT ")
            .push_bind(samples)
            .push(
                ") a CROSS JOIN LATERAL (SELECT x.id, x.origin_queue, x.origin_exchange, x.origin_routing_key, \
                     x.properties, x.body, octet_length(x.body) AS size \
                 FROM dead_letter x WHERE x.id = a.id LIMIT 1) d) \
                 SELECT n.total, s.id, s.origin_queue, s.origin_exchange, s.origin_routing_key, s.properties, s.body \
                 FROM (SELECT count(*) AS total FROM able) n \
                     LEFT JOIN sized s ON s.before = 0 OR s.before < ",
            )
            .push_bind(MAX_BYTES)
            .push(" ORDER BY s.id ")
            .push(direction);
        let rows = query.build().fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        let (mut total, mut letters) = (0, Vec::new());
        for row in &rows {
            total = row.try_get("total")?;
            let Some(id) = row.try_get("id")? else { continue };
            let origin = Origin {
                queue: row.try_get("origin_queue")?,
                exchange: row.try_get("origin_exchange")?,
                routing_key: row.try_get("origin_routing_key")?,
            };
            let payload = Payload { properties: row.try_get("properties")?, body: row.try_get("body")? };
            letters.push((id, origin, payload));
        }
        Ok((total, letters))
    }
}
