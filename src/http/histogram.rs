//! `GET /dead-letters/histogram`: deaths per interval, for a chart.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::{ApiError, BadRequest, Unavailable};
use super::filter::FilterInput;
use super::query::Query;
use crate::clock;
use crate::domain::histogram::{Buckets, Dimension, LENGTHS, MAX_BUCKETS};

/// What is shown where no time is given.
const DEFAULT_RANGE: TimeDelta = TimeDelta::hours(24);
/// So many series are shown; the others are added up in one.
const MAX_SERIES: usize = 10;

/// How a histogram is made.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistogramInput {
    /// Length of the intervals: `1m`, `5m`, `15m`, `1h`, `6h` or `1d`; as fits the time where it is absent.
    #[param(inline, value_type = Option<IntervalName>)]
    interval: Option<String>,
    /// Split into a series for each `service`, `errorGroup` or `reason`.
    #[param(inline, value_type = Option<DimensionName>)]
    by: Option<String>,
}

/// The lengths, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum IntervalName {
    /// A minute.
    #[schema(rename = "1m")]
    Minute,
    /// Five minutes.
    #[schema(rename = "5m")]
    Minutes5,
    /// A quarter of an hour.
    #[schema(rename = "15m")]
    Minutes15,
    /// An hour.
    #[schema(rename = "1h")]
    Hour,
    /// Six hours.
    #[schema(rename = "6h")]
    Hours6,
    /// A day.
    #[schema(rename = "1d")]
    Day,
}

/// The dimensions, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum DimensionName {
    /// By service.
    Service,
    /// By error group.
    ErrorGroup,
    /// By the broker's reason.
    Reason,
}

/// Deaths per interval of arrival.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Histogram {
    /// The beginning of the first interval: `from`, or 24 hours before `to`, on the interval's grid (UTC).
    from: DateTime<Utc>,
    /// The end of the last one: `to`, or now, on the same grid.
    to: DateTime<Utc>,
    /// The length of each.
    #[schema(example = "15m")]
    interval: &'static str,
    /// The beginnings of all.
    starts: Vec<DateTime<Utc>>,
    /// One, or one for each value of `by`, most first.
    series: Vec<Series>,
}

/// How many died in each interval.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Series {
    /// The service, error group or reason; null for what has none, for all without `by`, and for `others`.
    #[schema(required, example = "webshop")]
    value: Option<String>,
    /// Whether these are all that have no series of their own.
    others: bool,
    /// How many in all.
    count: i64,
    /// How many in each interval.
    counts: Vec<i64>,
}

/// Deaths per interval, for a chart
///
/// Counts the dead letters that the filter lists by their arrival; `status=any` counts all that died, whatever became of them.
/// `from` and `to` are widened to whole intervals.
#[utoipa::path(
    get,
    path = "/dead-letters/histogram",
    tag = "overviews",
    params(FilterInput, HistogramInput),
    responses((status = 200, description = "Deaths per interval", body = Histogram), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "histogram", skip_all)]
pub async fn histogram(State(api): State<Api>, mut query: Query) -> Result<Json<Histogram>, ApiError> {
    let input: FilterInput = query.take()?;
    let HistogramInput { interval, by } = query.take()?;
    query.finish()?;
    if interval.as_deref().is_some_and(|name| LENGTHS.iter().all(|(known, _)| *known != name)) {
        return Err(ApiError::field("interval", "must be one of 1m, 5m, 15m, 1h, 6h, 1d"));
    }
    let by = by.as_deref().map(|name| {
        Dimension::parse(name)
            .ok_or_else(|| ApiError::field("by", "must be one of service, errorGroup, reason"))
    });
    let by = by.transpose()?;
    let filter = input.resolve(&api).await?;
    let now = clock::now();
    let to = filter.to.unwrap_or(now);
    let from = filter.from.unwrap_or(to - DEFAULT_RANGE).min(to);
    let buckets = Buckets::cover(from, to, interval.as_deref()).ok_or_else(|| {
        let message =
            format!("makes more than {MAX_BUCKETS} intervals: take a longer one, or a shorter time");
        ApiError::field("interval", message)
    })?;

    let found = api.store.histogram(&filter, &buckets, by, now).await?;
    let mut series: BTreeMap<Option<String>, Series> = BTreeMap::new();
    let length = usize::try_from(buckets.count).unwrap_or_default();
    for bucket in found {
        let one = series.entry(bucket.value.clone()).or_insert_with(|| Series {
            value: bucket.value,
            counts: vec![0; length],
            ..Series::default()
        });
        if let Some(count) = one.counts.get_mut(bucket.number) {
            *count += bucket.count;
            one.count += bucket.count;
        }
    }
    let mut starts = buckets.edges();
    starts.pop();
    Ok(Json(Histogram {
        from: buckets.from,
        to: buckets.to(),
        interval: buckets.name,
        starts,
        series: shown(series.into_values().collect(), length),
    }))
}

/// Those with the most, and one for all others; never none, so that a chart has something to draw.
fn shown(mut series: Vec<Series>, length: usize) -> Vec<Series> {
    series.sort_by_key(|one| -one.count);
    let rest = series.split_off(series.len().min(MAX_SERIES));
    if series.is_empty() || !rest.is_empty() {
        let mut others = Series { others: !rest.is_empty(), counts: vec![0; length], ..Series::default() };
        for one in rest {
            others.count += one.count;
            others.counts.iter_mut().zip(one.counts).for_each(|(sum, count)| *sum += count);
        }
        series.push(others);
    }
    series
}
