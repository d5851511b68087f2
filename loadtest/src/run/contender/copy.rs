//! The limit of the database: the same rows go in from memory, with no broker.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::{Context, Result, ensure};
use dead_letter::amqp::Received;
use dead_letter::domain::convention::{Conventions, Decoding};
use dead_letter::domain::dead_letter::NewDeadLetter;
use dead_letter::domain::service::{DEFAULT_RULE, ServiceRule};
use dead_letter::ingest::{Decoder, decode};
use dead_letter::store::{PoolSettings, Store};
use lapin::protocol::basic::gen_properties;
use tokio::time::Instant;

use super::until_at_rest;
use crate::clock;
use crate::letters::{Letter, Letters};
use crate::run::rounds::Run;
use crate::run::world::World;

/// As dead-letter does it unless configured otherwise.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;
const IN_FLIGHT: u32 = 2;

/// Stores so many rows into an empty database.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let database = world.database().await?;
    let store = Store::new(
        &database.url,
        PoolSettings { ingest: IN_FLIGHT, operations: 2, ..PoolSettings::default() },
    )?;
    store.migrate().await?;
    store.create_partitions(dead_letter::clock::now().date_naive()).await?;
    let batches = Arc::new(Mutex::new(batches(letters, count)?));

    let processes = world.processes(None);
    until_at_rest(&processes).await;
    let (began, cpu) = (Instant::now(), processes.usage());
    let writers: Vec<_> =
        (0..IN_FLIGHT).map(|_| tokio::spawn(write(store.clone(), Arc::clone(&batches)))).collect();
    let mut stored = 0;
    for writer in writers {
        stored += writer.await??;
    }
    let run = Run { messages: count, took: began.elapsed(), cpu: processes.usage() - cpu };

    ensure!(stored == count, "{stored} of {count} rows were stored");
    store.close().await;
    world.drop_database(&database).await?;
    Ok(run)
}

async fn write(store: Store, batches: Arc<Mutex<Vec<Vec<NewDeadLetter>>>>) -> Result<u64> {
    let mut stored = 0;
    loop {
        let batch = batches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(batch) = batch else { return Ok(stored) };
        stored += store.insert(&batch, dead_letter::clock::now()).await?.stored;
    }
}

/// The rows that ingest would make of these messages.
fn batches(letters: &Letters, count: u64) -> Result<Vec<Vec<NewDeadLetter>>> {
    let service_rule = ServiceRule::new(DEFAULT_RULE).map_err(anyhow::Error::msg)?;
    let conventions = Conventions::default();
    let source = "dead-letter".into();
    let decoder = Decoder {
        source: &source,
        service_rule: &service_rule,
        conventions: &conventions,
        decoding: Decoding::Full,
    };
    let mut rows = Vec::new();
    for index in 0..count {
        let received = received(letters.letter(index, clock::unix_seconds()))?;
        rows.push(decode(decoder, dead_letter::clock::new_id(), received));
    }
    let bytes: usize = rows.iter().map(|row| row.properties.len() + row.body.len()).sum();
    let batch = (BATCH_BYTES / (bytes / rows.len().max(1)).max(1)).clamp(1, BATCH);
    let mut batches = Vec::new();
    while !rows.is_empty() {
        batches.push(rows.split_off(rows.len().saturating_sub(batch)));
    }
    Ok(batches)
}

/// As it would come from the broker, its properties through their wire encoding.
fn received(letter: Letter) -> Result<Received> {
    let wire =
        gen_properties(&letter.properties)(Vec::new().into()).context("properties that do not encode")?;
    Ok(Received::read("dead-letter".into(), letter.routing_key, wire.into_inner().0, letter.body))
}
