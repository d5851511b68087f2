//! The progress of an operation on stderr: a bar on a terminal, else a line every few seconds.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{count, span};
use super::watch::{Operation, Progress};

const LINE_EVERY: Duration = Duration::from_secs(5);
const STYLE: &str = "{bar:30} {wide_msg}";

/// How the progress is shown.
pub(super) struct Drawing {
    bar: Option<ProgressBar>,
    begun: (Instant, i64),
    line_at: Option<Instant>,
    shown: String,
}

impl Drawing {
    /// From how it stands now.
    pub(super) fn begin(operation: &Operation) -> Self {
        let bar = std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
            let style = ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(positive(operation.total)), ProgressDrawTarget::stderr())
                .with_style(style.progress_chars("█▌ "))
        });
        Self { bar, begun: (Instant::now(), operation.settled()), line_at: None, shown: String::new() }
    }

    pub(super) fn draw(&mut self, operation: &Operation) {
        let said = self.said(operation);
        if let Some(bar) = &self.bar {
            bar.set_position(positive(operation.settled()));
        }
        self.show(said);
    }

    /// Shows that something is wrong, next to what is known.
    pub(super) fn trouble(&mut self, what: &str) {
        let said = self.shown.split_once("; ").map_or(&*self.shown, |(before, _)| before);
        self.show(format!("{said}; {what}"));
    }

    fn show(&mut self, said: String) {
        match &self.bar {
            Some(bar) => bar.set_message(said.clone()),
            None if self.line_at.is_none_or(|at| at.elapsed() >= LINE_EVERY) => {
                eprintln!("{said}");
                self.line_at = Some(Instant::now());
            }
            None => {}
        }
        self.shown = said;
    }

    /// The bar gives way to what is said at the end.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn said(&self, operation: &Operation) -> String {
        if operation.is_watching() {
            return operation.verdict_said();
        }
        let (settled, total) = (operation.settled(), operation.total);
        let mut parts =
            vec![format!("{} of {} ({} %)", count(settled), count(total), settled * 100 / total.max(1))];
        let Progress { per_second, eta_seconds } =
            operation.progress.unwrap_or_else(|| self.measured(operation));
        parts.extend(per_second.map(|rate| format!("{rate:.0}/s")));
        parts.extend(eta_seconds.map(|seconds| format!("{} left", span(whole(seconds)))));
        parts.extend(Some(operation.outcomes_said()).filter(|said| !said.is_empty()));
        format!("{}{}", parts.join(", "), operation.held_said())
    }

    /// What is seen from here, of a server that does not say.
    fn measured(&self, operation: &Operation) -> Progress {
        let (since, settled) = self.begun;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let (done, left) = ((operation.settled() - settled) as f64, operation.remaining as f64);
        let rate = Some(done / since.elapsed().as_secs_f64()).filter(|rate| *rate > 0.0 && rate.is_finite());
        Progress { per_second: rate, eta_seconds: rate.map(|rate| left / rate) }
    }
}

fn positive(number: i64) -> u64 {
    number.try_into().unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "a time for people, and the cast saturates")]
fn whole(seconds: f64) -> i64 {
    seconds.ceil() as i64
}
