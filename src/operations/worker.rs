//! A worker takes the next chunk of the operation that has waited longest, acts, records, and goes on.
//!
//! A chunk is one transaction (rule R10). If a worker crashes, its chunk is rolled back, and the next worker publishes it under
//! the same redelivery ids.
//!
//! A worker has two chunks at a time of an operation that keeps an order. One is published while the previous one is recorded and
//! the next one is read, so that neither the broker nor the database waits for the other.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};
use uuid::Uuid;

use super::Operations;
use super::backpressure::{Backpressure, target_queue};
use super::chunk_result::ChunkResult;
use super::publishers::Publishers;
use super::redeliver;
use crate::amqp::Brokers;
use crate::clock;
use crate::config::OperationsConfig;
use crate::domain::convention::Conventions;
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Hold, Kind, Operation, Outcome, Outcomes, Settled, State};
use crate::domain::words::{count, things};
use crate::memory_budget::ChunkReservation;
use crate::store::{Chunk, ChunkItem, Follower, Next, Store, StoreError};
use crate::telemetry::{ChunkDone, Metrics};

/// Interval at which a worker looks for operations that other replicas accepted or left behind.
const POLL: Duration = Duration::from_secs(1);
/// Longest run of chunks of one operation, while others may wait.
const IN_A_ROW: usize = 16;
/// Pause of an operation after the broker failed it.
const RETRY: TimeDelta = TimeDelta::seconds(1);

/// A worker, with its connections.
#[derive(Debug)]
pub struct Worker {
    /// Its id in the database.
    id: Uuid,
    /// The database.
    pub store: Store,
    /// The queue of operations.
    pub operations: Operations,
    /// Settings.
    pub config: OperationsConfig,
    /// Metrics.
    pub metrics: std::sync::Arc<Metrics>,
    /// Restore messages to what they were before they failed.
    pub conventions: Conventions,
    /// One for each place.
    pub publishers: Publishers,
    /// Depths of the target queues.
    backpressure: Backpressure,
}

impl Worker {
    /// A worker with its own connections to the brokers.
    pub fn new(
        store: Store,
        operations: Operations,
        brokers: &Brokers,
        conventions: Conventions,
        config: OperationsConfig,
        metrics: std::sync::Arc<Metrics>,
    ) -> Self {
        let publishers = Publishers::new(brokers, config.confirm_timeout);
        Self {
            id: clock::new_id(),
            store,
            operations,
            config,
            metrics,
            conventions,
            publishers,
            backpressure: Backpressure::default(),
        }
    }

    /// Runs the next chunks of an operation. Returns whether there were any.
    async fn next(&mut self, stop: &CancellationToken) -> Result<bool, StoreError> {
        let limits = self.limits();
        let served = &self.operations.served;
        let mut reserved = ChunkReservation::default();
        let chunk = loop {
            match self.store.next_chunk(self.id, clock::now(), limits, served, reserved).await? {
                Next::Chunk(chunk) => break chunk,
                Next::OverBudget(bytes) => reserved = ChunkReservation::acquire(bytes).await,
                Next::Nothing => {
                    self.forget_ended().await?;
                    return Ok(false);
                }
            }
        };
        let operation = chunk.operation.id;
        let span = info_span!("operation chunks", %operation, kind = chunk.operation.kind.as_str());
        let done = Box::pin(self.run_chunks(chunk, stop)).instrument(span).await;
        if done.is_err() {
            // If this fails as well, the next attempt of this worker replaces the row.
            let _ = self.store.forget_attempt(operation, self.id).await;
        }
        done.map(|()| true)
    }

    fn limits(&self) -> (i64, i64) {
        (self.config.chunk_items.into(), self.config.chunk_bytes.into())
    }

    /// Runs this chunk and, if the operation keeps an order, some of the chunks after it. While one is published, the previous
    /// one is recorded and the next one is read. Nothing of a chunk is published before the previous one is confirmed.
    async fn run_chunks(&mut self, first: Box<Chunk>, stop: &CancellationToken) -> Result<(), StoreError> {
        let (recorder, mut next, mut acted) = (self.recorder(), Some(first), None);
        for number in 1.. {
            let Some(mut chunk) = next.take() else { break };
            let follower = chunk.follower().filter(|_| number < IN_A_ROW && !stop.is_cancelled());
            let (begun, begun_at) = (Instant::now(), clock::now());
            let (done, ahead) = tokio::join!(self.act(&mut chunk), async {
                if let Some(acted) = acted.take() {
                    recorder.record(acted).await?;
                }
                match follower {
                    Some(follower) => recorder.read(&follower).await,
                    None => Ok(None),
                }
            });
            let done = done?;
            next = ahead?.filter(|_| done.is_complete(&chunk));
            acted = Some(Acted { chunk, done, begun, begun_at });
        }
        match acted {
            Some(acted) => recorder.record(acted).await,
            None => Ok(()),
        }
    }

