//! What happened within a time: new and regressed error groups, what people did about groups, and how many dead letters arrived.

use chrono::{DateTime, DurationRound, Utc};
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::counters::FINE;
use super::error_groups::EVENT;
use super::{Store, StoreError};
use crate::domain::dead_letter::floor_id;
use crate::domain::error_group::GroupEvent;
use crate::domain::operation::OperationEvent;

/// A time, and the services that are looked at: all of them where none are named.
#[derive(Clone, Debug)]
pub struct Shift {
    /// Its beginning.
    pub since: DateTime<Utc>,
    /// Its end.
    pub until: DateTime<Utc>,
    /// The services.
    pub services: Option<Vec<String>>,
}

/// Numbers of a shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShiftCounts {
    /// Arrivals, to five minutes.
    pub arrived: i64,
    /// Dead letters that are dead now, whenever they arrived.
    pub dead: i64,
}

impl Shift {
    /// Appends ` AND …` for the services of groups `g`.
    fn push_services(&self, query: &mut QueryBuilder<'static, Postgres>) {
        if let Some(services) = &self.services {
            query.push(" AND g.service = ANY(").push_bind(services.clone()).push(")");
        }
    }

    /// The beginning of the interval of the counters that it begins in.
    fn first_interval(&self) -> DateTime<Utc> {
        self.since.duration_trunc(FINE).unwrap_or(self.since)
    }
}

impl Store {
    /// How many dead letters arrived, and how many are dead now.
    pub async fn shift_counts(&self, shift: &Shift) -> Result<ShiftCounts, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT (SELECT COALESCE(sum(t.dead + t.redelivered + t.deleted), 0)::bigint \
                 FROM error_group_timeline t JOIN error_group g ON g.id = t.error_group WHERE t.start >= ",
        );
        query.push_bind(shift.first_interval()).push(" AND t.start < ").push_bind(shift.until);
        shift.push_services(&mut query);
        query.push(
            ") AS arrived, (SELECT COALESCE(sum(c.dead), 0)::bigint \
             FROM error_group_count c JOIN error_group g ON g.id = c.error_group WHERE true",
        );
        shift.push_services(&mut query);
        let row = query.push(") AS dead").build().fetch_one(&self.http).await?;
        Ok(ShiftCounts { arrived: row.try_get("arrived")?, dead: row.try_get("dead")? })
    }

    /// At most `limit` groups whose first dead letter arrived within it, the latest first.
    pub async fn new_groups(&self, shift: &Shift, limit: i64) -> Result<Vec<Uuid>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT w.id FROM (SELECT COALESCE(g.merged_into, g.id) AS id, min(g.first_seen) AS first_seen \
             FROM error_group g WHERE g.first_seen >= ",
        );
        query.push_bind(shift.since).push(" AND g.first_seen < ").push_bind(shift.until);
        shift.push_services(&mut query);
        query.push(
            " GROUP BY 1) w WHERE NOT EXISTS ( \
             SELECT FROM error_group m WHERE (m.id = w.id OR m.merged_into = w.id) AND m.first_seen < ",
        );
        query.push_bind(shift.since).push(") ORDER BY w.first_seen DESC, w.id LIMIT ").push_bind(limit);
        Ok(query.build_query_scalar().fetch_all(&self.http).await?)
    }

    /// At most `limit` groups that came back within it after they were resolved, and are not resolved again.
    pub async fn regressed_groups(&self, shift: &Shift, limit: i64) -> Result<Vec<Uuid>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT g.id FROM error_group g JOIN (SELECT COALESCE(m.merged_into, m.id) AS error_group, max(n.last_seen) AS last_seen, \
                     max(n.last_died) AS last_died \
                 FROM error_group m JOIN error_group_count n ON n.error_group = m.id GROUP BY 1) c ON c.error_group = g.id \
                 CROSS JOIN LATERAL (SELECT COALESCE(g.resolved_version, g.resolved_after) IS NOT NULL AS in_version) v \
                 CROSS JOIN LATERAL (SELECT CASE WHEN v.in_version \
                     THEN dead_letter_regresses_from(g.service, g.resolved_at, g.resolved_version, g.resolved_after) \
                     ELSE g.resolved_at END AS since) r \
             WHERE CASE WHEN v.in_version THEN c.last_died >= r.since ELSE c.last_seen > r.since END AND c.last_seen >= ",
        );
        query.push_bind(shift.since).push(" AND r.since < ").push_bind(shift.until);
        query.push(" AND (c.last_seen < ").push_bind(shift.until).push(" OR EXISTS (").push(AFTER_RESOLUTION);
        query.push_bind(shift.until).push(")) AND NOT EXISTS (").push(AFTER_RESOLUTION);
        query.push_bind(shift.first_interval()).push(")");
        shift.push_services(&mut query);
        query.push(" ORDER BY c.last_seen DESC, g.id LIMIT ").push_bind(limit);
        Ok(query.build_query_scalar().fetch_all(&self.http).await?)
    }

    /// At most `limit` actions on groups within it, each with its group, the latest first.
    pub async fn triage(&self, shift: &Shift, limit: i64) -> Result<Vec<(Uuid, GroupEvent)>, StoreError> {
        let mut query = QueryBuilder::new(format!(
            "SELECT COALESCE(g.merged_into, g.id) AS error_group, {EVENT} \
             FROM error_group_event e JOIN error_group g ON g.id = e.error_group WHERE e.id >= ",
        ));
        query.push_bind(floor_id(shift.since)).push(" AND e.id < ").push_bind(floor_id(shift.until));
        shift.push_services(&mut query);
        query.push(" ORDER BY e.id DESC LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.http).await?;
        rows.iter().map(|row| Ok((row.try_get("error_group")?, super::error_groups::event(row)?))).collect()
    }

    /// What was done to these operations within it, the first one first.
    pub async fn steered(
        &self,
        operations: &[Uuid],
        shift: &Shift,
        limit: i64,
    ) -> Result<Vec<(Uuid, OperationEvent)>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.operation_id, e.id, e.action, e.detail, e.done_by FROM UNNEST($1::uuid[]) AS o (id) CROSS JOIN LATERAL ( \
                 SELECT * FROM operation_event e WHERE e.operation_id = o.id AND e.id >= $2 AND e.id < $3 ORDER BY e.id LIMIT $4) e",
        )
        .bind(operations)
        .bind(floor_id(shift.since))
        .bind(floor_id(shift.until))
        .bind(limit)
        .fetch_all(&self.http)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("operation_id")?, super::steering::event(row)?))).collect()
    }
}

/// Whether a dead letter of the group `g` arrived since arrivals are a regression, and before a time, which follows.
const AFTER_RESOLUTION: &str = "SELECT FROM error_group_timeline t WHERE t.error_group IN ( \
     SELECT m.id FROM error_group m WHERE m.id = g.id OR m.merged_into = g.id) AND t.start >= r.since AND t.start < ";
