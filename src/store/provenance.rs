//! The origin of a stored dead letter, for redelivery.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::StoreError;
use crate::domain::convention::{Origin, Provenance};

/// Columns of a dead letter `d`, for [`provenance`].
pub(super) const ORIGIN: &str = "d.origin_queue, d.origin_exchange, d.origin_routing_key, \
     CASE WHEN d.origin_claimed THEN COALESCE(d.convention, '') END AS claimed_by, \
     d.redelivery_id IS NOT NULL AND NOT EXISTS ( \
         SELECT FROM dead_letter_redelivery(d.redelivery_id) r \
             CROSS JOIN LATERAL (SELECT p.origin_exchange, p.origin_routing_key FROM dead_letter p \
                 WHERE p.id = r.dead_letter_id LIMIT 1) p \
         WHERE p.origin_exchange IS NOT DISTINCT FROM d.origin_exchange \
             AND p.origin_routing_key IS NOT DISTINCT FROM d.origin_routing_key) AS has_other_routing";

/// Where a dead letter died, of the columns of [`ORIGIN`].
pub(super) fn provenance(row: &PgRow) -> Result<Provenance, StoreError> {
    let origin = Origin {
        queue: row.try_get("origin_queue")?,
        exchange: row.try_get("origin_exchange")?,
        routing_key: row.try_get("origin_routing_key")?,
    };
    let has_other_routing = row.try_get::<Option<_>, _>("has_other_routing")?.unwrap_or_default();
    Ok(Provenance { origin, claimed_by: row.try_get("claimed_by")?, has_other_routing })
}
