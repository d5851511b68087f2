//! The progress of an operation on stderr: a bar on a terminal, otherwise a line every few seconds.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::operation::{Operation, Progress};
use crate::text::{count, span};

const LINE_INTERVAL: Duration = Duration::from_secs(5);
const STYLE: &str = "{bar:30} {wide_msg}";

pub(crate) struct ProgressLine {
    bar: Option<ProgressBar>,
    /// When the client began to follow the operation, and the number of settled items then.
    begun: (Instant, i64),
    line_at: Option<Instant>,
    shown: String,
}

impl ProgressLine {
    pub(crate) fn new(operation: &Operation) -> Self {
        let bar = std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
            let style = ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(positive(operation.total)), ProgressDrawTarget::stderr())
                .with_style(style.progress_chars("█▌ "))
        });
        Self { bar, begun: (Instant::now(), operation.settled()), line_at: None, shown: String::new() }
    }

    pub(crate) fn update(&mut self, operation: &Operation) {
        if let Some(bar) = &self.bar {
            bar.set_position(positive(operation.settled()));
        }
        self.show(self.text(operation));
    }

    /// Shows a problem after the progress, in place of what the operation waits for.
    pub(crate) fn warn(&mut self, problem: &str) {
        let progress = self.shown.split_once("; ").map_or(&*self.shown, |(before, _)| before);
        self.show(format!("{progress}; {problem}"));
    }

    fn show(&mut self, text: String) {
        match &self.bar {
            Some(bar) => bar.set_message(text.clone()),
            None if self.line_at.is_none_or(|at| at.elapsed() >= LINE_INTERVAL) => {
                crate::remark_line!("{text}");
                self.line_at = Some(Instant::now());
            }
            None => {}
        }
        self.shown = text;
    }

    /// Removes the bar before the final summary is printed.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn text(&self, operation: &Operation) -> String {
        if operation.is_watching() {
            return operation.verdict_text();
        }
        let (settled, total) = (operation.settled(), operation.total);
        let mut parts =
            vec![format!("{} of {} ({} %)", count(settled), count(total), settled * 100 / total.max(1))];
        let Progress { per_second, eta_seconds } =
            operation.progress.unwrap_or_else(|| self.measured(operation));
        parts.extend(per_second.map(|rate| format!("{rate:.0}/s")));
        parts.extend(eta_seconds.map(|seconds| format!("{} left", span(whole(seconds)))));
        parts.extend(Some(operation.outcomes_text()).filter(|outcomes| !outcomes.is_empty()));
        format!("{}{}", parts.join(", "), operation.obstacle_text())
    }

    /// Measured by the client, for a server that is too old to report its progress.
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
