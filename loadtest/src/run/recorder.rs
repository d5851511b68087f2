//! Figures over time, gathered while a scenario runs.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::report::{Chart, Series};

/// A chart that figures are recorded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartId {
    /// What it shows.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// Whether its vertical axis is logarithmic.
    pub logarithmic: bool,
}

/// Messages a second.
pub const THROUGHPUT: ChartId = ChartId { title: "Throughput", unit: "messages/s", logarithmic: false };
/// What is published and not stored yet: ready and unacknowledged together.
pub const BACKLOG: ChartId =
    ChartId { title: "Backlog: ready and unacknowledged", unit: "messages", logarithmic: false };
/// From publishing until a message is found.
pub const SEARCHABLE: ChartId = ChartId { title: "Publish → searchable", unit: "ms", logarithmic: true };
/// From publishing to the broker's confirm, which no consumer can be faster than.
pub const CONFIRMED: ChartId =
    ChartId { title: "Publish → confirmed by the broker", unit: "ms", logarithmic: true };
/// Answers of the API.
pub const API: ChartId = ChartId { title: "Answers of the API, p99", unit: "ms", logarithmic: true };
/// Processor by process.
pub const CPU: ChartId = ChartId { title: "Processor by process", unit: "cores", logarithmic: false };
/// Resident memory.
pub const MEMORY: ChartId =
    ChartId { title: "Resident memory of dead-letter", unit: "MB", logarithmic: false };

/// Gathers points; charts and series are in the order of their first points.
#[derive(Debug)]
pub struct Recorder {
    began: Instant,
    charts: Mutex<Vec<(ChartId, Vec<Series>)>>,
}

impl Recorder {
    /// One whose time begins now.
    pub fn start() -> Self {
        Self { began: Instant::now(), charts: Mutex::new(Vec::new()) }
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Records a value that holds now.
    pub fn point(&self, chart: ChartId, series: &str, value: f64) {
        let point = (round(self.seconds()), round(value));
        let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        let at = charts.iter().position(|(id, _)| *id == chart).unwrap_or_else(|| {
            charts.push((chart, Vec::new()));
            charts.len() - 1
        });
        let lines = &mut charts[at].1;
        match lines.iter_mut().find(|line| line.name == series) {
            Some(line) => line.points.push(point),
            None => lines.push(Series { name: series.to_owned(), points: vec![point] }),
        }
    }

    /// All charts.
    pub fn charts(&self) -> Vec<Chart> {
        let charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
        charts
            .iter()
            .map(|(id, series)| Chart {
                title: id.title.into(),
                unit: id.unit.into(),
                logarithmic: id.logarithmic,
                series: series.clone(),
            })
            .collect()
    }
}

/// Three digits behind the point are more than any reader needs.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
