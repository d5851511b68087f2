//! `dead-letter expire`: frees what is older than it has to be.

use anyhow::Context;
use chrono::TimeDelta;
use clap::Args;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig, days};
use crate::store::{PoolSettings, Store};
use crate::telemetry::Telemetry;

#[derive(Args, Debug)]
pub(super) struct ExpireConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// How long dead letters are kept, in whole UTC days of arrival, such as `90d`
    #[arg(long, env = "DEAD_LETTER_RETENTION", value_parser = days)]
    retention: TimeDelta,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: ExpireConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log)?;
    let store = Store::new(&config.database.database_url, PoolSettings::default())
        .context("DATABASE_URL cannot be used")?;
    let dropped = store
        .drop_days_before((clock::now() - config.retention).date_naive())
        .await
        .context("not all could be freed: run it again")?;
    for (day, count) in &dropped {
        println!("{count} dead letters of {day} freed");
    }
    println!(
        "{} dead letters of {} days freed",
        dropped.iter().map(|(_, count)| count).sum::<i64>(),
        dropped.len()
    );
    store.close().await;
    telemetry.shutdown();
    Ok(())
}
