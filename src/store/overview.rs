//! Overviews: how many dead letters each service has, from the counters.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::counters::FINE;
use super::merged::WHOLE_AND_ITS_ARRIVALS;
use super::{Store, StoreError};
use crate::domain::dead_letter::received_at;

const HOUR: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::days(1);

/// The dead letters of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCount {
    /// The service.
    pub service: String,
    /// Number of dead ones.
    pub dead: i64,
    /// Number of these in muted groups.
    pub muted: i64,
    /// Arrival of the oldest dead one.
    pub oldest: Option<DateTime<Utc>>,
    /// Arrival of the newest dead one.
    pub newest: Option<DateTime<Utc>>,
    /// Recent arrivals, compared with the day before; without those of muted groups.
    pub trend: Trend,
    /// Arrivals of the last day by status.
    pub last_day: DayCount,
}

/// Arrivals of the last 24 hours, to five minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCount {
    /// All arrivals.
    pub died: i64,
    /// Redelivered ones among these.
    pub redelivered: i64,
    /// Deleted ones among these.
    pub deleted: i64,
}

/// Arrivals of the last hour, and of the same hour the day before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trend {
    /// The last 60 minutes, to five minutes.
    pub last_hour: i64,
    /// The same hour of the day before.
    pub day_before: i64,
}

impl Store {
    /// The services with dead letters or with an arrival within the last day, the largest first. With a broker or virtual host,
    /// only the dead letters of that place count.
    ///
    /// The oldest and the newest are looked up in the index: first in the day in which the counters expect them, then in the
    /// other days.
    pub async fn service_counts(
        &self,
        broker: Option<&str>,
        vhost: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<ServiceCount>, StoreError> {
        let hour = (now + FINE - HOUR).duration_trunc(FINE).unwrap_or(now);
        let query = counts_query(broker, vhost);
        let rows = sqlx::query(&query)
            .bind(hour)
            .bind(hour - DAY)
            .bind(hour - DAY + HOUR)
            // Without an upper bound the planner would expect a third of all rows.
            .bind(hour + HOUR + HOUR)
            .bind(now - DAY)
            .bind(hour + HOUR - DAY)
            .bind(broker)
            .bind(vhost)
            .fetch_all(&self.http)
            .await?;
        rows.iter().map(service_count).collect()
    }

    /// Every service that has had a dead letter which may still be stored.
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT DISTINCT service FROM error_group").fetch_all(&self.http).await?)
    }
}

/// Whether the group `g`, of which so many have arrived as `c` says, is muted at this time: as `ErrorGroup::state` says.
pub(super) fn muted_at(now: &str) -> String {
    format!(
        "(g.muted_until IS NOT NULL OR g.muted_up_to IS NOT NULL) \
         AND (g.muted_until IS NULL OR g.muted_until > {now}) \
         AND (g.muted_up_to IS NULL OR c.arrived < g.muted_up_to)"
    )
}

/// The query of [`Store::service_counts`].
fn counts_query(broker: Option<&str>, vhost: Option<&str>) -> String {
    let group = at("f", broker, vhost);
    let edges = edges(broker, vhost);
    let muted = muted_at("$5 + interval '1 day'");
    format!(
        "WITH groups AS ( \
                 SELECT f.service, k.dead, CASE WHEN {muted} THEN k.dead ELSE 0 END AS muted, k.last_seen, (SELECT i.start FROM error_group_interval i \
                     WHERE i.error_group = f.id ORDER BY i.start LIMIT 1) AS first_start \
                 FROM (SELECT error_group, sum(dead) AS dead, max(last_seen) AS last_seen FROM error_group_count \
                       GROUP BY error_group HAVING sum(dead) <> 0 OR max(last_seen) >= $5) k JOIN error_group f ON f.id = k.error_group \
                     {WHOLE_AND_ITS_ARRIVALS} WHERE true{group}), \
             services AS ( \
                 SELECT service, sum(dead)::bigint AS dead, sum(muted)::bigint AS muted, \
                     LEAST(min(first_start), (SELECT min(start) FROM error_group_change)) + interval '1 day' AS early, \
                     max(last_seen) - interval '1 day' AS late \
                 FROM groups GROUP BY service), \
             days AS ( \
                 SELECT f.service, sum(t.dead + t.redelivered + t.deleted)::bigint AS died, \
                     sum(t.redelivered)::bigint AS redelivered, sum(t.deleted)::bigint AS deleted \
                 FROM error_group_timeline t JOIN error_group f ON f.id = t.error_group \
                 WHERE t.start >= $6 AND t.start < $4{group} GROUP BY f.service), \
             hours AS ( \
                 SELECT error_group, true AS now, dead + redelivered + deleted AS count FROM error_group_timeline \
                 WHERE start >= $1 AND start < $4 \
                 UNION ALL \
                 SELECT error_group, false, dead + redelivered + deleted FROM error_group_timeline \
                 WHERE start >= $2 AND start < $3), \
            trends AS ( \
                 SELECT f.service, (sum(h.count) FILTER (WHERE h.now))::bigint AS last_hour, \
                     (sum(h.count) FILTER (WHERE NOT h.now))::bigint AS day_before \
                 FROM hours h JOIN error_group f ON f.id = h.error_group {WHOLE_AND_ITS_ARRIVALS} \
                 WHERE NOT ({muted}){group} GROUP BY f.service) \
             SELECT s.service, s.dead, s.muted, o.id AS oldest, n.id AS newest, COALESCE(t.last_hour, 0) AS last_hour, \
                 COALESCE(t.day_before, 0) AS day_before, COALESCE(y.died, 0) AS died, \
                 COALESCE(y.redelivered, 0) AS redelivered, COALESCE(y.deleted, 0) AS deleted \
             FROM services s LEFT JOIN trends t ON t.service = s.service LEFT JOIN days y ON y.service = s.service \
             {edges}ORDER BY s.dead DESC, s.service"
    )
}

