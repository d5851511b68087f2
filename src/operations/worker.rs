//! A worker: takes the next chunk of whatever operation has waited longest, acts, records, and goes on.
//!
//! A chunk is one transaction (rule R10). A worker that dies in the middle leaves it undone; whoever takes it next publishes
//! under the same redelivery ids.
//!
//! Of an operation that keeps an order one worker has two chunks at a time: one is published while the one before is recorded and the one
//! after is read, so that neither the broker nor the database waits for the other.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
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

/// How often a worker looks for operations that other replicas were asked for, or left behind.
const POLL: Duration = Duration::from_secs(1);
/// So many chunks of an operation are done without a look at what others wait for.
const IN_A_ROW: usize = 16;
/// How long an operation waits after the broker failed it.
const RETRY: TimeDelta = TimeDelta::seconds(1);

/// What a worker works with.
#[derive(Debug)]
pub struct Worker {
    /// Who it is, to the database.
    id: Uuid,
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
    /// The ways to the brokers.
    pub publishers: Publishers,
    /// How much its queues have to do.
    backpressure: Backpressure,
}

impl Worker {
    /// A worker with connections of its own to the brokers.
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

    /// Does the next chunks of an operation, if there are any to do now.
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
            // Where this fails, too, the chunk that this worker begins next says the same.
            let _ = self.store.forget_attempt(operation, self.id).await;
        }
        done.map(|()| true)
    }

    fn limits(&self) -> (i64, i64) {
        (self.config.chunk_items.into(), self.config.chunk_bytes.into())
    }

    /// Does this chunk and, where their operation keeps an order, some of those after it: while one is published, the one before is
    /// recorded, and the one after is read. Nothing of a chunk is published before all of the one before is confirmed.
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

    /// What is needed beside a chunk that is published.
    fn recorder(&self) -> Recorder {
        Recorder {
            store: self.store.clone(),
            operations: self.operations.clone(),
            limits: self.limits(),
            metrics: self.metrics.clone(),
        }
    }

    /// Drops what is kept of operations that another replica has ended.
    async fn forget_ended(&self) -> Result<(), StoreError> {
        let kept: Vec<_> = self.operations.outcome_cache.operations().into_iter().collect();
        if !kept.is_empty() {
            self.operations.outcome_cache.forget_all_of(&self.store.ended(&kept).await?);
        }
        Ok(())
    }

    /// Publishes the messages of these items again, but for those whose queue has enough to do. Takes the bytes out of the items.
    async fn publish_items(&mut self, operation: &Operation, mut items: Vec<&mut ChunkItem>) -> ChunkResult {
        let crowded =
            self.backpressure.of(&mut self.publishers, operation, items.iter().map(|item| &**item)).await;
        items.retain(|item| target_queue(operation, item).is_none_or(|queue| !crowded.contains_key(&queue)));
        let most = self.config.confirm_timeout / 2;
        let mut done =
            redeliver::redeliver(&mut self.publishers, &self.conventions, operation, items, most).await;
        if let (None, Some(((_, queue), depth))) = (&done.hold, crowded.iter().next()) {
            done.hold = Some(Hold::Waits(crowded_queue(queue, *depth, operation.max_queue_depth)));
        }
        done
    }

    /// Does what the operation asks for with each item.
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

/// A chunk, and what was done with it.
struct Acted {
    chunk: Box<Chunk>,
    done: ChunkResult,
    begun: Instant,
    begun_at: DateTime<Utc>,
}

/// Records chunks, and reads them.
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
        let next_chunk_at = match done.hold {
            // What is let go goes at once.
            _ if operation.state == State::Cancelling => begun_at,
            Some(_) => clock::now() + RETRY,
            None => (begun_at + spacing(&operation, done.settled.len())).max(step_wait(&operation, &done)),
        };
        let not_done = match operation.state {
            State::Cancelling => acted_on(&chunk.items, operation.acts_on()).count(),
            _ => 0,
        };
        let not_done = i64::try_from(not_done).unwrap_or(i64::MAX);
        let completed = chunk.record(&done.settled, not_done, done.hold.as_ref(), next_chunk_at).await?;
        self.operations.outcome_cache.forget(operation.id, &done.settled, completed);
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
            hold: done.hold.as_ref(),
        }
        .emit(&self.metrics);
        Ok(())
    }
}

/// Works until the process is to stop; a chunk that is begun is finished.
pub async fn work(mut worker: Worker, stop: CancellationToken) -> anyhow::Result<()> {
    let mut failing = false;
    while !stop.is_cancelled() {
        let next = worker.next(&stop).await;
        match &next {
            Ok(_) if failing => info!("operations resume"),
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
    worker.publishers.close().await;
    Ok(())
}

fn crowded_queue(queue: &str, depth: u32, most: Option<i64>) -> String {
    format!(
        "queue {queue} has {} ready (limit {})",
        things(depth.into(), "message"),
        count(most.unwrap_or_default())
    )
}

fn acted_on(items: &[ChunkItem], wanted: Status) -> impl Iterator<Item = &ChunkItem> {
    items.iter().filter(move |item| item.status == Some(wanted))
}

/// Whether it is to be published: what became of the others is known.
fn is_unknown(item: &ChunkItem, wanted: Status, known: &[Settled]) -> bool {
    item.status == Some(wanted) && known.iter().all(|one| one.position != item.position)
}

/// An item whose dead letter was acted on, or went away, between the freezing and the chunk.
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

/// What a cancelled operation has not done.
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

/// Until when the operation waits to see what comes back, where this chunk ends a step of its canary.
fn step_wait(operation: &Operation, done: &ChunkResult) -> DateTime<Utc> {
    let mut outcomes = operation.outcomes;
    done.settled.iter().for_each(|item| outcomes.add(item.outcome));
    match operation.canary.verdict(operation.canary_passed, &outcomes) {
        Some(_) => clock::now() + TimeDelta::seconds(operation.canary.wait_seconds),
        None => DateTime::UNIX_EPOCH,
    }
}

/// How long after this chunk's beginning the next one may begin, for the operation's rate.
fn spacing(operation: &Operation, items: usize) -> TimeDelta {
    let Some(rate) = operation.rate else { return TimeDelta::zero() };
    let microseconds = (items as u64).saturating_mul(1_000_000) / u64::from(rate.max(1));
    TimeDelta::microseconds(i64::try_from(microseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod model;
