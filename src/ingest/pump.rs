//! The pump: moves the messages of one channel from the source into batches, batches into the store, and acks back to the broker.
//!
//! While the database is away the pump holds: the consumer is cancelled, in-flight messages are kept, and their batches are
//! retried. Nothing is nacked (rule R6). After half of the broker's consumer timeout the pump ends, which returns the messages to
//! the queue once.
//!
//! # Phases
//!
//! | phase | consumer | full batches | after | leads to |
//! |---|---|---|---|---|
//! | `Consuming` | yes; replaced whenever it ends | written | a batch could not be stored: consumer cancelled | `Held` |
//! | | | | stop: consumer cancelled | `Draining` |
//! | `Held` | none after those already sent | held; the first is retried | stop | `DrainingHeld` |
//! | | | | no batch is held or being written | `Consuming` |
//! | `Draining` | none after those already sent | written | a batch could not be stored | `DrainingHeld` |
//! | | | | everything is stored and acknowledged: one more message is fetched | `Finishing` |
//! | `DrainingHeld` | none after those already sent | held; the first is retried | no batch is held or being written | `Draining` |
//! | `Finishing` | none | written | a batch could not be stored | `FinishingHeld` |
//! | | | | everything is stored and acknowledged | [`End::Stopped`] |
//! | `FinishingHeld` | none | held; the first is retried | no batch is held or being written | `Finishing` |
//! | any `…Held` | | | half of the consumer timeout has passed | [`End::HeldTooLong`] |
//! | any | | | the channel or the connection fails | [`End::Broker`] |
//!
//! A consumer ends because the pump cancelled it (to stop, to hold, or to begin again with another prefetch), or because the
//! broker did. In `Consuming` the next one begins, after a look at the queue that fails if it is gone. Only in `Consuming` does
//! another prefetch replace the consumer.

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, error, field, info_span};

use super::batch::Batch;
use super::depth_monitor::monitor_depth;
use super::intake::Intake;
use super::ledger::AckLedger;
use super::phase::{Hold, Phase};
use super::prefetch::PrefetchWindow;
use super::writer::{self, Written};
use super::{Ingest, SourceState};
use crate::amqp::{AmqpError, Arrival, Source};
use crate::domain::convention::Decoding;
use crate::store::{StoreError, Stored};
use crate::telemetry::BatchStored;

/// Why a pump ended.
#[derive(Debug)]
pub(super) enum End {
    /// The process stops, and every in-flight message is stored and acknowledged.
    Stopped,
    /// The channel or the connection is gone.
    Broker(String),
    /// The database was away for too long.
    HeldTooLong(String),
}

pub(super) struct Pump<'i> {
    ingest: &'i Ingest,
    intake: Intake<'i>,
    phase: Phase,
    ledger: AckLedger,
    window: PrefetchWindow,
    batch: Batch,
    /// The span of `batch`, linked to the traces of its messages.
    span: Option<Span>,
    writing: JoinSet<Written>,
}

impl<'i> Pump<'i> {
    pub fn new(ingest: &'i Ingest, decoding: Decoding) -> Self {
        Self {
            ingest,
            intake: Intake::new(ingest, decoding),
            phase: Phase::Consuming,
            ledger: AckLedger::default(),
            window: PrefetchWindow::new(ingest.config.prefetch, ingest.config.memory_bytes),
            batch: Batch::default(),
            span: None,
            writing: JoinSet::new(),
        }
    }

    /// How the next consumer has to decode redelivered messages.
    pub fn decoding(&self) -> Decoding {
        self.intake.decoding()
    }

    pub fn has_acked(&self) -> bool {
        self.ledger.has_acked()
    }

    /// Runs until the channel fails, the database is away for too long, or everything is finished after a stop.
    pub async fn run(&mut self, source: &mut Source, stop: &CancellationToken) -> End {
        let monitoring = monitor_depth(source.probe(), self.ingest.metrics.clone());
        let pumped = tokio::select! {
            pumped = self.pump(source, stop) => pumped,
            silent = monitoring => Err(silent),
        };
        pumped.unwrap_or_else(|error| End::Broker(error.to_string()))
    }

