//! dead-letter itself: a backlog goes into the database.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{backlog, watch};
use crate::figures::whole;
use crate::letters::Letters;
use crate::run::ledger::{self, Ledger};
use crate::run::rounds::Run;
use crate::run::service::Service;
use crate::run::world::{Database, World};

/// Fills a queue, and measures how fast the service stores what is in it into an empty database.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let database = world.database().await?;
    let run = into(world, &database, letters, count).await?;
    world.drop_database(&database).await?;
    Ok(run)
}

/// The same by another build, whose counters may be others.
pub async fn by(world: &World, binary: &Path, letters: &Letters, count: u64) -> Result<Run> {
    let database = world.database().await?;
    let connection = world.connect("drain").await?;
    let queue = backlog(world, &connection, letters, count).await?;
    let service = world.service_of(binary, &queue, &database, &[]).await?;
    let run = watch(&world.processes(Some(&service)), count, || stored(&service)).await?;
    service.stop().await?;
    let ledger = Ledger::take(&database.url, &connection, &queue, count).await?;
    ensure!(ledger.balances(), "MESSAGES ARE LOST OR TWICE: {}", ledger.text());
    world.delete_queue(&connection, &queue).await?;
    world.drop_database(&database).await?;
    Ok(run)
}

/// The same into this database. Its start is not measured, only what follows the first message.
pub async fn into(world: &World, database: &Database, letters: &Letters, count: u64) -> Result<Run> {
    let connection = world.connect("drain").await?;
    let queue = backlog(world, &connection, letters, count).await?;
    let service = world.service(&queue, database, &[]).await?;
    let run = watch(&world.processes(Some(&service)), count, || stored(&service)).await?;
    service.stop().await?;
    ledger::check(&database.url, &connection, &queue, count).await?;
    world.delete_queue(&connection, &queue).await?;
    Ok(run)
}

async fn stored(service: &Service) -> Result<u64> {
    Ok(whole(service.metric("dead_letter_ingested_total").await?))
}
