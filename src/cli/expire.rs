//! `dead-letter expire`: drops expired days.

use anyhow::Context;
use chrono::TimeDelta;
use clap::Args;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig, days};
use crate::store::PoolSettings;
use crate::telemetry::Telemetry;

#[derive(Args, Debug)]
pub(super) struct ExpireConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// How long to keep dead letters, in whole UTC days of arrival, such as `90d`
    #[arg(long, env = "DEAD_LETTER_RETENTION", value_parser = days)]
    retention: TimeDelta,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: ExpireConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let store = config.database.store(PoolSettings::default())?;
    let dropped = store
        .drop_days_before((clock::now() - config.retention).date_naive())
        .await
        .context("could not drop all expired days, run the command again")?;
    for (day, count) in &dropped {
        println!("{day}: {count} dead letters dropped");
    }
    println!(
        "{} dead letters of {} days dropped",
        dropped.iter().map(|(_, count)| count).sum::<i64>(),
        dropped.len()
    );
    store.close().await;
    telemetry.shutdown();
    Ok(())
}
