//! What a service did since a deployment, from the counters of its error groups. Never messages.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::counters::{FINE, FINE_FOR};
use super::error_groups::{GROUP, group};
use super::merged::{IS_PART_OF_G, is_part_of, wholes};
use super::{Store, StoreError};
use crate::domain::dead_letter::floor_id;
use crate::domain::deployment::Deployment;
use crate::domain::error_group::ErrorGroup;
use crate::domain::gate::{Observation, ObservedGroup, SERVICE_FLOORS, Thresholds, observed_until};

/// What is judged against.
const WEEK: TimeDelta = TimeDelta::days(7);
/// A source that was not consumed for this long is not.
const WATCHED: TimeDelta = TimeDelta::minutes(1);

/// A group, and what the intervals of the counters say of its arrivals.
struct Active {
    group: ErrorGroup,
    /// Since the beginning of the interval of the deployment: too many, if any.
    upper: i64,
    /// Since the end of that interval.
    later: i64,
}

impl Store {
    /// What the error groups of its service did since a deployment.
    pub async fn observe(
        &self,
        (deployment, next): (Deployment, Option<Deployment>),
        allowed: &Thresholds,
        now: DateTime<Utc>,
    ) -> Result<Observation, StoreError> {
        let until = observed_until(&deployment, next.as_ref(), now);
        let active = self.active_groups(&deployment, until).await?;
        let back = active.iter().map(|one| &one.group).filter(|group| group.may_regress_in(&deployment, now));
        let had_regressed = self.had_regressed(back, deployment.started_at).await?;
        let total: i64 = active.iter().map(|one| one.upper).sum();
        let has_grown = total > allowed.growth_floor.saturating_mul(SERVICE_FLOORS);
        let many = active.iter().filter(|one| has_grown || one.upper > allowed.growth_floor);
        let many: Vec<_> = many.map(|one| one.group.id).collect();
        let mut first = self.first_arrivals(&many, &deployment).await?;
        let mut busiest = self.busiest_intervals(&many, deployment.started_at, now).await?;
        let service =
            if has_grown { self.busiest_interval_of(&many, deployment.started_at, now).await? } else { 0 };
        let groups = active.into_iter().map(|Active { group, upper, later }| ObservedGroup {
            arrived: first.remove(&group.id).map_or(upper, |first| later + first),
            had_regressed: had_regressed.contains(&group.id),
            busiest: busiest.remove(&group.id).unwrap_or(0),
            group,
        });
        Ok(Observation {
            groups: groups.collect(),
            busiest: service,
            is_watched: self.is_watched(now).await?,
            deployment,
            next,
        })
    }

    /// The groups of the service in which something arrived since.
    async fn active_groups(
        &self,
        deployment: &Deployment,
        until: DateTime<Utc>,
    ) -> Result<Vec<Active>, StoreError> {
        let query = format!(
            "WITH t AS MATERIALIZED (SELECT * FROM {} w WHERE w.last_seen >= $2) \
             SELECT {GROUP}, COALESCE(r.upper, 0) AS upper, COALESCE(r.later, 0) AS later \
             FROM t JOIN error_group g ON g.id = t.error_group \
                 LEFT JOIN ( \
                     SELECT COALESCE(m.merged_into, m.id) AS error_group, sum(i.dead + i.redelivered + i.deleted)::bigint AS upper, \
                         sum(i.dead + i.redelivered + i.deleted) FILTER (WHERE i.start > $3)::bigint AS later \
                     FROM error_group m JOIN error_group_timeline i ON i.error_group = m.id \
                     WHERE COALESCE(m.merged_into, m.id) IN (SELECT error_group FROM t) AND i.start >= $3 AND i.start < $4 \
                     GROUP BY 1) r ON r.error_group = g.id \
             WHERE t.first_seen < $4 ORDER BY t.first_seen, g.id",
            wholes("m.service = $1")
        );
        let rows = sqlx::query(&query)
            .bind(&deployment.service)
            .bind(deployment.started_at)
            .bind(interval(deployment.started_at))
            .bind(until)
            .fetch_all(&self.http)
            .await?;
        rows.iter()
            .map(|row| {
                let (upper, later) = (row.try_get("upper")?, row.try_get("later")?);
                Ok(Active { group: group(row)?, upper, later })
            })
            .collect()
    }

