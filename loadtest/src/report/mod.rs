//! What a scenario found: the ledger, goals, tables and charts, written as `report.json`, `report.md` and `report.html`.

mod html;
mod markdown;
#[cfg(test)]
mod sample;
mod spread;

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// All that a run found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its name, such as `peak`.
    pub scenario: String,
    /// What was done, in a sentence.
    pub summary: String,
    /// When it began, UTC, as RFC 3339.
    pub date: String,
    /// The command that repeats it.
    pub command: String,
    /// What it ran on: name → value, such as `cores` → `2`.
    pub machine: Vec<(String, String)>,
    /// Whether anything was lost.
    pub ledger: LedgerLine,
    /// The few figures that matter, to be shown large.
    pub headline: Vec<Figure>,
    /// Goals, held against what was measured.
    pub goals: Vec<Goal>,
    /// Figures in rows.
    pub tables: Vec<Table>,
    /// Figures over time.
    pub charts: Vec<Chart>,
    /// What a reader must know to judge the figures.
    pub notes: Vec<String>,
}

/// Published = stored (exactly once) + still queued, or not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerLine {
    /// Whether it balances.
    pub balances: bool,
    /// In words and numbers.
    pub text: String,
}

/// A figure to be shown large.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What it is, such as `publish → searchable, p99`.
    pub label: String,
    /// The number with its unit, such as `17.1 ms`.
    pub value: String,
}

/// A goal and what was measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// Which ratio or figure.
    pub name: String,
    /// What it ought to be, such as `≥ 0.80`.
    pub goal: String,
    /// What it was, such as `0.84 (0.79–0.88)`.
    pub measured: String,
    /// Whether it was reached; `None` where it could not be told.
    pub met: Option<bool>,
}

/// A table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// Column headings; the first column is text, the others are figures.
    pub columns: Vec<String>,
    /// Rows, each as long as the headings.
    pub rows: Vec<Vec<String>>,
    /// How to read it; may be empty.
    pub note: String,
}

/// Lines over time.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The unit of the values, such as `messages/s`, `ms`, `cores`.
    pub unit: String,
    /// Whether the vertical axis is logarithmic, as suits latencies.
    pub logarithmic: bool,
    /// The lines.
    pub series: Vec<Series>,
}

/// A line.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Seconds since the scenario began, and the value then, in order of time. Series of one chart may have other times.
    pub points: Vec<(f64, f64)>,
}

impl Report {
    /// Writes `report.json`, `report.md` and `report.html` into the folder, which is made.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let json = serde_json::to_string_pretty(self)? + "\n";
        for (name, text) in [
            ("report.json", json),
            ("report.md", markdown::render(self)),
            ("report.html", html::render(self)),
        ] {
            let file = folder.join(name);
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}
