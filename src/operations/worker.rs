//! A worker: takes the next chunk of whatever operation has waited longest, acts, records, and goes on.
//!
//! A chunk is one transaction (rule R10). A worker that dies in the middle leaves it undone; whoever takes it next publishes
//! under the same redelivery ids.

use std::time::Duration;

use chrono::TimeDelta;
use rand::Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

use super::Operations;
use super::redeliver;
use crate::amqp::{Broker, Publisher};
use crate::clock;
use crate::config::OperationsConfig;
use crate::domain::convention::Conventions;
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Kind, Operation, Outcome, Outcomes, Settled};
use crate::store::{Chunk, ChunkItem, Store, StoreError};
use crate::telemetry::{ChunkDone, Metrics};

/// How often a worker looks for operations that other replicas were asked for, or left behind.
const POLL: Duration = Duration::from_secs(1);
/// How long an operation waits after the broker failed it.
const RETRY: TimeDelta = TimeDelta::seconds(1);

/// What a worker works with.
#[derive(Debug)]
pub struct Worker {
    /// The database.
    pub store: Store,
    /// Where operations are asked for.
    pub operations: Operations,
    /// Settings.
    pub config: OperationsConfig,
    /// Metrics.
    pub metrics: std::sync::Arc<Metrics>,
    /// How libraries tell of failures.
    pub conventions: Conventions,
    /// The way to the broker.
    pub publisher: Publisher,
}

/// What was done with a chunk.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What became of the items; those that are not among them stay open.
    pub settled: Vec<Settled>,
    /// Kinds of the refusals.
    pub refusals: Vec<&'static str>,
    /// Why some stay open.
    pub waits_for: Option<String>,
}

impl Worker {
    /// A worker with a connection of its own to the broker.
    pub fn new(
        store: Store,
        operations: Operations,
        broker: Broker,
        conventions: Conventions,
        config: OperationsConfig,
        metrics: std::sync::Arc<Metrics>,
    ) -> Self {
        let publisher = Publisher::new(broker, config.confirm_timeout);
        Self { store, operations, config, metrics, conventions, publisher }
    }

    /// Does the next chunk, if there is one to do now.
    async fn next(&mut self) -> Result<bool, StoreError> {
        let (items, bytes) = (self.config.chunk_items.into(), self.config.chunk_bytes.into());
        let Some(chunk) = self.store.next_chunk(clock::now(), items, bytes).await? else {
            self.forget_ended().await?;
            return Ok(false);
        };
        let span = info_span!("operation chunk", operation = %chunk.operation.id, kind = chunk.operation.kind.as_str());
        self.act(chunk).instrument(span).await?;
        Ok(true)
    }

    /// Drops what is kept of operations that another replica has ended.
    async fn forget_ended(&self) -> Result<(), StoreError> {
        let kept: Vec<_> = self.operations.unrecorded.operations().into_iter().collect();
        if !kept.is_empty() {
            self.operations.unrecorded.forget_all_of(&self.store.ended(&kept).await?);
        }
        Ok(())
    }

    async fn act(&mut self, chunk: Chunk) -> Result<(), StoreError> {
        let (begun, begun_at) = (Instant::now(), clock::now());
        let unrecorded = self.operations.unrecorded.clone();
        let mut done = match chunk.operation.kind {
            Kind::Redeliver => {
                let known = unrecorded.of(chunk.operation.id, living(&chunk.items));
                let rest = unknown(&chunk.items, &known);
                let mut done =
                    redeliver::redeliver(&mut self.publisher, &self.conventions, &chunk.operation, rest)
                        .await;
                done.settled.extend(known);
                unrecorded.keep(chunk.operation.id, &done.settled);
                done
            }
            Kind::Delete => delete(living(&chunk.items)),
        };
        done.settled.extend(chunk.items.iter().filter_map(skipped));
        let operation = chunk.operation.clone();
        let next_chunk_at = match done.waits_for {
            Some(_) => clock::now() + RETRY,
            None => begun_at + spacing(&operation, chunk.items.len()),
        };
        let completed = chunk.record(&done.settled, done.waits_for.as_deref(), next_chunk_at).await?;
        unrecorded.forget(operation.id, &done.settled, completed);
        let mut outcomes = Outcomes::default();
        for item in &done.settled {
            outcomes.add(item.outcome);
        }
        ChunkDone {
            operation: &operation,
            outcomes,
            refusals: &done.refusals,
            duration: begun.elapsed(),
            completed,
            waits_for: done.waits_for.as_deref(),
        }
        .emit(&self.metrics);
        Ok(())
    }
}

/// Works until the process is to stop; a chunk that is begun is finished.
pub async fn work(mut worker: Worker, stop: CancellationToken) -> anyhow::Result<()> {
    let mut failing = false;
    while !stop.is_cancelled() {
        let next = worker.next().await;
        match &next {
            Ok(_) if failing => info!("operations go on"),
            // Said once: readiness says it all along.
            Err(error) if !failing => warn!(%error, "operations wait for the database"),
            _ => {}
        }
        failing = next.is_err();
        if matches!(next, Ok(true)) {
            continue;
        }
        // Jitter, so that idle replicas do not look at the same moment.
        let pause = tokio::time::sleep(POLL.mul_f64(rand::rng().random_range(0.5..1.0)));
        tokio::select! {
            () = stop.cancelled() => {}
            () = pause => {}
            () = worker.operations.asked(), if !failing => {}
        }
    }
    worker.publisher.close().await;
    Ok(())
}

fn living(items: &[ChunkItem]) -> impl Iterator<Item = &ChunkItem> {
    items.iter().filter(|item| item.status == Some(Status::Dead))
}

/// Those that are to be published: what became of the others is known.
fn unknown<'i>(items: &'i [ChunkItem], known: &[Settled]) -> impl Iterator<Item = &'i ChunkItem> {
    living(items).filter(|item| known.iter().all(|one| one.position != item.position))
}

/// An item whose dead letter was acted on, or went away, between the freezing and the chunk.
fn skipped(item: &ChunkItem) -> Option<Settled> {
    let detail = match item.status {
        Some(Status::Dead) => return None,
        Some(status) => format!("it is {}", status.as_str()),
        None => "it is no longer stored".into(),
    };
    Some(Settled {
        position: item.position,
        dead_letter: item.dead_letter,
        outcome: Outcome::Skipped,
        detail: Some(detail),
        redelivery_id: None,
    })
}

fn delete<'i>(items: impl Iterator<Item = &'i ChunkItem>) -> Done {
    let settled = items.map(|item| Settled {
        position: item.position,
        dead_letter: item.dead_letter,
        outcome: Outcome::Deleted,
        detail: None,
        redelivery_id: None,
    });
    Done { settled: settled.collect(), ..Done::default() }
}

/// How long after this chunk's beginning the next one may begin, for the operation's rate.
fn spacing(operation: &Operation, items: usize) -> TimeDelta {
    let Some(rate) = operation.rate else { return TimeDelta::zero() };
    let microseconds = (items as u64).saturating_mul(1_000_000) / u64::from(rate.max(1));
    TimeDelta::microseconds(i64::try_from(microseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod model;
