//! `dead-letter recount`: compares every counter with the stored rows.

use anyhow::{Context, bail};
use clap::Args;

use crate::config::{DatabaseConfig, LogConfig};
use crate::store::{PoolSettings, Store};
use crate::telemetry::Telemetry;

/// This many differences are listed.
const LISTED: usize = 20;

#[derive(Args, Debug)]
pub(super) struct RecountConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Correct wrong counters. Writes to the database wait meanwhile
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: RecountConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let store = config.database.store(PoolSettings::default())?;
    let recounted = recount(&store, config.repair).await;
    store.close().await;
    telemetry.shutdown();
    recounted
}

async fn recount(store: &Store, repair: bool) -> anyhow::Result<()> {
    let differing = store.recount().await.context("could not count the rows")?;
    if differing.is_empty() {
        println!("all counters are correct");
        return Ok(());
    }
    for (group, hour) in differing.iter().take(LISTED) {
        let hour = hour.map_or("its total".into(), |hour| format!("the hour of {hour}"));
        println!("error group {group}: the counter of {hour} is wrong");
    }
    if !repair {
        bail!("{} counters are wrong, run the command with --repair to correct them", differing.len());
    }
    store.rebuild_counters().await.context("could not correct the counters, run the command again")?;
    println!("{} counters corrected", differing.len());
    Ok(())
}