    async fn pump(&mut self, source: &mut Source, stop: &CancellationToken) -> Result<End, AmqpError> {
        self.consume(source).await?;
        loop {
            if self.phase.is_stopping() && !source.is_consuming() && self.is_idle() {
                if matches!(self.phase, Phase::Finishing) {
                    return Ok(End::Stopped);
                }
                // The queue answers only after it has processed the acknowledgements.
                self.phase.finish();
                if let Some(arrival) = source.get().await? {
                    self.take(arrival, source).await?;
                }
                continue;
            }
            // Past half of the broker's consumer timeout the messages are better off in the queue.
            if let Some(why) = self.phase.held_for(self.ingest.config.consumer_timeout / 2) {
                return Ok(End::HeldTooLong(why));
            }
            let full = self.batch.is_full(&self.ingest.config);
            let lingered = self.batch.due(&self.ingest.config);
            let due = lingered.filter(|_| self.may_store());
            let retry = self.phase.retry_at().filter(|_| self.writing.is_empty());
            tokio::select! {
                () = stop.cancelled(), if !self.phase.is_stopping() => {
                    self.phase.stop();
                    source.cancel().await?;
                }
                Some(written) = self.writing.join_next() => self.settle(written, source).await?,
                () = at(due), if due.is_some() => {
                    self.take_ready(source).await?;
                    // The messages that had arrived may have filled it. Then it is stored already, and the next one waits.
                    if self.may_store() {
                        self.store_batch();
                    }
                }
                () = at(retry), if retry.is_some() => self.retry(),
                // While a batch lingers, arrivals need not wake the pump.
                arrival = next_after(lingered, source), if source.is_consuming() && !full => {
                    self.take_next(arrival, source).await?;
                    self.take_ready(source).await?;
                }
            }
            if self.phase.is_consuming() && !source.is_consuming() {
                self.consume(source).await?;
            }
        }
    }

    async fn consume(&mut self, source: &mut Source) -> Result<(), AmqpError> {
        self.ledger.begin_consumer();
        source.consume(self.window.current()).await?;
        self.ingest.status.set(SourceState::Consuming);
        Ok(())
    }

    /// A batch that is not full waits until the previous one is written, and grows meanwhile: batches grow with the load, and
    /// none waits when there is little. Only full batches are written concurrently.
    fn may_store(&self) -> bool {
        let full = self.batch.is_full(&self.ingest.config);
        let most = if full { self.ingest.config.batches_in_flight as usize } else { 1 };
        !self.phase.is_held() && self.writing.len() < most
    }

    fn is_idle(&self) -> bool {
        self.batch.rows.is_empty() && self.writing.is_empty() && !self.phase.is_held()
    }

    /// Takes the messages that have arrived already, until the batch is full.
    async fn take_ready(&mut self, source: &mut Source) -> Result<(), AmqpError> {
        while source.is_consuming() && !self.batch.is_full(&self.ingest.config) {
            // Decoding a whole batch would block other tasks of this thread, such as health.
            consume_budget().await;
            let Some(next) = source.next().now_or_never() else { break };
            self.take_next(next, source).await?;
        }
        Ok(())
    }

    /// Takes a message, or the end of the consumer.
    async fn take_next(
        &mut self,
        next: Option<Result<Arrival, AmqpError>>,
        source: &mut Source,
    ) -> Result<(), AmqpError> {
        match next {
            Some(arrival) => self.take(arrival?, source).await,
            // If the queue is gone this fails, and the supervisor takes over.
            None if self.phase.is_consuming() => source.probe().depth().await.map(drop),
            None => Ok(()),
        }
    }

