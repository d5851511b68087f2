//! `dead-letter migrate`: migrates the database schema.

use anyhow::Context;
use clap::Args;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig};
use crate::store::{LOCKED_RETRY, PoolSettings, Schema, Store, StoreError};
use crate::telemetry::Telemetry;

#[derive(Args, Debug)]
pub(super) struct MigrateConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Role of the database that serves, to which the needed privileges are granted. It must exist, and must not own the tables
    #[arg(long, env = "DEAD_LETTER_SERVING_ROLE", value_name = "ROLE")]
    grant_to: Option<String>,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: MigrateConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let store = config.database.store(PoolSettings::default())?;
    let schema = migrate(&store).await.context("could not migrate the schema")?;
    store.create_partitions(clock::now().date_naive()).await.context("could not create the partitions")?;
    if let Some(role) = &config.grant_to {
        store.grant_to(role).await.context("could not grant the privileges")?;
    }
    tracing::info!("the schema is {schema}");
    store.close().await;
    telemetry.shutdown();
    Ok(())
}

/// Waits for whoever holds a lock that a migration needs, such as a backup, and keeps nobody else waiting for long.
async fn migrate(store: &Store) -> Result<Schema, StoreError> {
    loop {
        match store.migrate().await {
            Err(error @ StoreError::Locked(_)) => {
                tracing::warn!(%error, "waiting for a lock");
                tokio::time::sleep(LOCKED_RETRY).await;
            }
            migrated => return migrated,
        }
    }
}
