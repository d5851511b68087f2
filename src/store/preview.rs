//! The first dead letters of a selection.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::freeze::chosen;
use super::provenance::{ORIGIN, provenance};
use super::search::payload;
use super::{Store, StoreError};
use crate::domain::convention::Provenance;
use crate::domain::dead_letter::Payload;
use crate::domain::operation::NewOperation;

/// Bodies of all samples together: of larger ones there are fewer, and of one that is larger by itself only its head.
pub const MAX_BYTES: i32 = 16 << 20;
/// So much of that one.
const HEAD: i32 = 64 << 10;

/// One of the first of a selection.
#[derive(Clone, Debug)]
pub struct Previewed {
    /// The dead letter.
    pub id: Uuid,
    /// Where it died.
    pub provenance: Provenance,
    /// Its bytes; of a large body the head only.
    pub payload: Payload,
    /// How long the body is.
    pub size: usize,
}

impl Store {
    /// How many can be acted on of what is selected now, and the first of them by the order of the request, one at least.
    pub async fn preview(
        &self,
        new: &NewOperation,
        now: DateTime<Utc>,
        samples: i64,
    ) -> Result<(i64, Vec<Previewed>), StoreError> {
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
            .push(") a CROSS JOIN LATERAL (SELECT d.id, ")
            .push(ORIGIN)
            .push(
                ", d.convention, d.properties, octet_length(d.body) AS size, \
                     CASE WHEN octet_length(d.body) <= ",
            )
            .push_bind(MAX_BYTES)
            .push(" THEN d.body ELSE substring(d.body FROM 1 FOR ")
            .push_bind(HEAD)
            .push(
                ") END AS body \
                 FROM dead_letter d WHERE d.id = a.id LIMIT 1) d) \
                 SELECT n.total, s.* FROM (SELECT count(*) AS total FROM able) n \
                     LEFT JOIN sized s ON s.before = 0 OR s.before + s.size <= ",
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
            let payload = payload(row)?;
            let size = usize::try_from(row.try_get::<i32, _>("size")?).unwrap_or(0);
            letters.push(Previewed { id, provenance: provenance(row)?, payload, size });
        }
        Ok((total, letters))
    }
}