    /// Decodes a message into the batch. Stores or holds the batch when it is full.
    async fn take(&mut self, arrival: Arrival, source: &mut Source) -> Result<(), AmqpError> {
        self.ledger.arrive(arrival.tag).map_err(|due| {
            AmqpError::Unavailable(format!("delivery {} came where {due} was due", arrival.tag))
        })?;
        let decoding = self.intake.decoding_of(&arrival.received).await;
        let span = self.span.get_or_insert_with(|| batch_span(self.ingest));
        let row = self.intake.row(arrival.received, decoding, span);
        let (size, metrics) = (row.size(), &self.ingest.metrics);
        metrics.in_flight.inc();
        metrics.in_flight_bytes.add(i64::try_from(size).unwrap_or(i64::MAX));
        self.batch.push(arrival.tag, row);
        if self.batch.is_full(&self.ingest.config) {
            if let Some(hold) = self.phase.held_mut() {
                hold.add(std::mem::take(&mut self.batch));
            } else if self.may_store() {
                self.store_batch();
            }
            // Otherwise it is stored as soon as another one is written. Nothing more is taken until then.
        }
        let resized = self.window.observe(size, self.ledger.in_hand()).is_some();
        if resized && self.phase.is_consuming() {
            // The broker applies a new prefetch to new consumers only.
            source.cancel().await?;
        }
        Ok(())
    }

    fn store_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let span = self.span.take().unwrap_or_else(Span::none);
        span.record("messaging.batch.message_count", batch.rows.len());
        self.spawn_writer(batch, span);
    }

    fn spawn_writer(&mut self, batch: Batch, span: Span) {
        let writing = writer::write(self.ingest.store.clone(), self.ingest.metrics.clone(), batch);
        self.writing.spawn(writing.instrument(span));
    }

    /// Acknowledges the prefix that a committed batch completes, or holds a batch that could not be stored.
    async fn settle(
        &mut self,
        written: Result<Written, tokio::task::JoinError>,
        source: &mut Source,
    ) -> Result<(), AmqpError> {
        let written = match written {
            Ok(written) => written,
            // The batch is lost with its task. Nothing of it is acknowledged: the broker still has it.
            Err(crash) => return Err(AmqpError::Unavailable(format!("a writer crashed: {crash}"))),
        };
        match written.result {
            Ok(stored) => {
                if let Some(tag) = self.ledger.commit(written.batch.tags.0, written.batch.tags.1) {
                    source.ack_up_to(tag).await?;
                    self.ledger.acked(tag);
                }
                self.note_stored(&written, stored);
                self.phase.stored(self.writing.len());
                Ok(())
            }
            Err(error) => self.hold(written.batch, &error, source).await,
        }
    }

    fn note_stored(&self, written: &Written, stored: Stored) {
        let metrics = &self.ingest.metrics;
        let rows = &written.batch.rows;
        let returned = rows.iter().filter(|row| row.derived.redelivery_id.is_some()).count();
        metrics.in_flight.sub(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        metrics.in_flight_bytes.sub(i64::try_from(written.batch.bytes).unwrap_or(i64::MAX));
        if let Some(since) = written.batch.since {
            metrics.ack_lag.observe(since.elapsed().as_secs_f64());
        }
        BatchStored {
            source: self.ingest.status.name(),
            stored: stored.stored,
            duplicates: stored.duplicates,
            returned: returned as u64,
            commit: written.duration,
        }
        .emit(metrics);
    }

    async fn hold(&mut self, batch: Batch, error: &StoreError, source: &mut Source) -> Result<(), AmqpError> {
        let why = error.to_string();
        if !error.is_transient() {
            error!(
                source = self.ingest.status.name(),
                error = why,
                "a batch cannot be stored and stays in memory"
            );
        }
        self.phase.hold(batch, why.clone());
        self.ingest.status.set(SourceState::WaitingForDatabase(why));
        source.cancel().await
    }

    /// Tries the first held batch again.
    fn retry(&mut self) {
        if let Some(batch) = self.phase.held_mut().and_then(Hold::next) {
            self.spawn_writer(batch, Span::none());
        }
    }
}

impl Drop for Pump<'_> {
    /// Writers finish: a batch that they store is recognised when the broker redelivers it.
    fn drop(&mut self) {
        self.writing.detach_all();
    }
}

async fn next_after(time: Option<Instant>, source: &mut Source) -> Option<Result<Arrival, AmqpError>> {
    if let Some(time) = time {
        sleep_until(time).await;
    }
    source.next().await
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn batch_span(ingest: &Ingest) -> Span {
    info_span!(
        "process batch",
        messaging.system = "rabbitmq",
        messaging.operation.r#type = "process",
        messaging.destination.name = ingest.source.queue,
        messaging.batch.message_count = field::Empty,
    )
}
