//! `dead-letter recount`: compares every counter with the rows.

use anyhow::{Context, bail};
use clap::Args;

use crate::config::{DatabaseConfig, LogConfig};
use crate::store::{PoolSettings, Store};
use crate::telemetry::Telemetry;

/// So many differences are named.
const NAMED: usize = 20;

#[derive(Args, Debug)]
pub(super) struct RecountConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Set the counters to what was counted, where they differ; whoever writes waits meanwhile
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: RecountConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log)?;
    let store = Store::new(&config.database.database_url, PoolSettings::default())
        .context("DATABASE_URL cannot be used")?;
    let recounted = recount(&store, config.repair).await;
    store.close().await;
    telemetry.shutdown();
    recounted
}

async fn recount(store: &Store, repair: bool) -> anyhow::Result<()> {
    let differing = store.recount().await.context("the rows could not be counted")?;
    if differing.is_empty() {
        println!("every counter is right");
        return Ok(());
    }
    for (group, hour) in differing.iter().take(NAMED) {
        let hour = hour.map_or("in all".into(), |hour| format!("in the hour of {hour}"));
        println!("error group {group} differs {hour}");
    }
    if !repair {
        bail!("{} counters differ: run it with --repair", differing.len());
    }
    store.rebuild_counters().await.context("the counters could not be repaired: run it again")?;
    println!("{} counters repaired", differing.len());
    Ok(())
}
