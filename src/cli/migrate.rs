//! `dead-letter migrate`: migrates the database schema.

use anyhow::Context;
use clap::Args;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig};
use crate::store::PoolSettings;
use crate::telemetry::Telemetry;

#[derive(Args, Debug)]
pub(super) struct MigrateConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: MigrateConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log)?;
    let store = config.database.store(PoolSettings::default())?;
    let schema = store.migrate().await.context("could not migrate the schema")?;
    store.create_partitions(clock::now().date_naive()).await.context("could not create the partitions")?;
    tracing::info!("the schema is {schema}");
    store.close().await;
    telemetry.shutdown();
    Ok(())
}
