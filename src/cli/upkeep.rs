//! What `dead-letter serve` does on the side to keep the database in order.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock;
use crate::domain::place::Place;
use crate::lifecycle::Lifecycle;
use crate::store::{Schema, Store, StoreError};

/// How often the partitions of the coming days are looked after.
const PARTITION_INTERVAL: Duration = Duration::from_hours(1);
/// How often a database that is away is tried at the start.
const DATABASE_RETRY: Duration = Duration::from_millis(500);
/// How long a plan that expired is kept, to say so to who wants to run it.
const PLANS_KEPT: TimeDelta = TimeDelta::days(1);
/// How often others are told which places this service is connected to.
const SAYING_INTERVAL: Duration = Duration::from_secs(10);
/// How often connections whose client went silent are looked for.
const ABANDONED_INTERVAL: Duration = Duration::from_secs(5);
/// How often tables that grow are looked for.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(5);
/// How often counters are folded: what is not folded counts as well, only not as fast.
const FOLD_INTERVAL: Duration = Duration::from_secs(5);

/// Starts what is done again and again, once the schema is there.
pub(super) fn start(lifecycle: &mut Lifecycle, store: &Store, schema: &CancellationToken) {
    let stop = lifecycle.stop();
    let fold = every(FOLD_INTERVAL, store.clone(), stop.clone(), fold_counters);
    lifecycle.spawn("counters", after(schema.clone(), stop.clone(), fold));
    let statistics = every(STATISTICS_INTERVAL, store.clone(), stop.clone(), keep_statistics);
    lifecycle.spawn("statistics", after(schema.clone(), stop.clone(), statistics));
    // The schema may wait for what these hold.
    let abandoned = every(ABANDONED_INTERVAL, store.clone(), stop, end_abandoned);
    lifecycle.spawn("abandoned connections", abandoned);
}

/// Does it again and again, with such a pause before each time, until the process is to stop.
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

/// Brings the schema up to date as soon as the database answers, and then sees to the partitions: makes those of the days
/// to come, and frees those of days that are over.
pub(super) async fn keep_schema(
    store: Store,
    home: Place,
    retention: Option<TimeDelta>,
    done: CancellationToken,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if stop.run_until_cancelled(migrate(&store, &home)).await.is_none() {
        return Ok(());
    }
    loop {
        if let Err(error) = store.create_partitions(clock::now().date_naive()).await {
            warn!(%error, "could not create partitions, rows go to the default partition until then");
        }
        done.cancel();
        if let Some(retention) = retention {
            expire(&store, retention).await;
        }
        if let Err(error) = store.coarsen_counters(clock::now()).await {
            warn!(%error, "could not fold the counters of past days, retrying in an hour");
        }
        if let Err(error) = store.forget_plans(clock::now() - PLANS_KEPT).await {
            warn!(%error, "could not remove expired plans, retrying in an hour");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PARTITION_INTERVAL)).await.is_none() {
            return Ok(());
        }
    }
}

/// Tries until the schema is up to date, and says once of each reason why it is not: readiness says it all along, and is served
/// meanwhile, whoever has to do something about it.
async fn migrate(store: &Store, home: &Place) {
    let mut said = String::new();
    loop {
        let error = match prepare(store, home).await {
            Ok(schema @ Schema::Newer(_)) => return info!("the schema is {schema}"),
            Ok(_) => return,
            Err(error) => error,
        };
        let why = error.to_string();
        if said != why {
            if error.is_transient() {
                warn!(%error, "waiting for the database");
            } else {
                error!(%error, "the database is not usable, nothing is consumed until it is");
            }
            said = why;
        }
        tokio::time::sleep(DATABASE_RETRY).await;
    }
}

async fn prepare(store: &Store, home: &Place) -> Result<Schema, StoreError> {
    let schema = store.migrate().await?;
    store.settle_home(home).await?;
    Ok(schema)
}

async fn expire(store: &Store, retention: TimeDelta) {
    match store.drop_days_before((clock::now() - retention).date_naive()).await {
        Ok(dropped) => {
            for (day, count) in dropped {
                info!(%day, count, "expired dead letters dropped");
            }
        }
        Err(error) => warn!(%error, "could not drop expired dead letters, retrying in an hour"),
    }
    if let Err(error) = store.forget_empty_groups().await {
        warn!(%error, "could not remove empty error groups, retrying in an hour");
    }
}

/// Says again and again which places this service is connected to, for others to leave their operations to it.
pub(super) async fn say_served(
    store: Store,
    places: Vec<Place>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        if let Err(error) = store.say_served(&places, clock::now()).await {
            warn!(%error, "could not announce the brokers of this replica, retrying in 10 seconds");
        }
        if stop.run_until_cancelled(tokio::time::sleep(SAYING_INTERVAL)).await.is_none() {
            return Ok(());
        }
    }
}

/// Adds up what was counted.
async fn fold_counters(store: Store) {
    if let Err(error) = store.fold_counters().await {
        warn!(%error, "could not fold counters, retrying in 5 seconds");
    }
}

/// Ends connections whose client went silent in the middle of a batch, as its rows are in the way.
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

/// Keeps the planner's statistics of tables that grow.
async fn keep_statistics(store: Store) {
    if let Err(error) = store.analyze_what_has_grown().await {
        warn!(%error, "could not analyse tables, retrying in 5 seconds");
    }
}

/// Runs a task once the schema is there.
pub(super) async fn after(
    schema: CancellationToken,
    stop: CancellationToken,
    task: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    match stop.run_until_cancelled(schema.cancelled()).await {
        Some(()) => task.await,
        None => Ok(()),
    }
}
