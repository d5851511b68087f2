//! Publishing at a given pace, pipelined, with every confirm accounted for.
//!
//! The pace is open: a message is due when it is due, whatever became of the ones before. Whoever falls behind catches
//! up, so that a slow moment shows as latency and not as a lower rate. Only the window of unconfirmed messages stops it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Confirmation, ExchangeKind, PublisherConfirm};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::figures::{Latencies, per_second};
use crate::letters::{Letter, Letters};
use crate::pace::Pace;
use crate::progress::every_second;

/// How long to wait for confirms once the last message is out.
const DRAIN: Duration = Duration::from_mins(1);

/// What to publish, where and how.
#[derive(Debug)]
pub struct Plan {
    /// The exchange; empty for the default one.
    pub exchange: String,
    /// In place of each message's own key.
    pub routing_key: Option<String>,
    /// How fast and how many.
    pub pace: Pace,
    /// Which of these messages are this publisher's.
    pub share: Share,
    /// Messages that may be unconfirmed at one time; none for publishing without confirms.
    pub window: Option<usize>,
    /// Hands over every so many messages, if somebody wants to look for them.
    pub samples: Option<Samples>,
}

/// Every so many messages, from one on: what one of several publishers does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The index of its first message.
    pub first: u64,
    /// How many publishers there are.
    pub of: u64,
}

impl Share {
    /// All of them.
    pub const ALL: Self = Self { first: 0, of: 1 };
}

/// Who wants to know of published messages, and of how many.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Of each so many, one.
    pub stride: u64,
    /// Where they go.
    pub to: UnboundedSender<Sample>,
}

/// A message that has been published just now.
#[derive(Debug)]
pub struct Sample {
    /// Its message id.
    pub message_id: String,
    /// When it was handed to the connection.
    pub at: Instant,
}

/// What became of the messages, readable while they are published.
#[derive(Debug, Default)]
pub struct Tally {
    published: AtomicU64,
    confirmed: AtomicU64,
    nacked: AtomicU64,
    returned: AtomicU64,
    /// From publishing to confirm.
    pub confirm_latency: Latencies,
}

/// The counts of a [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed to the connection.
    pub published: u64,
    /// Taken over by the broker, and routed to a queue.
    pub confirmed: u64,
    /// Refused by the broker.
    pub nacked: u64,
    /// Routed nowhere.
    pub returned: u64,
}

impl Tally {
    /// The counts now.
    pub fn counts(&self) -> Counts {
        Counts {
            published: self.published.load(Ordering::Relaxed),
            confirmed: self.confirmed.load(Ordering::Relaxed),
            nacked: self.nacked.load(Ordering::Relaxed),
            returned: self.returned.load(Ordering::Relaxed),
        }
    }

    fn settle(&self, confirmation: &Confirmation, latency: Duration) {
        let counter = match confirmation {
            // The broker acks what it could not route, after returning it.
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => &self.returned,
            Confirmation::Ack(None) => &self.confirmed,
            Confirmation::Nack(None) => &self.nacked,
            Confirmation::NotRequested => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.confirm_latency.record(latency);
    }
}

impl Counts {
    /// Published, and no word from the broker.
    pub fn unsettled(&self) -> u64 {
        self.published - self.confirmed - self.nacked - self.returned
    }
}

/// Publishes until all are out and confirmed, or until `stop`, and then waits for the confirms that are outstanding.
/// Returns the time from the first message to the last.
pub async fn run(
    channel: &Channel,
    letters: &Letters,
    plan: &Plan,
    tally: &Tally,
    stop: &CancellationToken,
) -> Result<Duration> {
    if plan.window.is_some() {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
    }
    let publisher =
        Publisher { channel, letters, plan, tally, exchange: crate::amqp::short(&plan.exchange)? };
    let took = publisher.pump(stop).await?;
    if plan.window.is_none() {
        publisher.collect_returned().await?;
    }
    Ok(took)
}

struct Publisher<'a> {
    channel: &'a Channel,
    letters: &'a Letters,
    plan: &'a Plan,
    tally: &'a Tally,
    exchange: ShortString,
}

impl Publisher<'_> {
    async fn pump(&self, stop: &CancellationToken) -> Result<Duration> {
        let window = self.plan.window.unwrap_or(usize::MAX);
        let mut outstanding = FuturesUnordered::new();
        let (start, mut last, mut next) = (Instant::now(), Instant::now(), self.plan.share.first);
        let mut publishing = next < self.plan.pace.count;
        while publishing || !outstanding.is_empty() {
            let due = start + self.plan.pace.due(next);
            tokio::select! {
                biased;
                () = stop.cancelled(), if publishing => publishing = false,
                Some(settled) = outstanding.next(), if !outstanding.is_empty() => self.settle(settled)?,
                () = sleep_until(due), if publishing && outstanding.len() < window => {
                    last = Instant::now();
                    let confirm = self.publish(next).await?;
                    if self.plan.window.is_some() {
                        outstanding.push(timed(confirm, last));
                    }
                    next += self.plan.share.of;
                    publishing = next < self.plan.pace.count;
                }
                // What is still outstanding then has no known fate, and the caller sees the difference.
                () = sleep_until(last + DRAIN), if !publishing => break,
            }
        }
        Ok(last - start)
    }

    async fn publish(&self, index: u64) -> Result<PublisherConfirm> {
        let Letter { message_id, routing_key, properties, body } =
            self.letters.letter(index, clock::unix_seconds());
        let key = self.plan.routing_key.as_ref().map_or(routing_key.as_str(), String::as_str);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let at = Instant::now();
        let confirm = self
            .channel
            .basic_publish(self.exchange.clone(), crate::amqp::short(key)?, options, &body, properties)
            .await
            .context("the broker took no more messages")?;
        self.tally.published.fetch_add(1, Ordering::Relaxed);
        if let (Some(samples), Some(message_id)) = (&self.plan.samples, message_id)
            && index.is_multiple_of(samples.stride)
        {
            // A receiver that is gone has seen enough.
            let _ = samples.to.send(Sample { message_id, at });
        }
        Ok(confirm)
    }

    fn settle(&self, (confirmation, latency): (lapin::Result<Confirmation>, Duration)) -> Result<()> {
        let confirmation = confirmation.context("the channel died before the broker confirmed")?;
        self.tally.settle(&confirmation, latency);
        Ok(())
    }

    /// Without confirms, an answer to any question on the same channel says that all returns before it have come.
    async fn collect_returned(&self) -> Result<()> {
        let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let question = ShortString::from("amq.topic");
        self.channel.exchange_declare(question, ExchangeKind::Topic, options, FieldTable::default()).await?;
        let returned = self.channel.wait_for_confirms().await?;
        self.tally.returned.fetch_add(returned.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

async fn timed(confirm: PublisherConfirm, since: Instant) -> (lapin::Result<Confirmation>, Duration) {
    (confirm.await, since.elapsed())
}

/// Prints a line a second on stderr, for as long as `work` takes.
pub async fn with_progress<T>(tally: &Tally, work: impl Future<Output = T>) -> T {
    let mut before = 0;
    every_second(work, |elapsed| {
        let Counts { published, confirmed, nacked, returned } = tally.counts();
        let rate = per_second(published - before, elapsed);
        eprintln!(
            "{rate:>8.0}/s  published {published}  confirmed {confirmed}  nacked {nacked}  returned {returned}"
        );
        before = published;
    })
    .await
}
