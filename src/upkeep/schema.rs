//! Schema and partitions: migrates as soon as the database answers, then creates the partitions of the coming days and drops
//! expired ones.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock;
use crate::domain::place::Place;
use crate::store::{LOCKED_RETRY, Schema, Store, StoreError};

const PARTITION_INTERVAL: Duration = Duration::from_hours(1);
/// How often the migration is retried while the database is away.
const MIGRATION_RETRY: Duration = Duration::from_millis(500);
/// An expired plan is kept this long, so that the API can say that it has expired.
const EXPIRED_PLANS_KEPT: TimeDelta = TimeDelta::days(1);
/// An incident that is over is kept this long, with its notifications.
const INCIDENTS_KEPT: TimeDelta = TimeDelta::days(90);
/// Deployments are kept this long, so that error groups can say in which version they were first seen.
const DEPLOYMENTS_KEPT: TimeDelta = TimeDelta::days(400);

/// Migrates, cancels `done` when ingest and operations may start, and maintains the partitions until the process stops.
pub async fn keep_schema(
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
        if let Err(error) = store.forget_plans(clock::now() - EXPIRED_PLANS_KEPT).await {
            warn!(%error, "could not remove expired plans, retrying in an hour");
        }
        if let Err(error) = store.forget_incidents(clock::now() - INCIDENTS_KEPT).await {
            warn!(%error, "could not remove old incidents, retrying in an hour");
        }
        if let Err(error) = store.forget_deployments(clock::now() - DEPLOYMENTS_KEPT).await {
            warn!(%error, "could not remove old deployments, retrying in an hour");
        }
        if stop.run_until_cancelled(tokio::time::sleep(PARTITION_INTERVAL)).await.is_none() {
            return Ok(());
        }
    }
}

/// Retries until the schema is up to date. Logs each reason once; readiness reports it all the time.
async fn migrate(store: &Store, home: &Place) {
    let mut logged = String::new();
    loop {
        let error = match prepare(store, home).await {
            Ok(schema @ Schema::Newer(_)) => return info!("the schema is {schema}"),
            Ok(_) => return,
            Err(error) => error,
        };
        let retry = if matches!(error, StoreError::Locked(_)) { LOCKED_RETRY } else { MIGRATION_RETRY };
        let reason = error.to_string();
        if logged != reason {
            if error.is_transient() {
                warn!(%error, "waiting for the database");
            } else {
                error!(%error, "the database is not usable, nothing is consumed until it is");
            }
            logged = reason;
        }
        tokio::time::sleep(retry).await;
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
