//! Histograms: how many dead letters arrived when, from the counters where they know.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{QueryBuilder, Row};

use super::counters::{COARSE, FINE, FINE_FOR};
use super::search_plan::SearchPlan;
use super::{Store, StoreError, filter_sql};
use crate::domain::dead_letter::floor_id;
use crate::domain::filter::Filter;
use crate::domain::histogram::{Buckets, Dimension};

/// How many arrived in one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The number of the interval, from 0.
    pub number: usize,
    /// The service, group or reason that it is split by.
    pub value: Option<String>,
    /// How many.
    pub count: i64,
}

impl Store {
    /// The dead letters that the filter lists, whatever times of arrival it names, by interval. Intervals without any are not
    /// among them.
    pub async fn histogram(
        &self,
        filter: &Filter,
        buckets: &Buckets,
        by: Option<Dimension>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Bucket>, StoreError> {
        let timeless = Filter { from: None, to: None, ..filter.clone() };
        let search = self.resolve(&timeless).await?;
        let mut query = QueryBuilder::new("SELECT width_bucket(");
        let by_group = by == Some(Dimension::ErrorGroup);
        let rows = if search.counted().is_some() && counters_tell(buckets, now) {
            query.push("i.start, ").push_bind(buckets.edges()).push("::timestamptz[]) AS bucket, ");
            query.push(value(by, "g", "COALESCE(g.merged_into, g.id)")).push(" AS value, sum(");
            query.push(filter.status.count_column());
            query.push(
                ")::bigint AS count FROM error_group_timeline i JOIN error_group g ON g.id = i.error_group",
            );
            search.push_groups(&mut query);
            query.push(" AND i.start >= ").push_bind(buckets.from);
            query.push(" AND i.start < ").push_bind(buckets.to());
            query.push(" GROUP BY 1, 2");
            query.build().fetch_all(&self.http).await?
        } else {
            let within = Filter { from: Some(buckets.from), to: Some(buckets.to()), ..timeless.clone() };
            let mut search = SearchPlan { filter: &within, ..search };
            self.narrow(&mut search).await?;
            if by_group {
                query = QueryBuilder::new(
                    "SELECT f.bucket, COALESCE(m.merged_into::text, f.value) AS value, sum(f.count)::bigint AS count \
                     FROM (SELECT width_bucket(",
                );
            }
            let edges: Vec<_> = buckets.edges().into_iter().map(floor_id).collect();
            query.push("d.id, ").push_bind(edges).push("::uuid[]) AS bucket, ");
            query.push(value(by, "d", "d.error_group")).push(" AS value, count(*) AS count");
            filter_sql::push(&mut query, &search);
            query.push(" GROUP BY 1, 2");
            if by_group {
                query.push(") f LEFT JOIN error_group m ON m.id = f.value::uuid GROUP BY 1, 2");
            }
            self.fetch_all(&search, query).await?
        };
        rows.iter()
            .map(|row| {
                Ok(Bucket {
                    number: usize::try_from(row.try_get::<i32, _>("bucket")? - 1).unwrap_or_default(),
                    value: row.try_get("value")?,
                    count: row.try_get("count")?,
                })
            })
            .filter(|bucket: &Result<Bucket, StoreError>| !matches!(bucket, Ok(Bucket { count: 0, .. })))
            .collect()
    }
}

/// Whether the intervals are made of those that are counted.
fn counters_tell(buckets: &Buckets, now: DateTime<Utc>) -> bool {
    let is_multiple = |of: TimeDelta| buckets.length.num_seconds() % of.num_seconds() == 0;
    is_multiple(COARSE) || (is_multiple(FINE) && buckets.from >= now - FINE_FOR + COARSE)
}

fn value(by: Option<Dimension>, table: &str, group: &str) -> String {
    match by {
        None => "NULL::text".into(),
        Some(Dimension::Service) => format!("{table}.service"),
        Some(Dimension::ErrorGroup) => format!("{group}::text"),
        Some(Dimension::Reason) => format!("{table}.reason"),
    }
}
