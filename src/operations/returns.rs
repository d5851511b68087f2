//! Links messages that died again to the items that sent them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;
use crate::store::Store;

/// Interval for recent messages.
const INTERVAL: Duration = Duration::from_secs(1);
/// Interval for older messages: their chunk may have crashed, and may be recorded later.
const ALL_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Links returns until the process stops.
pub async fn link_returns(store: Store, stop: CancellationToken) -> anyhow::Result<()> {
    let (mut all_at, mut failing) = (DateTime::UNIX_EPOCH, false);
    let pause = || tokio::time::sleep(clock::jittered(INTERVAL));
    while stop.run_until_cancelled(pause()).await.is_some() {
        let now = clock::now();
        let is_all = now >= all_at;
        let since = if is_all { DateTime::UNIX_EPOCH } else { now - ALL_INTERVAL * 2 };
        match store.link_returns(since, now).await {
            Ok(linked) => {
                failing = false;
                if is_all {
                    all_at = now + ALL_INTERVAL;
                }
                if linked > 0 {
                    info!(linked, "redelivered messages died again");
                }
            }
            Err(error) => {
                // Logged once: readiness shows it all the time.
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "returns wait for the database");
                }
            }
        }
    }
    Ok(())
}
