//! What incidents are found in: the counters of error groups, operations, and what replicas see of their sources. Never messages.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::counters::FINE;
use super::error_groups::{GROUP, group};
use super::incidents::IncidentTurn;
use super::{Store, StoreError};
use crate::domain::incident::WatchedGroup;
use crate::domain::place::Place;

/// What is judged against.
const WEEK: TimeDelta = TimeDelta::days(7);
/// So long before the last turn something may have arrived that was committed only after it.
const LATE: TimeDelta = TimeDelta::hours(1);
/// A source that no replica has reported for this long is none of ours any longer.
const REPORTED: TimeDelta = TimeDelta::minutes(1);

/// An operation that is news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedOperation {
    /// The operation.
    pub id: Uuid,
    /// Its services, where they are known.
    pub services: Vec<String>,
    /// When it paused or ended.
    pub at: DateTime<Utc>,
    /// What it says, or the numbers of its failures.
    pub detail: String,
}

/// A source in which messages wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaggingSource {
    /// Broker and virtual host.
    pub place: Place,
    /// The queue.
    pub source: String,
    /// Messages that wait.
    pub depth: i64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether replicas consume it.
    pub is_consumed: bool,
}

/// What a replica sees of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReading {
    /// Broker and virtual host.
    pub place: Place,
    /// The queue.
    pub source: String,
    /// Ready messages, if the broker says.
    pub depth: Option<i64>,
    /// Its state, in words. `None`: this replica consumes it.
    pub not_consumed: Option<String>,
}

impl IncidentTurn {
    /// The groups in which something arrived in the last hour or since the last turn, and those of open incidents.
    pub async fn watched_groups(&mut self) -> Result<Vec<WatchedGroup>, StoreError> {
        let (hour_ago, since) = (self.hour_ago(), self.looked_at.min(self.now) - LATE);
        let query = format!(
            "WITH recent AS MATERIALIZED ( \
                 SELECT error_group, COALESCE(sum(dead + redelivered + deleted) FILTER (WHERE start >= $1), 0)::bigint AS last_hour \
                 FROM error_group_timeline WHERE start >= LEAST($1, $2) GROUP BY error_group), \
             wanted AS MATERIALIZED ( \
                 SELECT error_group FROM recent UNION \
                 SELECT m.error_group FROM incident_group m JOIN incident i ON i.id = m.incident WHERE i.resolved_at IS NULL), \
             told AS MATERIALIZED ( \
                 SELECT m.error_group, max(i.opened_at) AS told_at, max(i.resolved_at) AS over_at, \
                     COALESCE(array_agg(i.id) FILTER (WHERE i.resolved_at IS NULL), '{{}}') AS open \
                 FROM incident_group m JOIN incident i ON i.id = m.incident \
                 WHERE m.error_group IN (SELECT error_group FROM wanted) GROUP BY m.error_group) \
             SELECT {GROUP}, COALESCE(g.bug, g.id) AS bug, t.dead, COALESCE(r.last_hour, 0) AS last_hour, \
                 i.told_at, i.over_at, COALESCE(i.open, '{{}}') AS open \
             FROM error_group g \
                 JOIN (SELECT error_group, sum(arrived)::bigint AS arrived, sum(dead)::bigint AS dead, \
                           max(last_seen) AS last_seen, max(last_died) AS last_died \
                       FROM error_group_count WHERE error_group IN (SELECT error_group FROM wanted) GROUP BY error_group) t \
                     ON t.error_group = g.id \
                 LEFT JOIN recent r ON r.error_group = g.id \
                 LEFT JOIN told i ON i.error_group = g.id \
             ORDER BY g.first_seen, g.id"
        );
        let since = since.duration_trunc(FINE).unwrap_or(since);
        let rows = sqlx::query(&query).bind(hour_ago).bind(since).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(watched).collect()
    }