/// Joins the oldest (`o`) and the newest (`n`) dead letter of each service.
fn edges(broker: Option<&str>, vhost: Option<&str>) -> String {
    let row = match (broker, vhost) {
        (None, None) => String::new(),
        _ => {
            format!(" AND EXISTS (SELECT FROM dead_letter x WHERE x.id = d.id{})", at("x", broker, vhost))
        }
    };
    format!(
        "LEFT JOIN LATERAL ( \
                 (SELECT id FROM dead_letter_pending d WHERE d.service = s.service{row} \
                     AND d.id >= dead_letter_floor_id(s.early - interval '1 day') AND d.id < dead_letter_floor_id(s.early) \
                  ORDER BY id LIMIT 1) \
                 UNION ALL \
                 (SELECT id FROM dead_letter_pending d WHERE d.service = s.service{row} \
                     AND d.id >= dead_letter_floor_id(s.early) ORDER BY id LIMIT 1) \
                 LIMIT 1) o ON true \
             LEFT JOIN LATERAL ( \
                 (SELECT id FROM dead_letter_pending d WHERE d.service = s.service{row} \
                     AND d.id >= dead_letter_floor_id(s.late) AND d.id < dead_letter_floor_id(s.late + interval '25 hours') \
                  ORDER BY id DESC LIMIT 1) \
                 UNION ALL \
                 (SELECT id FROM dead_letter_pending d WHERE d.service = s.service{row} \
                     AND d.id < dead_letter_floor_id(s.late) ORDER BY id DESC LIMIT 1) \
                 LIMIT 1) n ON true "
    )
}

fn service_count(row: &PgRow) -> Result<ServiceCount, StoreError> {
    Ok(ServiceCount {
        service: row.try_get("service")?,
        dead: row.try_get("dead")?,
        muted: row.try_get("muted")?,
        oldest: row.try_get::<Option<Uuid>, _>("oldest")?.map(received_at),
        newest: row.try_get::<Option<Uuid>, _>("newest")?.map(received_at),
        trend: Trend { last_hour: row.try_get("last_hour")?, day_before: row.try_get("day_before")? },
        last_day: DayCount {
            died: row.try_get("died")?,
            redelivered: row.try_get("redelivered")?,
            deleted: row.try_get("deleted")?,
        },
    })
}

/// A condition on the place of a row or a group, in the parameters `$7` and `$8`.
fn at(alias: &str, broker: Option<&str>, vhost: Option<&str>) -> String {
    if broker.is_none() && vhost.is_none() {
        // The parameters are bound all the same, and need types.
        return " AND ($7::text IS NULL AND $8::text IS NULL)".into();
    }
    let is = |column: &str, parameter: &str| {
        format!(
            " AND COALESCE({alias}.{column}, (SELECT {column} FROM home_place)) \
             = COALESCE({parameter}::text, {alias}.{column}, (SELECT {column} FROM home_place))"
        )
    };
    is("broker", "$7") + &is("vhost", "$8")
}
