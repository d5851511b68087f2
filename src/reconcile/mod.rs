//! Holds what the broker dead-letters against what arrives, where the management API is configured.
//!
//! A quorum queue that dead-letters at least once keeps its dead letters in a worker of its own until their target has taken them
//! (`messages_dlx`). Neither the queue's length nor any metric of the broker shows them. So each queue is looked at four times a minute:
//! where its dead letters would go, and whether the number of those that wait goes down.

mod tracker;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;
use crate::config::Consumed;
use crate::domain::undelivered::Undelivered;
use crate::latest::Latest;
use crate::management::{Management, Snapshot};
use crate::telemetry::Metrics;
use tracker::Tracker;

/// The broker renews its own statistics every 5 seconds.
const INTERVAL: Duration = Duration::from_secs(15);

/// A broker to look at.
#[derive(Debug)]
pub struct Reconciliation {
    /// Its management API.
    pub management: Management,
    /// What is consumed there.
    pub places: Vec<Consumed>,
    /// What was found last, for whoever asks.
    pub found: Latest<Vec<Undelivered>>,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
}

/// Looks at the broker until the process stops.
pub async fn reconcile(reconciliation: Reconciliation, stop: CancellationToken) -> anyhow::Result<()> {
    let Reconciliation { management, places, found, metrics } = reconciliation;
    let Some(first) = places.first() else { return Ok(()) };
    let broker = first.broker.place().broker.clone();
    let (mut tracker, mut is_failing) = (Tracker::default(), false);
    loop {
        match Snapshot::of(&management).await {
            Ok(snapshot) => {
                is_failing = false;
                let now = tracker.look(&snapshot, &places, clock::now());
                tell_changes(&found.now(), &now);
                found.replace(now);
            }
            Err(error) if !is_failing => {
                is_failing = true;
                warn!(
                    broker,
                    error = format!("{error:#}"),
                    "could not read the management API, retrying every 15 seconds"
                );
            }
            Err(_) => {}
        }
        metrics.management_answers(&broker, !is_failing);
        if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return Ok(());
        }
    }
}

/// One line of the log when something begins or ends.
fn tell_changes(before: &[Undelivered], now: &[Undelivered]) {
    let is_in = |all: &[Undelivered], one: &Undelivered| {
        all.iter()
            .any(|other| (&other.place, &other.queue, other.reason) == (&one.place, &one.queue, one.reason))
    };
    for begun in now.iter().filter(|one| !is_in(before, one)) {
        let Undelivered { place, queue, messages, reason, .. } = begun;
        warn!(%place, queue, messages, reason = reason.as_str(), "dead letters of this queue do not arrive");
    }
    for ended in before.iter().filter(|one| !is_in(now, one)) {
        info!(place = %ended.place, queue = ended.queue, "dead letters of this queue arrive again");
    }
}
