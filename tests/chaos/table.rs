//! The table of faults: how often each struck, what was found, and whether that is what docs/reliability.md promises.

use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::ledger::Verdict;
use crate::stand::repeat;
pub use crate::support::is_full;

/// How often a fault strikes that strikes so often in the full table: a tenth of that with `make test`, and the share that
/// `CHAOS_SHARE` names, such as `3` for a third, where an evening is too short.
pub fn times(full: usize) -> usize {
    let share = std::env::var("CHAOS_SHARE").ok().and_then(|share| share.parse().ok());
    full.div_ceil(share.unwrap_or(if is_full() { 1 } else { 10 }))
}

/// A line of the table, as it is being found out.
pub struct Row {
    fault: &'static str,
    times: usize,
    begun: Instant,
    figures: String,
    broken: Vec<String>,
    slow: Vec<String>,
}

impl Row {
    /// Of a fault that strikes so often.
    pub fn new(fault: &'static str, times: usize) -> Self {
        println!("{fault}: {times} times ({})", repeat());
        let (figures, broken, slow) = (String::new(), Vec::new(), Vec::new());
        Self { fault, times, begun: Instant::now(), figures, broken, slow }
    }

    /// Something that was measured or counted.
    pub fn figure(&mut self, name: &str, value: impl Display) {
        let comma = if self.figures.is_empty() { "" } else { "; " };
        write!(self.figures, "{comma}{name} {value}").unwrap();
    }

    /// What must hold on any machine.
    pub fn must(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.broken.push(what.into());
        }
    }

    /// The ledger of what was published.
    pub fn ledger(&mut self, verdict: &Verdict) {
        self.figure("ledger:", verdict);
        self.must(verdict.is_clean(), verdict.to_string());
    }

    /// Times with their limit for the share of them that is given: 0.95 for p95, 1 for the slowest. A slow machine misses a
    /// limit and breaks nothing, so only the full table fails for it.
    pub fn within(&mut self, name: &str, mut took: Vec<Duration>, share: f64, limit: Duration) {
        took.sort_unstable();
        let Some(slowest) = took.last().copied() else { return };
        let at = |share: f64| took[((took.len() - 1) as f64 * share).ceil() as usize];
        self.figure(name, format!("p50 {:.1?}, p95 {:.1?}, slowest {slowest:.1?}", at(0.5), at(0.95)));
        if at(share) > limit {
            self.slow.push(format!("{name}: {:.1?} where {limit:.0?} is the limit", at(share)));
        }
    }

    /// Writes the line, and fails if what is promised does not hold.
    pub fn finish(self) {
        let Self { fault, times, begun, figures, broken, slow } = self;
        let passed = match (broken.is_empty(), slow.is_empty()) {
            (true, true) => "yes".to_owned(),
            (true, false) => format!("slow: {}", slow.join(", ")),
            (false, _) => format!("NO: {}", broken.join(", ")),
        };
        let line =
            format!("| {fault} | {times} | {figures} | {passed} | {:.0} s |", begun.elapsed().as_secs_f64());
        println!("{line}");
        if let Some(table) = std::env::var_os("CHAOS_TABLE") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(table).unwrap();
            writeln!(file, "{line}").unwrap();
        }
        assert!(broken.is_empty(), "{fault}: {}; {}", broken.join(", "), repeat());
        assert!(slow.is_empty() || !is_full(), "{fault}: {}; {}", slow.join(", "), repeat());
    }
}
