//! Something to look at while work is under way.

use std::time::Duration;

use tokio::time::{Instant, interval};

/// Calls `tell` every second, with the time since the last call, for as long as `work` takes.
pub async fn every_second<T>(work: impl Future<Output = T>, mut tell: impl FnMut(Duration)) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = interval(Duration::from_secs(1));
    ticks.tick().await;
    let mut at = Instant::now();
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                tell(at.elapsed());
                at = Instant::now();
            }
        }
    }
}
