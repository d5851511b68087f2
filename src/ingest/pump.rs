//! The pump: moves the messages of one channel from the source into batches, the batches into the store, and acks back.
//!
//! While the database is away it holds: the consumer is cancelled, what is in hand is kept and tried again, and nothing is
//! ever given back by nack (rule R6). Past half of the broker's consumer timeout it ends, which returns the messages to
//! the queue once.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Span, error, field, info_span};

use super::batch::Batch;
use super::crash_guard::CrashGuard;
use super::decode::{Decoder, decode};
use super::ledger::AckLedger;
use super::prefetch::Window;
use super::writer::{self, Written};
use super::{Ingest, SourceState};
use crate::amqp::{AmqpError, Arrival, LossRisk, MANY_DELIVERIES, QueueProbe, Source};
use crate::clock;
use crate::domain::convention::Decoding;
use crate::domain::headers::X_DELIVERY_COUNT;
use crate::domain::message::Value;
use crate::domain::place;
use crate::store::StoreError;
use crate::telemetry::{BatchStored, SourceMetrics, link_to_message};

/// How often the depth of the queue is looked at.
const DEPTH_INTERVAL: Duration = Duration::from_secs(2);
/// A consumer that gets nothing for longer, of a queue that has messages, is given up.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// Why a pump ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was asked to, and everything in hand is stored and acknowledged.
    Stopped,
    /// The channel or the connection is gone.
    Broker(String),
    /// The database was away for too long.
    HeldTooLong(String),
}

/// Batches that wait for the database.
#[derive(Debug)]
struct Hold {
    batches: VecDeque<Batch>,
    since: Instant,
    retry_at: Instant,
    backoff: Duration,
    why: String,
}

pub(super) struct Pump<'i> {
    ingest: &'i Ingest,
    crash_guard: CrashGuard,
    /// What each dead letter bears.
    source: place::Source,
    ledger: AckLedger,
    window: Window,
    batch: Batch,
    /// Of the batch that is gathered, linked to the traces that its messages came from.
    span: Option<Span>,
    writing: JoinSet<Written>,
    hold: Option<Hold>,
    acked: u64,
    /// The last tag that was taken, and the last before this consumer began.
    taken: u64,
    before: u64,
}

impl<'i> Pump<'i> {
    pub fn new(ingest: &'i Ingest, decoding: Decoding) -> Self {
        let place = ingest.broker.place();
        Self {
            ingest,
            crash_guard: CrashGuard::new(decoding),
            source: place::Source::new(&ingest.source.queue, place.clone(), ingest.store.is_home(place)),
            ledger: AckLedger::default(),
            window: Window::new(ingest.config.prefetch, ingest.config.memory_bytes),
            batch: Batch::default(),
            span: None,
            writing: JoinSet::new(),
            hold: None,
            acked: 0,
            taken: 0,
            before: 0,
        }
    }

    /// With how much care whoever comes next has to read what was delivered before.
    pub fn decoding(&self) -> Decoding {
        self.crash_guard.decoding()
    }

    pub fn has_acked(&self) -> bool {
        self.acked > 0
    }

    /// Runs until the channel fails, the database is away for too long, or everything is finished after a stop.
    pub async fn run(&mut self, source: &mut Source, stop: &CancellationToken) -> End {
        let watching = watch(source.probe(), self.ingest.metrics.clone());
        let pumped = tokio::select! {
            pumped = self.pump(source, stop) => pumped,
            silent = watching => Err(silent),
        };
        pumped.unwrap_or_else(|error| End::Broker(error.to_string()))
    }

