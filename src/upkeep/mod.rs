//! Background work that keeps the database in order beside ingest and operations: schema and partitions ([`keep_schema`]),
//! retention, counters, statistics, abandoned connections, and the announcement of this replica's brokers.

mod schema;

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;
use crate::domain::place::Place;
use crate::lifecycle::Lifecycle;
use crate::store::{Sealed, Store};

pub use schema::keep_schema;

const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(10);
const ABANDONED_INTERVAL: Duration = Duration::from_secs(5);
const SEAL_INTERVAL: Duration = Duration::from_secs(1);
const PLANNED_INTERVAL: Duration = Duration::from_mins(1);
/// After a plan has expired, as a run that began before may still read it.
const PLANNED_KEPT: TimeDelta = TimeDelta::minutes(2);
const STATISTICS_INTERVAL: Duration = Duration::from_secs(5);
/// Counts that are not folded yet are still correct, only slower to read.
const FOLD_INTERVAL: Duration = Duration::from_secs(5);

/// Starts the periodic jobs. Those that need the schema wait for it.
pub fn start(lifecycle: &mut Lifecycle, store: &Store, schema: &CancellationToken) {
    let stop = lifecycle.stop();
    let fold = every(FOLD_INTERVAL, store.clone(), stop.clone(), fold_counters);
    lifecycle.spawn("counters", after(schema.clone(), stop.clone(), fold));
    let planned = every(PLANNED_INTERVAL, store.clone(), stop.clone(), forget_planned);
    lifecycle.spawn("plans", after(schema.clone(), stop.clone(), planned));
    let statistics = every(STATISTICS_INTERVAL, store.clone(), stop.clone(), keep_statistics);
    lifecycle.spawn("statistics", after(schema.clone(), stop.clone(), statistics));
    let seals = every(SEAL_INTERVAL, store.clone(), stop.clone(), seal_audit);
    lifecycle.spawn("audit", after(schema.clone(), stop.clone(), seals));
    // Not after the schema: an abandoned connection may hold the locks that the migration waits for.
    let abandoned = every(ABANDONED_INTERVAL, store.clone(), stop, end_abandoned);
    lifecycle.spawn("abandoned connections", abandoned);
}

/// Runs a task once the schema is up to date.
pub async fn after(
    schema: CancellationToken,
    stop: CancellationToken,
    task: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    match stop.run_until_cancelled(schema.cancelled()).await {
        Some(()) => task.await,
        None => Ok(()),
    }
}

/// Announces again and again which places this replica is connected to, so that other replicas leave it the operations there.
pub async fn announce_places(
    store: Store,
    places: Vec<Place>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        if let Err(error) = store.say_served(&places, clock::now()).await {
            warn!(%error, "could not announce the brokers of this replica, retrying in 10 seconds");
        }
        if stop.run_until_cancelled(tokio::time::sleep(ANNOUNCE_INTERVAL)).await.is_none() {
            return Ok(());
        }
    }
}

/// Repeats a job, with a pause before each run.
async fn every<Done: Future<Output = ()>>(
    interval: Duration,
    store: Store,
    stop: CancellationToken,
    job: impl Fn(Store) -> Done,
) -> anyhow::Result<()> {
    while stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
        job(store.clone()).await;
    }
    Ok(())
}

async fn fold_counters(store: Store) {
    if let Err(error) = store.fold_counters().await {
        warn!(%error, "could not fold counters, retrying in 5 seconds");
    }
}

/// Removes the dead letters of plans that nobody can run any longer.
async fn forget_planned(store: Store) {
    if let Err(error) = store.forget_planned(clock::now() - PLANNED_KEPT).await {
        warn!(%error, "could not remove the dead letters of expired plans, retrying in a minute");
    }
}

/// Ends connections whose client went silent in the middle of a batch. Their uncommitted rows block other batches.
async fn end_abandoned(store: Store) {
    match store.end_abandoned().await {
        Ok(0) => {}
        Ok(ended) => {
            warn!(ended, "database connections ended whose client went silent in the middle of a statement");
        }
        Err(error) => {
            warn!(%error, "could not look for silent database connections, retrying in 5 seconds");
        }
    }
}

/// Seals what is new in the audit, and writes it to the log: a copy of the chain that nobody can change in the database.
async fn seal_audit(store: Store) {
    match store.seal_audit(clock::now()).await {
        Ok(sealed) => sealed.iter().for_each(log_entry),
        Err(error) => warn!(%error, "could not seal the audit, retrying in a second"),
    }
}

/// Without what is searched for, which may be a payload (R14).
fn log_entry(Sealed { number, hash, entry }: &Sealed) {
    info!(
        target: "audit",
        number,
        hash,
        id = %entry.id,
        action = entry.action.as_str(),
        actor = entry.actor.name,
        actor_id = entry.actor.id,
        address = entry.actor.address.map(tracing::field::display),
        times = entry.times,
        services = entry.services.join(","),
        dead_letter = entry.dead_letter.map(tracing::field::display),
        operation = entry.operation.map(tracing::field::display),
        error_group = entry.error_group.map(tracing::field::display),
        "audit"
    );
}

/// Analyses tables that have grown, for the query planner.
async fn keep_statistics(store: Store) {
    if let Err(error) = store.analyze_what_has_grown().await {
        warn!(%error, "could not analyse tables, retrying in 5 seconds");
    }
}