    /// Those of these groups that had come back before.
    async fn had_regressed(
        &self,
        groups: impl Iterator<Item = &ErrorGroup>,
        before: DateTime<Utc>,
    ) -> Result<HashSet<Uuid>, StoreError> {
        let (ids, since): (Vec<_>, Vec<_>) = groups.map(|group| (group.id, group.regresses_from())).unzip();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        // The first and the last interval of the counters may have more than what is asked for.
        let query = format!(
            "SELECT g.id FROM UNNEST($1::uuid[], $2::timestamptz[]) AS g (id, since) \
             WHERE EXISTS (SELECT FROM dead_letter_pending p \
                 WHERE p.error_group {IS_PART_OF_G} \
                     AND p.id >= dead_letter_floor_id(g.since) AND p.id < $3) \
             OR EXISTS (SELECT FROM error_group_timeline i WHERE i.error_group {IS_PART_OF_G} \
                 AND i.start >= g.since AND i.start < $4 AND i.dead + i.redelivered + i.deleted > 0)"
        );
        let back: Vec<Uuid> = sqlx::query_scalar(&query)
            .bind(ids)
            .bind(since)
            .bind(floor_id(before))
            .bind(interval(before))
            .fetch_all(&self.http)
            .await?;
        Ok(back.into_iter().collect())
    }

    /// How many dead letters of these groups arrived after the deployment, in the interval of the counters that it lies in.
    async fn first_arrivals(
        &self,
        groups: &[Uuid],
        deployment: &Deployment,
    ) -> Result<HashMap<Uuid, i64>, StoreError> {
        let started = deployment.started_at;
        self.arrivals_between(groups, floor_id(started), floor_id(interval(started) + FINE)).await
    }

    /// The arrivals in the busiest interval of the week before, of each of these groups that had any. Of days gone by only hours are known,
    /// which are taken as even.
    async fn busiest_intervals(
        &self,
        groups: &[Uuid],
        before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, i64>, StoreError> {
        if groups.is_empty() {
            return Ok(HashMap::new());
        }
        let query = format!(
            "SELECT error_group, max(count) FROM ({}) i GROUP BY error_group",
            intervals("COALESCE(m.merged_into, m.id)")
        );
        let busiest: Vec<(Uuid, i64)> = sqlx::query_as(&query)
            .bind(groups)
            .bind(before - WEEK)
            .bind(interval(before))
            .bind(now - FINE_FOR)
            .fetch_all(&self.http)
            .await?;
        Ok(busiest.into_iter().collect())
    }

    /// The same, of these groups together.
    async fn busiest_interval_of(
        &self,
        groups: &[Uuid],
        before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let query = format!("SELECT max(count) FROM ({}) i", intervals("NULL::uuid"));
        let busiest: Option<i64> = sqlx::query_scalar(&query)
            .bind(groups)
            .bind(before - WEEK)
            .bind(interval(before))
            .bind(now - FINE_FOR)
            .fetch_one(&self.http)
            .await?;
        Ok(busiest.unwrap_or(0))
    }

    /// Whether a replica consumes a source.
    async fn is_watched(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM source_reading WHERE consumed_at >= $1)")
            .bind(now - WATCHED)
            .fetch_one(&self.http)
            .await?)
    }
}

/// The beginning of the interval of the counters.
fn interval(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(FINE).unwrap_or(time)
}

/// Arrivals `count` of the whole groups `$1` from `$2` to `$3`, by `key`: in intervals since `$4`, and in twelfths of the hours.
fn intervals(key: &str) -> String {
    let (sum, is_part) = ("sum(i.dead + i.redelivered + i.deleted)", is_part_of("$1"));
    let of = |since: &str, length: &str, count: String| {
        format!(
            "SELECT {key} AS error_group, {count}::bigint AS count FROM error_group m \
                 JOIN error_group_timeline i ON i.error_group = m.id \
             WHERE {is_part} AND i.start >= {since} AND i.start < $3 GROUP BY 1, {length}"
        )
    };
    let fine = of("GREATEST($2, $4)", "i.start", sum.to_owned());
    let hours = of("$2", "date_trunc('hour', i.start, 'UTC')", format!("ceil({sum} / 12.0)"));
    format!("{fine} UNION ALL {hours}")
}