    async fn pump(&mut self, source: &mut Source, stop: &CancellationToken) -> Result<End, AmqpError> {
        self.consume(source).await?;
        let (mut stopping, mut noted) = (false, false);
        loop {
            if stopping && !source.is_consuming() && self.is_idle() {
                if noted {
                    return Ok(End::Stopped);
                }
                // The last thing to do, and then to store, so that the queue knows of what was acknowledged.
                noted = true;
                if let Some(arrival) = source.get().await? {
                    self.take(arrival, source, stopping).await?;
                }
                continue;
            }
            if let Some(hold) = self.held_too_long() {
                return Ok(End::HeldTooLong(hold));
            }
            let full = self.batch.is_full(&self.ingest.config);
            let lingered = self.batch.due(&self.ingest.config);
            let due = lingered.filter(|_| self.may_store());
            let retry = self.hold.as_ref().map(|hold| hold.retry_at).filter(|_| self.writing.is_empty());
            tokio::select! {
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    source.cancel().await?;
                }
                Some(written) = self.writing.join_next() => self.settle(written, source).await?,
                () = at(due), if due.is_some() => {
                    self.take_ready(source, stopping).await?;
                    // What had arrived may have filled it: then it is stored already, and the next one waits.
                    if self.may_store() {
                        self.store_batch();
                    }
                }
                () = at(retry), if retry.is_some() => self.retry(),
                // While a batch lingers, what arrives need not wake anybody.
                arrival = next_after(lingered, source), if source.is_consuming() && !full => {
                    self.take_next(arrival, source, stopping).await?;
                    self.take_ready(source, stopping).await?;
                }
            }
            if self.hold.is_none() && !stopping && !source.is_consuming() {
                self.consume(source).await?;
            }
        }
    }

    async fn consume(&mut self, source: &mut Source) -> Result<(), AmqpError> {
        self.before = self.taken;
        source.consume(self.window.current()).await?;
        self.ingest.status.set(SourceState::Consuming);
        Ok(())
    }

    /// A batch that is not full waits for the one before it, and gathers meanwhile: so batches grow with the load, and none
    /// waits when there is little. Only full ones are written beside each other.
    fn may_store(&self) -> bool {
        let full = self.batch.is_full(&self.ingest.config);
        let most = if full { self.ingest.config.batches_in_flight as usize } else { 1 };
        self.hold.is_none() && self.writing.len() < most
    }

    fn is_idle(&self) -> bool {
        self.batch.rows.is_empty() && self.writing.is_empty() && self.hold.is_none()
    }

    /// Takes all that have arrived already, as far as they fit.
    async fn take_ready(&mut self, source: &mut Source, stopping: bool) -> Result<(), AmqpError> {
        while source.is_consuming() && !self.batch.is_full(&self.ingest.config) {
            // To decode a whole batch would keep others of this thread waiting, such as health.
            consume_budget().await;
            let Some(next) = source.next().now_or_never() else { break };
            self.take_next(next, source, stopping).await?;
        }
        Ok(())
    }

    /// Takes what the consumer gave: a message, or its end.
    async fn take_next(
        &mut self,
        next: Option<Result<Arrival, AmqpError>>,
        source: &mut Source,
        stopping: bool,
    ) -> Result<(), AmqpError> {
        match next {
            Some(arrival) => self.take(arrival?, source, stopping).await,
            None if stopping => Ok(()),
            None => self.consumer_ended(source).await,
        }
    }

    /// Decodes a message into the batch; stores the batch when it is full.
    async fn take(&mut self, arrival: Arrival, source: &mut Source, stopping: bool) -> Result<(), AmqpError> {
        let ingest = self.ingest;
        let decoding = self.crash_guard.of(&arrival.received, ingest).await;
        let span = self.span.get_or_insert_with(|| {
            info_span!(
                "process batch",
                messaging.system = "rabbitmq",
                messaging.operation.r#type = "process",
                messaging.destination.name = ingest.source.queue,
                messaging.batch.message_count = field::Empty,
            )
        });
        let properties = &arrival.received.message.properties;
        link_to_message(span, properties);
        let deliveries = properties.header(X_DELIVERY_COUNT).and_then(Value::as_i64);
        if deliveries.is_some_and(|deliveries| deliveries >= MANY_DELIVERIES) {
            ingest.status.warn(LossRisk::many_deliveries());
        }
        let decoder = Decoder {
            source: &self.source,
            service_rule: &ingest.service_rule,
            conventions: &ingest.conventions,
            decoding,
        };
        let row = decode(decoder, clock::new_id(), arrival.received);
        let size = row.size();
        ingest.metrics.in_flight.inc();
        ingest.metrics.in_flight_bytes.add(i64::try_from(size).unwrap_or(i64::MAX));
        self.taken = arrival.tag;
        self.batch.push(arrival.tag, row);
        if self.batch.is_full(&ingest.config) {
            let may_store = self.may_store();
            match &mut self.hold {
                Some(hold) => hold.batches.push_back(std::mem::take(&mut self.batch)),
                None if may_store => self.store_batch(),
                // It is stored as soon as another one is done; until then nothing more is taken.
                None => {}
            }
        }
        let in_hand = self.taken - self.acked.max(self.before);
        if self.window.observe(size, in_hand).is_some() && self.hold.is_none() && !stopping {
            // The broker takes a new prefetch for new consumers only: this one ends, and the next begins with it.
            source.cancel().await?;
        }
        Ok(())
    }

    /// The consumer ended: as we asked, to begin again with another window or to hold, or because the broker cancelled it.
    async fn consumer_ended(&mut self, source: &mut Source) -> Result<(), AmqpError> {
        if self.hold.is_some() {
            return Ok(());
        }
        // If the queue is gone this fails, and the supervisor takes over.
        source.probe().depth().await.map(drop)
    }

    fn store_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let span = self.span.take().unwrap_or_else(Span::none);
        span.record("messaging.batch.message_count", batch.rows.len());
        self.spawn_writer(batch, span);
    }

    fn spawn_writer(&mut self, batch: Batch, span: Span) {
        use tracing::Instrument;
        let writing = writer::write(self.ingest.store.clone(), self.ingest.metrics.clone(), batch);
        self.writing.spawn(writing.instrument(span));
    }

    /// Acknowledges what a committed batch completes, or holds a batch that could not be stored.
    async fn settle(
        &mut self,
        written: Result<Written, tokio::task::JoinError>,
        source: &mut Source,
    ) -> Result<(), AmqpError> {
        let written = match written {
            Ok(written) => written,
            // The batch is gone with its task, but nothing of it is acknowledged: the broker has it still.
            Err(crash) => return Err(AmqpError::Unavailable(format!("a writer crashed: {crash}"))),
        };
        match written.result {
            Ok(stored) => {
                if let Some(tag) = self.ledger.commit(written.batch.tags.0, written.batch.tags.1) {
                    source.ack_up_to(tag).await?;
                    self.acked = tag;
                }
                self.note_stored(&written, stored);
                self.release();
                Ok(())
            }
            Err(error) => self.hold(written.batch, &error, source).await,
        }
    }

    fn note_stored(&self, written: &Written, stored: crate::store::Stored) {
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
        let now = Instant::now();
        let hold = self.hold.get_or_insert_with(|| Hold {
            batches: VecDeque::new(),
            since: now,
            retry_at: now,
            backoff: FIRST_RETRY,
            why: why.clone(),
        });
        hold.batches.push_front(batch);
        hold.retry_at = now + hold.backoff;
        hold.backoff = (hold.backoff * 2).min(LONGEST_RETRY);
        self.ingest.status.set(SourceState::WaitingForDatabase(why));
        source.cancel().await
    }

    /// Tries the first of the held batches again.
    fn retry(&mut self) {
        if let Some(batch) = self.hold.as_mut().and_then(|hold| hold.batches.pop_front()) {
            self.spawn_writer(batch, Span::none());
        }
    }

    /// After a batch was stored: the next held one follows at once, and with the last one the hold ends.
    fn release(&mut self) {
        if let Some(hold) = &mut self.hold {
            hold.retry_at = Instant::now();
            hold.backoff = FIRST_RETRY;
            if hold.batches.is_empty() && self.writing.is_empty() {
                self.hold = None;
            }
        }
    }

    /// Past half of the broker's consumer timeout the messages had better be in the queue.
    fn held_too_long(&self) -> Option<String> {
        let hold = self.hold.as_ref()?;
        (hold.since.elapsed() > self.ingest.config.consumer_timeout / 2).then(|| hold.why.clone())
    }
}

impl Drop for Pump<'_> {
    /// Writers go on to their end: what they store is known when the broker delivers it again.
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

/// Beside the pump: notes the depth of the queue. A broker that is slow to answer this delivers and takes acks all the same.
/// Ends when messages wait while none comes, although none is in hand: then the broker has lost the consumer, and told nobody.
async fn watch(queue: QueueProbe, metrics: SourceMetrics) -> AmqpError {
    let (mut came, mut waits_since) = (0, Instant::now());
    loop {
        if let Ok(messages) = queue.depth().await {
            metrics.depth.set(messages.into());
            let came_before = std::mem::replace(&mut came, metrics.ingested.get() + metrics.duplicates.get());
            let idle = metrics.consuming.get() == 1 && metrics.in_flight.get() == 0 && came == came_before;
            if messages == 0 || !idle {
                waits_since = Instant::now();
            } else if waits_since.elapsed() >= LONGEST_SILENCE {
                return AmqpError::Unavailable(format!("{messages} messages wait, and none comes"));
            }
        }
        sleep(DEPTH_INTERVAL).await;
    }
}