    /// Records and reads chunks while another one is published.
    fn recorder(&self) -> Recorder {
        Recorder {
            store: self.store.clone(),
            operations: self.operations.clone(),
            limits: self.limits(),
            metrics: self.metrics.clone(),
        }
    }

    /// Forgets operations that another replica has ended.
    async fn forget_ended(&self) -> Result<(), StoreError> {
        let kept: Vec<_> = self.operations.outcome_cache.operations().into_iter().collect();
        if !kept.is_empty() {
            self.operations.outcome_cache.forget_all_of(&self.store.ended(&kept).await?);
        }
        Ok(())
    }

    /// Redelivers these items, except those whose queue is over its limit. Takes the bytes out of the items.
    async fn publish_items(&mut self, operation: &Operation, mut items: Vec<&mut ChunkItem>) -> ChunkResult {
        let over_limit = self
            .backpressure
            .queues_over_limit(&mut self.publishers, operation, items.iter().map(|item| &**item))
            .await;
        items.retain(|item| {
            target_queue(operation, item).is_none_or(|queue| !over_limit.contains_key(&queue))
        });
        let most = self.config.confirm_timeout / 2;
        let mut done =
            redeliver::redeliver(&mut self.publishers, &self.conventions, operation, items, most).await;
        if let (None, Some(((_, queue), depth))) = (&done.hold, over_limit.iter().next()) {
            done.hold = Some(Hold::Waits(queue_over_limit(queue, *depth, operation.max_queue_depth)));
        }
        done
    }

    /// Acts on each item as the operation says.
    async fn act(&mut self, chunk: &mut Chunk) -> Result<ChunkResult, StoreError> {
        self.store.note_attempt(chunk).await?;
        let wanted = chunk.operation.acts_on();
        let mut done = match chunk.operation.kind {
            _ if chunk.operation.state == State::Cancelling => skip_cancelled(acted_on(&chunk.items, wanted)),
            Kind::Redeliver => {
                let outcome_cache = self.operations.outcome_cache.clone();
                let known = outcome_cache.of(chunk.operation.id, acted_on(&chunk.items, wanted));
                let rest = chunk.items.iter_mut().filter(|item| is_unknown(item, wanted, &known)).collect();
                let mut done = self.publish_items(&chunk.operation, rest).await;
                done.settled.extend(known);
                outcome_cache.keep(chunk.operation.id, &done.settled);
                done
            }
            Kind::Delete => settle_all(acted_on(&chunk.items, wanted), Outcome::Deleted, None),
            Kind::Restore => settle_all(acted_on(&chunk.items, wanted), Outcome::Restored, None),
        };
        done.settled.extend(chunk.items.iter().filter_map(|item| skipped(item, wanted)));
        Ok(done)
    }
}

/// A chunk with its result, not yet recorded.
struct Acted {
    chunk: Box<Chunk>,
    done: ChunkResult,
    begun: Instant,
    begun_at: DateTime<Utc>,
}

struct Recorder {
    store: Store,
    operations: Operations,
    limits: (i64, i64),
    metrics: std::sync::Arc<Metrics>,
}

impl Recorder {
    async fn read(&self, follower: &Follower) -> Result<Option<Box<Chunk>>, StoreError> {
        self.store.following_chunk(follower, clock::now(), self.limits, &self.operations.served).await
    }

    async fn record(&self, Acted { chunk, done, begun, begun_at }: Acted) -> Result<(), StoreError> {
        let operation = chunk.operation.clone();
        let now = clock::now();
        let next_chunk_at = next_chunk_at(&operation, &done, begun_at, now);
        let not_done = match operation.state {
            State::Cancelling => acted_on(&chunk.items, operation.acts_on()).count(),
            _ => 0,
        };
        let not_done = i64::try_from(not_done).unwrap_or(i64::MAX);
        let completed = chunk.record(&done.settled, not_done, done.hold.as_ref(), next_chunk_at, now).await?;
        self.operations.outcome_cache.forget(operation.id, &done.settled);
        if completed {
            self.operations.outcome_cache.forget_all_of(&[operation.id]);
        }
        let mut outcomes = Outcomes::default();
        for item in &done.settled {
            outcomes.add(item.outcome, 1);
        }
        ChunkDone {
            operation: &operation,
            outcomes,
            refusals: &done.refusals,
            duration: begun.elapsed(),
            completed,
            hold: done.hold.as_ref(),
        }
        .emit(&self.metrics);
        Ok(())
    }
}

