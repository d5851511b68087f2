//! `dead-letter migrate`: brings the schema up to date.

use anyhow::Context;
use clap::Args;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig};
use crate::store::{PoolSettings, Store};
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
    let store = Store::new(&config.database.database_url, PoolSettings::default())
        .context("DATABASE_URL cannot be used")?;
    let schema = store.migrate().await.context("the schema could not be brought up to date")?;
    store.create_partitions(clock::now().date_naive()).await.context("the partitions could not be made")?;
    tracing::info!("the schema is {schema}");
    store.close().await;
    telemetry.shutdown();
    Ok(())
}
