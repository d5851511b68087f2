//! Notifications: incidents are found in the counters ([`watch()`]), squads have routes to channels ([`Routes`]), and what is decided is
//! delivered from an outbox ([`deliver()`]).
//!
//! An incident is opened once, by whichever replica has the turn, together with a row of the outbox for each channel. A row is delivered
//! until the channel confirms it, with an id that is the same at each attempt.

mod channel;
mod deliver;
mod endings;
mod file;
mod quiet_hours;
mod routes;
mod secret;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock;
use crate::ingest::{SourceState, SourceStatus};
use crate::store::{SourceReading, Store};

pub use channel::Courier;
pub use deliver::{Deliverer, deliver};
pub use file::open;
pub use routes::Routes;
pub use watch::{Watcher, watch};

/// How often replicas say what they see of their sources.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Says again and again what this replica sees of its sources, so that the one that looks for incidents knows what all of them see.
pub async fn report_sources(
    store: Store,
    sources: Arc<[Arc<SourceStatus>]>,
    routes: Live,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while stop.run_until_cancelled(tokio::time::sleep(REPORT_INTERVAL)).await.is_some() {
        let readings: Vec<_> = sources.iter().map(|source| reading(source)).collect();
        let deep = routes.now().source_lag().messages;
        if let Err(error) = store.report_sources(&readings, deep, clock::now()).await {
            warn!(%error, "could not report the sources of this replica, retrying in 5 seconds");
        }
    }
    Ok(())
}

/// The routes of this moment. Clones share them.
pub type Live = crate::latest::Latest<Routes>;

fn reading(source: &SourceStatus) -> SourceReading {
    let state = source.get();
    let is_consumed = state == SourceState::Consuming;
    SourceReading {
        place: source.place().clone(),
        source: source.source().to_owned(),
        depth: is_consumed.then(|| source.depth()),
        not_consumed: (!is_consumed).then(|| state.to_string()),
    }
}
