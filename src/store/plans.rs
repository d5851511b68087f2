//! Plans: selections that are frozen and may be run until they expire.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::bounds::{self, Bounds, check_plans};
use super::freeze::chosen;
use super::operations::named;
use super::search::{PLACE, payload, place};
use super::{Store, StoreError};
use crate::domain::convention::{Conventions, Origin, Provenance};
use crate::domain::dead_letter::Payload;
use crate::domain::operation::{Kind, NewOperation, Options};
use crate::domain::place::Place;

/// A plan that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its id, and that of the operation that runs it.
    pub id: Uuid,
    /// What it does.
    pub kind: Kind,
    /// The selection as requested.
    pub asked: serde_json::Value,
    /// How.
    pub options: Options,
    /// The caller.
    pub requested_by: String,
    /// Who asked for it, by what identifies them. Empty: not signed in.
    pub requested_by_id: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it may be run.
    pub expires_at: DateTime<Utc>,
}

/// What a plan is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Dead letters in it.
    pub total: i64,
    /// How many of each service, queue and error group, most first; of what has none under `None`.
    pub services: Vec<(Option<String>, i64)>,
    /// Likewise, in each place.
    pub queues: Vec<QueueCount>,
    /// How many of each broker and virtual host.
    pub places: Vec<(Option<Place>, i64)>,
    /// Likewise.
    pub groups: Vec<(Uuid, i64)>,
    /// How many died where only they themselves say so, by that queue and the convention that claims it.
    pub claimed: Vec<(Provenance, i64)>,
    /// How many have a body larger than a broker takes by default.
    pub large: i64,
    /// How many have an expiration.
    pub expiring: i64,
    /// How many were published with another routing key than the name of the queue that they died in, and may be for consumers
    /// that look at it.
    pub rekeyed: i64,
}

/// How many of a plan's dead letters died in a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueCount {
    /// Where it is.
    pub place: Option<Place>,
    /// Its name, where that is known.
    pub name: Option<String>,
    /// How many.
    pub count: i64,
}

/// Longest body in a sample, in bytes.
const SAMPLED_BODY: i64 = 64 << 10;
/// Bytes of a sample.
const SAMPLE_BYTES: i64 = 8 << 20;

/// What RabbitMQ takes since 4.0, unless told otherwise.
const LARGE: i64 = 16 << 20;
/// Largest number of services, queues and groups that are named.
const NAMED: i64 = 100;

impl Summary {
    /// Adds a row of the query of [`Store::plan_summary`].
    fn add(&mut self, row: &PgRow) -> Result<(), StoreError> {
        let (what, count): (String, i64) = (row.try_get("what")?, row.try_get("count")?);
        match what.as_str() {
            "service" => self.services.push((row.try_get("value")?, count)),
            "queue" => {
                let (place, name) = (place(row)?, row.try_get("value")?);
                self.queues.push(QueueCount { place, name, count });
            }
            "place" => self.places.push((place(row)?, count)),
            "group" => self.groups.push((row.try_get("error_group")?, count)),
            "claimed" => {
                let origin = Origin { queue: row.try_get("value")?, ..Origin::default() };
                self.claimed.push((
                    Provenance { origin, claimed_by: row.try_get("claimed_by")?, ..Provenance::default() },
                    count,
                ));
            }
            "large" => self.large = count,
            "rekeyed" => self.rekeyed = count,
            "expiring" => self.expiring = count,
            _ => self.total = count,
        }
        Ok(())
    }
}

