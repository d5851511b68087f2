//! `dead-letter seed`: fills a database with realistic dead letters, through the same decoding and the same batches as
//! those that come from a source.

mod letters;

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::info;

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig};
use crate::domain::dead_letter::{NewDeadLetter, received_at};
use crate::store::{PoolSettings, Store};
use crate::telemetry::Telemetry;
use letters::Letters;

/// Rows in a batch.
const BATCH: u64 = 1000;
/// Batches that are written at the same time.
const WRITERS: u32 = 3;
/// How often progress is shown.
const PROGRESS: Duration = Duration::from_secs(2);

/// What to fill the database with.
#[derive(Args, Clone, Debug)]
pub(super) struct SeedConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// How many dead letters
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// The same number makes the same dead letters
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Over how many days they arrived
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// When the last one arrived, RFC 3339; now, if not given
    #[arg(long)]
    until: Option<DateTime<Utc>>,
    /// Of how many services; a few have most of them
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    services: u32,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: SeedConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log)?;
    let store = Store::new(
        &config.database.database_url,
        PoolSettings { ingest: WRITERS, ..PoolSettings::default() },
    )
    .context("DATABASE_URL cannot be used")?;
    store.migrate().await.context("the schema could not be brought up to date")?;
    let until = config.until.unwrap_or_else(clock::now);
    let from = until - TimeDelta::days(config.days.into());
    store
        .create_partitions_for(from.date_naive(), until.date_naive())
        .await
        .context("the partitions could not be made")?;
    let letters = Letters::new(config.seed, config.services, config.count, from, until);
    let begun = Instant::now();
    let stored = fill(&store, letters, config.count).await?;
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = stored as f64 / seconds;
    store.settle(clock::now()).await.context("the rows are stored, but VACUUM failed")?;
    println!("{stored} dead letters of {} stored in {seconds:.1} s ({rate:.0} a second)", config.count);
    store.close().await;
    telemetry.shutdown();
    Ok(())
}

async fn fill(store: &Store, mut letters: Letters, count: u64) -> anyhow::Result<u64> {
    let mut writers: JoinSet<anyhow::Result<u64>> = JoinSet::new();
    let (mut made, mut stored, mut shown) = (0, 0, Instant::now());
    while made < count || !writers.is_empty() {
        if made < count && writers.len() < WRITERS as usize {
            let rows: Vec<_> = letters.by_ref().take(usize::try_from(BATCH)?).collect();
            made += rows.len() as u64;
            writers.spawn(write(store.clone(), rows));
        } else if let Some(written) = writers.join_next().await {
            stored += written??;
        }
        if shown.elapsed() > PROGRESS {
            info!(stored, count, "seeding");
            shown = Instant::now();
        }
    }
    Ok(stored)
}

/// Stores a batch as if it were the moment in which its last message arrived.
async fn write(store: Store, rows: Vec<NewDeadLetter>) -> anyhow::Result<u64> {
    let Some(last) = rows.last() else { return Ok(0) };
    let stored = store.insert(&rows, received_at(last.id)).await.context("a batch could not be stored")?;
    Ok(stored.stored)
}
