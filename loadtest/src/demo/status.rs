//! What the demo prints.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::state::State;

const INTERVAL: Duration = Duration::from_secs(5);

/// Prints a line. Whoever reads may have gone away, which is no reason to end.
pub(super) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints where things stand, every few seconds.
pub(super) async fn report(state: Arc<State>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.tick().await;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match state.untold() {
            0 => {}
            more => say(&format!("{more} more redelivered messages handled")),
        }
        say(&state.line());
    }
}
