//! The figures of a run, for people and as JSON.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use serde::Serialize;

use super::ledger::Ledger;
use super::probes::{Figures, GIVE_UP, POLL, POLL_SHARE};
use crate::figures::Summary;
use crate::produce::Outcome;

/// Room for the longest label.
const WIDTH: usize = 34;

/// All figures of one run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    seed: u64,
    seconds: f64,
    rate_meant: Option<f64>,
    rate_reached: f64,
    published: u64,
    confirmed: u64,
    nacked: u64,
    returned: u64,
    publish_to_confirm: Summary,
    publish_to_searchable: Summary,
    samples_not_found: u64,
    search_by_message_id: Summary,
    squad_overview: Summary,
    newest_messages: Summary,
    api_errors: u64,
    queue_depth: QueueDepth,
    ledger: &'a Ledger,
}

#[derive(Debug, Serialize)]
struct QueueDepth {
    samples: u64,
    mean: f64,
    max: u32,
}

impl<'a> Report<'a> {
    pub(super) fn new(outcome: &Outcome, ledger: &'a Ledger, figures: &Figures, seed: u64) -> Self {
        Self {
            seed,
            seconds: outcome.took.as_secs_f64(),
            rate_meant: outcome.pace.rate(),
            rate_reached: outcome.rate(),
            published: outcome.counts.published,
            confirmed: outcome.counts.confirmed,
            nacked: outcome.counts.nacked,
            returned: outcome.counts.returned,
            publish_to_confirm: outcome.confirm_latency,
            publish_to_searchable: figures.searchable.summary(),
            samples_not_found: figures.not_found.load(Ordering::Relaxed),
            search_by_message_id: figures.look.summary(),
            squad_overview: figures.squad_overview.summary(),
            newest_messages: figures.newest.summary(),
            api_errors: figures.api_errors.load(Ordering::Relaxed),
            queue_depth: QueueDepth {
                samples: figures.depth.count(),
                mean: figures.depth.mean(),
                max: figures.depth.max(),
            },
            ledger,
        }
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        std::fs::write(file, json + "\n").with_context(|| format!("cannot write {}", file.display()))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, confirmed, nacked, returned, .. } = self;
        writeln!(f, "\npublished  {published} in {:.2} s (seed {})", self.seconds, self.seed)?;
        match self.rate_meant {
            Some(meant) => writeln!(f, "rate       {:.1}/s of {meant:.1}/s meant", self.rate_reached)?,
            None => writeln!(f, "rate       {:.1}/s, as fast as it went", self.rate_reached)?,
        }
        writeln!(f, "confirmed  {confirmed} (nacked {nacked}, returned {returned})\n")?;

        writeln!(f, "{}", Summary::heading(WIDTH))?;
        for (label, summary) in [
            ("publish → confirmed", &self.publish_to_confirm),
            ("publish → searchable", &self.publish_to_searchable),
            ("GET /dead-letters?messageId=", &self.search_by_message_id),
            ("GET /dead-letters?limit=50", &self.newest_messages),
            ("GET /dead-letters/squad-overview", &self.squad_overview),
        ] {
            writeln!(f, "{}", summary.row(label, WIDTH))?;
        }
        writeln!(
            f,
            "`searchable` is read by polling, and so is too long by up to one pause ({} ms, or {} % of the time so far if \
             that is more) and one request.",
            POLL.as_millis(),
            100 / POLL_SHARE
        )?;
        if self.samples_not_found > 0 {
            let secs = GIVE_UP.as_secs();
            writeln!(
                f,
                "{} samples were not found within {secs} s, and count as that.",
                self.samples_not_found
            )?;
        }
        if self.api_errors > 0 {
            writeln!(f, "{} requests to the API failed.", self.api_errors)?;
        }
        self.fmt_queue_and_ledger(f)
    }
}

impl Report<'_> {
    fn fmt_queue_and_ledger(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QueueDepth { samples, mean, max } = self.queue_depth;
        writeln!(f, "\nqueue      {mean:.1} messages deep on average, {max} at most ({samples} looks)")?;
        writeln!(f, "           without those in the consumer's hands: a lag shows in `searchable` first")?;
        let Ledger { published, before, after, settled_after_seconds } = self.ledger;
        writeln!(f, "ledger     {published} published, {before} stored before, {after} stored after")?;
        match (self.ledger.difference(), settled_after_seconds) {
            (0, Some(seconds)) => writeln!(f, "           equal, {seconds:.1} s after the last confirm"),
            (0, None) => writeln!(f, "           equal"),
            (difference, _) => writeln!(f, "           NOT EQUAL: {difference:+}"),
        }
    }
}
