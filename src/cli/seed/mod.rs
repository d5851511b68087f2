//! `dead-letter seed`: fills a database with realistic dead letters. They are decoded and stored in batches like those from a
//! source.

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

const BATCH: u64 = 1000;
/// Concurrent batches.
const WRITERS: u32 = 3;
/// How often progress is logged.
const PROGRESS: Duration = Duration::from_secs(2);

#[derive(Args, Clone, Debug)]
pub(super) struct SeedConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    /// Number of dead letters
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// Random seed; the same seed makes the same dead letters
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of days over which their arrivals are spread
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Arrival of the last one (RFC 3339); by default now
    #[arg(long)]
    until: Option<DateTime<Utc>>,
    /// Number of services; a few of them have most of the dead letters
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    services: u32,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(config: SeedConfig) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let store = config.database.store(PoolSettings { ingest: WRITERS, ..PoolSettings::default() })?;
    store.migrate().await.context("could not migrate the schema")?;
    let until = config.until.unwrap_or_else(clock::now);
    let from = until - TimeDelta::days(config.days.into());
    store
        .create_partitions_for(from.date_naive(), until.date_naive())
        .await
        .context("could not create the partitions")?;
    let letters = Letters::new(config.seed, config.services, config.count, from, until);
    let begun = Instant::now();
    let stored = fill(&store, letters, config.count).await?;
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = stored as f64 / seconds;
    store.settle(clock::now()).await.context("stored the rows, but VACUUM failed")?;
    println!("{stored} of {} dead letters stored in {seconds:.1} s ({rate:.0} a second)", config.count);
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

/// Stores a batch as of the arrival of its last message.
async fn write(store: Store, rows: Vec<NewDeadLetter>) -> anyhow::Result<u64> {
    let Some(last) = rows.last() else { return Ok(0) };
    let stored = store.insert(&rows, received_at(last.id)).await.context("could not store a batch")?;
    Ok(stored.stored)
}
