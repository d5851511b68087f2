//! Did it help: links the messages that died again with the items that sent them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use rand::Rng;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;
use crate::store::Store;

/// How often what came lately is linked.
const INTERVAL: Duration = Duration::from_secs(1);
/// What came before is tried again so often: its chunk may have died, and be done again later.
const ALL_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Links returns until the process is to stop.
pub async fn link_returns(store: Store, stop: CancellationToken) -> anyhow::Result<()> {
    let (mut all_at, mut failing) = (DateTime::UNIX_EPOCH, false);
    // Jitter, so that replicas do not look at the same moment.
    let pause = || tokio::time::sleep(INTERVAL.mul_f64(rand::rng().random_range(0.5..1.0)));
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
                // Said once: readiness says it all along.
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "returns wait for the database");
                }
            }
        }
    }
    Ok(())
}