    /// The arrivals in the busiest hour of the week before the last hour, of each of these groups that had any.
    pub async fn busiest_hours(&mut self, groups: &[Uuid]) -> Result<HashMap<Uuid, i64>, StoreError> {
        let hour_ago = self.hour_ago();
        let hours: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT error_group, max(count) FROM ( \
                 SELECT error_group, sum(dead + redelivered + deleted)::bigint AS count FROM error_group_timeline \
                 WHERE error_group = ANY($1) AND start >= $2 AND start < $3 \
                 GROUP BY error_group, date_trunc('hour', start, 'UTC')) hours \
             GROUP BY error_group",
        )
        .bind(groups)
        .bind(hour_ago - WEEK)
        .bind(hour_ago)
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok(hours.into_iter().collect())
    }

    /// The arrivals of these services in their busiest hour of the week before the last hour.
    pub async fn busiest_hour_of(&mut self, services: &[String]) -> Result<i64, StoreError> {
        let hour_ago = self.hour_ago();
        let busiest: Option<i64> = sqlx::query_scalar(
            "SELECT max(count) FROM ( \
                 SELECT sum(t.dead + t.redelivered + t.deleted)::bigint AS count \
                 FROM error_group_timeline t JOIN error_group g ON g.id = t.error_group \
                 WHERE g.service = ANY($1) AND t.start >= $2 AND t.start < $3 GROUP BY date_trunc('hour', t.start, 'UTC')) hours",
        )
        .bind(services)
        .bind(hour_ago - WEEK)
        .bind(hour_ago)
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(busiest.unwrap_or(0))
    }

    /// The operations that paused themselves and are still paused.
    pub async fn paused_operations(&mut self) -> Result<Vec<WatchedOperation>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.id, COALESCE(o.services, '{}') AS services, dead_letter_received_at(e.id) AS at, COALESCE(e.detail, '') AS detail \
             FROM operation o CROSS JOIN LATERAL ( \
                 SELECT * FROM operation_event e WHERE e.operation_id = o.id AND e.action IN ('pause', 'canary', 'resume') \
                 ORDER BY e.id DESC LIMIT 1) e \
             WHERE o.state = 'paused' AND NOT o.awaits_approval AND e.done_by = 'dead-letter'",
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        rows.iter().map(operation).collect()
    }

    /// The operations that ended since the last turn, and some of whose messages were refused or died again.
    pub async fn failed_operations(&mut self) -> Result<Vec<WatchedOperation>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.id, COALESCE(o.services, '{}') AS services, o.ended_at AS at, \
                 concat_ws(', ', CASE WHEN o.returned > 0 THEN o.returned || ' died again' END, \
                     CASE WHEN o.refused > 0 THEN o.refused || ' were refused' END) || ' of ' || o.total || '.' AS detail \
             FROM operation o \
             WHERE o.state = 'completed' AND o.ended_at >= GREATEST($1, $2) AND o.refused + o.returned > 0 \
                 AND NOT EXISTS (SELECT FROM incident i WHERE i.subject = 'operation/' || o.id || '/operationFailed')",
        )
        .bind(self.looked_at.min(self.now) - LATE)
        .bind(self.began_at)
        .fetch_all(&mut *self.transaction)
        .await?;
        rows.iter().map(operation).collect()
    }

    /// Those of these operations that some message still failed in and is dead.
    pub async fn operations_with_dead(&mut self, operations: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT o.id FROM unnest($1::uuid[]) AS o (id) WHERE EXISTS ( \
                 SELECT FROM operation_return r JOIN dead_letter_pending p ON p.id = r.returned_as WHERE r.operation_id = o.id) \
             OR EXISTS ( \
                 SELECT FROM operation_run n \
                     JOIN operation_chunk c ON c.operation_id = n.operation_id \
                         AND n.first_position BETWEEN c.first_position AND c.last_position \
                     CROSS JOIN LATERAL unnest(c.dead_letters[ \
                         n.first_position - c.first_position + 1 : n.last_position - c.first_position + 1]) AS x (id) \
                     JOIN dead_letter_pending p ON p.id = x.id \
                 WHERE n.operation_id = o.id AND n.outcome = 'refused')",
        )
        .bind(operations)
        .fetch_all(&mut *self.transaction)
        .await?)
    }

    /// The sources in which more messages wait than may, or that nobody consumes, for longer than this.
    pub async fn lagging_sources(&mut self, after: TimeDelta) -> Result<Vec<LaggingSource>, StoreError> {
        let rows = sqlx::query(
            "SELECT broker, vhost, source, depth, consumed_at >= $1 AS is_consumed, \
                 CASE WHEN consumed_at < $1 THEN consumed_at ELSE deep_since END AS since \
             FROM source_reading WHERE read_at >= $2 AND (consumed_at < $1 OR deep_since < $1)",
        )
        .bind(self.now - after)
        .bind(self.now - REPORTED)
        .fetch_all(&mut *self.transaction)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LaggingSource {
                    place: Place { broker: row.try_get("broker")?, vhost: row.try_get("vhost")? },
                    source: row.try_get("source")?,
                    depth: row.try_get("depth")?,
                    since: row.try_get("since")?,
                    is_consumed: row.try_get("is_consumed")?,
                })
            })
            .collect()
    }
}

impl Store {
    /// Writes down what this replica sees of its sources. `deep` is how many messages may wait.
    pub async fn report_sources(
        &self,
        readings: &[SourceReading],
        deep: i64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for reading in readings {
            // One by one, in the same order on each replica.
            sqlx::query(
                "INSERT INTO source_reading AS r (broker, vhost, source, read_at, depth, deep_since, consumed_at, state) \
                 VALUES ($1, $2, $3, $4, COALESCE($5, 0), CASE WHEN $5 > $6 THEN $4 END, $4, COALESCE($7, '')) \
                 ON CONFLICT (broker, vhost, source) DO UPDATE SET read_at = $4, depth = COALESCE($5, r.depth), \
                     deep_since = CASE WHEN $5 IS NULL THEN r.deep_since WHEN $5 > $6 THEN COALESCE(r.deep_since, $4) END, \
                     consumed_at = CASE WHEN $7::text IS NULL OR r.read_at < $8 THEN $4 ELSE r.consumed_at END, \
                     state = COALESCE($7, '')",
            )
            .bind(&reading.place.broker)
            .bind(&reading.place.vhost)
            .bind(&reading.source)
            .bind(now)
            .bind(reading.depth)
            .bind(deep)
            .bind(&reading.not_consumed)
            .bind(now - REPORTED)
            .execute(&self.operations)
            .await?;
        }
        Ok(())
    }
}

fn watched(row: &PgRow) -> Result<WatchedGroup, StoreError> {
    Ok(WatchedGroup {
        group: group(row)?,
        bug: row.try_get("bug")?,
        dead: row.try_get("dead")?,
        last_hour: row.try_get("last_hour")?,
        told_at: row.try_get("told_at")?,
        over_at: row.try_get("over_at")?,
        open: row.try_get("open")?,
    })
}

fn operation(row: &PgRow) -> Result<WatchedOperation, StoreError> {
    Ok(WatchedOperation {
        id: row.try_get("id")?,
        services: row.try_get("services")?,
        at: row.try_get("at")?,
        detail: row.try_get("detail")?,
    })
}