/// Works until the process stops. A chunk that was begun is finished.
pub async fn work(mut worker: Worker, stop: CancellationToken) -> anyhow::Result<()> {
    let mut failing = false;
    while !stop.is_cancelled() {
        let next = worker.next(&stop).await;
        match &next {
            Ok(_) if failing => info!("operations resume"),
            // Logged once: readiness shows it all the time.
            Err(error) if !failing => warn!(%error, "operations wait for the database"),
            _ => {}
        }
        failing = next.is_err();
        if matches!(next, Ok(true)) {
            continue;
        }
        let pause = tokio::time::sleep(clock::jittered(POLL));
        tokio::select! {
            () = stop.cancelled() => {}
            () = pause => {}
            () = worker.operations.asked(), if !failing => {}
        }
    }
    worker.publishers.close().await;
    Ok(())
}

fn queue_over_limit(queue: &str, depth: u32, most: Option<i64>) -> String {
    format!(
        "queue {queue} has {} ready (limit {})",
        things(depth.into(), "message"),
        count(most.unwrap_or_default())
    )
}

fn acted_on(items: &[ChunkItem], wanted: Status) -> impl Iterator<Item = &ChunkItem> {
    items.iter().filter(move |item| item.status == Some(wanted))
}

/// Whether the item is still to be published: its outcome is unknown.
fn is_unknown(item: &ChunkItem, wanted: Status, known: &[Settled]) -> bool {
    item.status == Some(wanted) && known.iter().all(|one| one.position != item.position)
}

/// Skips an item whose dead letter was acted on, or removed, after the selection was frozen.
fn skipped(item: &ChunkItem, wanted: Status) -> Option<Settled> {
    let detail = match item.status {
        Some(status) if status == wanted => return None,
        Some(status) => format!("Not {}: {} since it was selected", wanted.as_str(), status.as_str()),
        None => "No longer stored".into(),
    };
    Some(Settled {
        position: item.position,
        dead_letter: item.dead_letter,
        outcome: Outcome::Skipped,
        detail: Some(detail),
        redelivery_id: None,
    })
}

/// Skips the items of a cancelled operation.
fn skip_cancelled<'i>(items: impl Iterator<Item = &'i ChunkItem>) -> ChunkResult {
    settle_all(items, Outcome::Skipped, Some("Not done: the operation was cancelled"))
}

fn settle_all<'i>(
    items: impl Iterator<Item = &'i ChunkItem>,
    outcome: Outcome,
    detail: Option<&str>,
) -> ChunkResult {
    let settled = items.map(|item| Settled {
        position: item.position,
        dead_letter: item.dead_letter,
        outcome,
        detail: detail.map(str::to_owned),
        redelivery_id: None,
    });
    ChunkResult { settled: settled.collect(), ..ChunkResult::default() }
}

/// When the next chunk of the operation may begin.
fn next_chunk_at(
    operation: &Operation,
    done: &ChunkResult,
    begun_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    match done.hold {
        // A cancelled operation ends without delay.
        _ if operation.state == State::Cancelling => begun_at,
        Some(_) => now + RETRY,
        None => (begun_at + spacing(operation, done.settled.len())).max(step_wait(operation, done, now)),
    }
}

/// If this chunk ends a step of the canary, the time until which the operation waits for returns.
fn step_wait(operation: &Operation, done: &ChunkResult, now: DateTime<Utc>) -> DateTime<Utc> {
    let mut outcomes = operation.outcomes;
    done.settled.iter().for_each(|item| outcomes.add(item.outcome, 1));
    match operation.canary.verdict(operation.canary_passed, &outcomes) {
        Some(_) => now + TimeDelta::seconds(operation.canary.wait_seconds),
        None => DateTime::UNIX_EPOCH,
    }
}

/// The time between the beginnings of this chunk and the next one, for the operation's rate.
fn spacing(operation: &Operation, items: usize) -> TimeDelta {
    let Some(rate) = operation.rate else { return TimeDelta::zero() };
    let microseconds = (items as u64).saturating_mul(1_000_000) / u64::from(rate.max(1));
    TimeDelta::microseconds(i64::try_from(microseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
