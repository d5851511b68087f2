//! `GET /dead-letters/histogram`: deaths per interval, for a chart.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Permission;
use crate::clock;
use crate::domain::histogram::{Buckets, Dimension, MAX_BUCKETS};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::words::{HistogramDimension, HistogramInterval, Word};

/// What is shown where no time is given.
const DEFAULT_RANGE: TimeDelta = TimeDelta::hours(24);
/// So many series are shown; the others are added up in one.
const MAX_SERIES: usize = 10;

/// How a histogram is made.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistogramInput {
    /// Length of the intervals. Default: chosen to fit the time range.
    #[param(value_type = Option<HistogramInterval>)]
    interval: Option<String>,
    /// Split into one series per value. Default: a single series.
    #[param(value_type = Option<HistogramDimension>)]
    by: Option<String>,
}

groups!(HistogramInput);

/// Number of dead letters per interval of arrival.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Histogram {
    /// Start of the first interval: `from`, or 24 hours before `to`, rounded down to a whole interval (UTC).
    from: DateTime<Utc>,
    /// End of the last interval: `to`, or now, rounded up to a whole interval.
    to: DateTime<Utc>,
    /// Length of the intervals.
    #[schema(value_type = HistogramInterval)]
    interval: &'static str,
    /// Start of each interval.
    starts: Vec<DateTime<Utc>>,
    /// One series, or one per value of `by`, most dead letters first. At most 10, and one for all others.
    series: Vec<Series>,
}

/// Number of dead letters per interval.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Series {
    /// The service, error group or reason. Null: not known, or a series without a value.
    #[schema(required, example = "webshop")]
    value: Option<String>,
    /// Whether the series adds up all values without a series of their own.
    others: bool,
    /// Number of dead letters in the series.
    count: i64,
    /// Number of dead letters per interval.
    counts: Vec<i64>,
}

/// Count dead letters per interval, for a chart
///
/// Counts the dead letters that match the filter by time of arrival. `status=any` counts dead letters of every status. `from` and `to` are
/// widened to whole intervals.
#[utoipa::path(
    get,
    path = "/dead-letters/histogram",
    operation_id = "getHistogram",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    params(FilterInput, HistogramInput),
    responses((status = 200, description = "The histogram.", body = Histogram), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "histogram", skip_all)]
pub async fn histogram(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<Histogram>, ApiError> {
    let input: FilterInput = query.take()?;
    let HistogramInput { interval, by } = query.take()?;
    query.finish()?;
    interval.as_deref().map(|name| HistogramInterval::read("interval", name)).transpose()?;
    let by = by.as_deref().map(|name| HistogramDimension::read("by", name)).transpose()?;
    let by = by.map(Dimension::from);
    let filter = input.resolve(&api, &caller, &[Permission::Read]).await?;
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
