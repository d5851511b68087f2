//! How many dead letters each service has and since when, from the counters alone: cheap enough for every scrape of the metrics.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::merged::WHOLE_AND_ITS_ARRIVALS;
use super::overview::muted_at;
use super::{Store, StoreError};

/// The dead letters of one service, without those of muted error groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The service.
    pub service: String,
    /// Their number.
    pub dead: i64,
    /// When the interval began in which the oldest arrived: up to 5 minutes before it, or up to an hour if it arrived two days ago.
    pub since: Option<DateTime<Utc>>,
}

impl Store {
    /// Every service of which a dead letter may be stored, of any status. What has left an interval counts there until the counters are
    /// folded, a few seconds later.
    pub async fn backlogs(&self, now: DateTime<Utc>) -> Result<Vec<Backlog>, StoreError> {
        let muted = muted_at("$1");
        let query = format!(
            "SELECT f.service, COALESCE(sum(o.dead), 0)::bigint AS dead, min(o.since) AS since \
             FROM error_group f {WHOLE_AND_ITS_ARRIVALS} \
                 LEFT JOIN (SELECT error_group, sum(dead) AS dead FROM error_group_count \
                            GROUP BY error_group HAVING sum(dead) > 0) k ON k.error_group = f.id \
                 LEFT JOIN (SELECT error_group, min(start) AS since FROM error_group_change WHERE dead > 0 \
                            GROUP BY error_group) n ON n.error_group = f.id \
                 LEFT JOIN LATERAL ( \
                     SELECT k.dead, LEAST(n.since, (SELECT i.start FROM error_group_interval i \
                         WHERE i.error_group = f.id AND i.dead > 0 ORDER BY i.start LIMIT 1)) AS since \
                     WHERE k.dead IS NOT NULL AND NOT ({muted})) o ON true \
             GROUP BY f.service"
        );
        let rows = sqlx::query(&query).bind(now).fetch_all(&self.health).await?;
        rows.iter().map(backlog).collect()
    }
}

fn backlog(row: &PgRow) -> Result<Backlog, StoreError> {
    Ok(Backlog { service: row.try_get("service")?, dead: row.try_get("dead")?, since: row.try_get("since")? })
}
