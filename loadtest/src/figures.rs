//! Numbers about a run: rates, latencies, and how they are written down.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies longer than this are recorded as this long.
const LONGEST: Duration = Duration::from_mins(10);

/// A histogram of latencies that many tasks write to.
#[derive(Debug)]
pub struct Latencies(Mutex<Histograms>);

#[derive(Debug)]
struct Histograms {
    all: Histogram<u64>,
    /// Those since the last look.
    lately: Histogram<u64>,
}

impl Latencies {
    /// An empty one. Three significant digits, from one microsecond up to ten minutes.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, micros(LONGEST), 3).expect("the bounds are valid");
        Self(Mutex::new(Histograms { lately: histogram.clone(), all: histogram }))
    }

    /// Adds one.
    pub fn record(&self, latency: Duration) {
        let mut histograms = self.lock();
        histograms.all.saturating_record(micros(latency));
        histograms.lately.saturating_record(micros(latency));
    }

    /// What all of them come to.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.lock().all)
    }

    /// What those come to that were added since this was last asked.
    pub fn lately(&self) -> Summary {
        let mut histograms = self.lock();
        let summary = Summary::of(&histograms.lately);
        histograms.lately.reset();
        summary
    }

    fn lock(&self) -> MutexGuard<'_, Histograms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many were recorded.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Summary {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: millis(histogram.max()),
        }
    }

    /// The heading for rows of summaries, whose first column is `label` wide.
    pub fn heading(width: usize) -> String {
        format!(
            "{:<width$} {:>9} {:>10} {:>10} {:>10} {:>10}",
            "milliseconds", "n", "p50", "p95", "p99", "max"
        )
    }

    /// One row below that heading.
    pub fn row(&self, label: &str, width: usize) -> String {
        let Self { count, p50_ms, p95_ms, p99_ms, max_ms } = self;
        format!("{label:<width$} {count:>9} {p50_ms:>10.2} {p95_ms:>10.2} {p99_ms:>10.2} {max_ms:>10.2}")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p99_ms, .. } = self;
        write!(f, "p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms")
    }
}

/// So many in so long, per second.
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { real(count) / time.as_secs_f64() }
}

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and a negative count is no count"
)]
pub fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn millis(micros: u64) -> f64 {
    real(micros) / 1000.0
}

fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let latencies = Latencies::new();
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms));
        }
        let summary = latencies.summary();
        assert_eq!(summary.count, 100);
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{summary:?}");
        assert!((summary.p99_ms - 99.0).abs() < 0.1, "{summary:?}");
        assert!((summary.max_ms - 100.0).abs() < 0.2, "{summary:?}");
    }

    #[test]
    fn rates_survive_an_empty_run() {
        assert!(per_second(10, Duration::ZERO).abs() < f64::EPSILON);
        assert!((per_second(10, Duration::from_secs(4)) - 2.5).abs() < f64::EPSILON);
    }
}