impl Store {
    /// Freezes the selection as a plan of this id. Only what can be acted on now is in it; returns how many were asked for and
    /// are not. An error if the caller has too many plans.
    pub async fn plan(
        &self,
        new: &NewOperation,
        id: Uuid,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        bounds: &Bounds,
    ) -> Result<i64, StoreError> {
        let options = serde_json::to_string(&new.options)
            .map_err(|error| StoreError::Inconsistent(error.to_string()))?;
        let mut transaction = self.operations.begin().await?;
        sqlx::query(
            "INSERT INTO operation_plan (id, kind, selection, options, requested_by, created_at, expires_at, requested_by_id) \
             VALUES ($1, $2, $3::jsonb, $4::json, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(new.kind.as_str())
        .bind(new.asked.to_string())
        .bind(options)
        .bind(&new.requested_by.name)
        .bind(now)
        .bind(expires_at)
        .bind(&new.requested_by.id)
        .execute(&mut *transaction)
        .await?;
        // Early, though others may be counted only later.
        check_plans(&mut transaction, bounds, &new.requested_by, now).await?;
        let mut query = chosen(&mut transaction, new, now).await?;
        query.push(", planned AS (INSERT INTO operation_plan_item (plan_id, dead_letter_id) SELECT ");
        query.push_bind(id).push(
            ", id FROM chosen WHERE refusal IS NULL) SELECT count(*) - count(refusal), count(refusal) FROM chosen",
        );
        let (items, left_out): (i64, i64) = query.build_query_as().fetch_one(&mut *transaction).await?;
        sqlx::query("UPDATE operation_plan SET items = $2 WHERE id = $1")
            .bind(id)
            .bind(items)
            .execute(&mut *transaction)
            .await?;
        bounds::lock(&mut transaction, &new.requested_by).await?;
        check_plans(&mut transaction, bounds, &new.requested_by, now).await?;
        transaction.commit().await?;
        Ok(left_out)
    }

    /// The plan of this id.
    pub async fn planned(&self, id: Uuid) -> Result<Option<Plan>, StoreError> {
        let row = sqlx::query(
            "SELECT id, kind, selection::text AS selection, options::text AS options, requested_by, requested_by_id, created_at, \
                 expires_at FROM operation_plan WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.http)
        .await?;
        row.as_ref()
            .map(|row| {
                Ok(Plan {
                    id,
                    kind: named(row, "kind", Kind::parse)?,
                    asked: super::operations::json(row, "selection")?,
                    options: super::operations::json(row, "options")?,
                    requested_by: row.try_get("requested_by")?,
                    requested_by_id: row.try_get("requested_by_id")?,
                    created_at: row.try_get("created_at")?,
                    expires_at: row.try_get("expires_at")?,
                })
            })
            .transpose()
    }

    /// A random sample of the plan's messages, at most `most`. Fewer if they are large.
    pub async fn plan_sample(&self, id: Uuid, most: i64) -> Result<Vec<Payload>, StoreError> {
        let rows = sqlx::query(
            "WITH picked AS MATERIALIZED ( \
                 SELECT dead_letter_id FROM operation_plan_item WHERE plan_id = $1 \
                 ORDER BY hashtextextended(dead_letter_id::text, 0) LIMIT $2), \
             sized AS ( \
                 SELECT d.*, sum(d.size) OVER (ORDER BY d.id) - d.size AS before FROM picked p \
                     CROSS JOIN LATERAL ( \
                         SELECT x.id, x.convention, x.properties, CASE WHEN octet_length(x.body) <= $3 THEN x.body ELSE '' END AS body, \
                             octet_length(x.properties) + LEAST(octet_length(x.body), $3) AS size \
                         FROM dead_letter x WHERE x.id = p.dead_letter_id LIMIT 1) d) \
             SELECT properties, body, convention FROM sized WHERE before < $4",
        )
        .bind(id)
        .bind(most)
        .bind(SAMPLED_BODY)
        .bind(SAMPLE_BYTES)
        .fetch_all(&self.operations)
        .await?;
        rows.iter().map(payload).collect()
    }

    /// How many of the plan's dead letters died again after an earlier redelivery, as dead letters of their own.
    pub async fn plan_returned(&self, id: Uuid) -> Result<i64, StoreError> {
        let query = "SELECT count(*) FROM operation_plan_item p WHERE p.plan_id = $1 AND EXISTS ( \
             SELECT FROM operation_return r WHERE r.dead_letter_id = p.dead_letter_id)";
        Ok(sqlx::query_scalar(query).bind(id).fetch_one(&self.operations).await?)
    }

    /// Numbers about the plan. Reads each of its dead letters once.
    pub async fn plan_summary(&self, id: Uuid) -> Result<Summary, StoreError> {
        let query = format!(
            "WITH items AS MATERIALIZED ( \
                 SELECT d.service, d.origin_queue, d.error_group, {PLACE}, \
                     CASE WHEN d.origin_claimed THEN COALESCE(d.convention, '') END AS claimed_by, \
                     octet_length(d.body) > $2 AS is_large, d.origin_routing_key <> d.origin_queue AND COALESCE(d.convention, '') <> ALL ($4) AS is_rekeyed, \
                     CASE WHEN octet_length(d.properties) > 0 \
                         THEN get_byte(substring(d.properties FROM 1 FOR 1), 0) & 1 = 1 END AS is_expiring \
                 FROM operation_plan_item i \
                     CROSS JOIN LATERAL (SELECT * FROM dead_letter x WHERE x.id = i.dead_letter_id LIMIT 1) d \
                 WHERE i.plan_id = $1) \
             (SELECT 'service' AS what, service AS value, NULL::uuid AS error_group, NULL AS claimed_by, NULL AS broker, NULL AS vhost, count(*) AS count FROM items \
                 GROUP BY service ORDER BY count DESC LIMIT $3) \
             UNION ALL (SELECT 'queue', origin_queue, NULL, NULL, broker, vhost, count(*) AS count FROM items \
                 GROUP BY origin_queue, broker, vhost ORDER BY count DESC LIMIT $3) \
             UNION ALL (SELECT 'claimed', origin_queue, NULL, claimed_by, NULL, NULL, count(*) AS count FROM items WHERE claimed_by IS NOT NULL \
                 GROUP BY origin_queue, claimed_by ORDER BY count DESC LIMIT $3) \
             UNION ALL (SELECT 'group', NULL, COALESCE(m.merged_into, i.error_group), NULL, NULL, NULL, count(*) AS count \
                 FROM items i LEFT JOIN error_group m ON m.id = i.error_group WHERE i.error_group IS NOT NULL \
                 GROUP BY 3 ORDER BY count DESC LIMIT $3) \
             UNION ALL (SELECT 'place', NULL, NULL, NULL, broker, vhost, count(*) AS count FROM items \
                 GROUP BY broker, vhost ORDER BY count DESC) \
             UNION ALL SELECT 'large', NULL, NULL, NULL, NULL, NULL, count(*) FROM items WHERE is_large \
             UNION ALL SELECT 'rekeyed', NULL, NULL, NULL, NULL, NULL, count(*) FROM items WHERE is_rekeyed \
             UNION ALL SELECT 'expiring', NULL, NULL, NULL, NULL, NULL, count(*) FROM items WHERE is_expiring \
             UNION ALL SELECT 'total', NULL, NULL, NULL, NULL, NULL, count(*) FROM items"
        );
        let rows = sqlx::query(&query)
            .bind(id)
            .bind(LARGE)
            .bind(NAMED)
            .bind(Conventions::blind_to_the_routing_key())
            .fetch_all(&self.operations)
            .await?;
        let mut summary = Summary::default();
        for row in rows {
            summary.add(&row)?;
        }
        Ok(summary)
    }

    /// Forgets plans that expired before.
    pub async fn forget_plans(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM operation_plan WHERE expires_at < $1")
            .bind(before)
            .execute(&self.operations)
            .await?;
        Ok(())
    }
}
