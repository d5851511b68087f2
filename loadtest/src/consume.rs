//! `loadtest consume`: the consumer under test, which handles or rejects what it gets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::amqp::{self, DEFAULT_URI};
use crate::figures::per_second;
use crate::pace::parse_duration;
use crate::progress::every_second;

/// The flags of `consume`.
#[derive(Args, Clone, Debug)]
pub struct ConsumeArgs {
    /// The broker
    #[arg(long, env = "AMQP_URL", default_value = DEFAULT_URI, hide_env_values = true)]
    pub uri: String,
    /// The queue to consume
    #[arg(long)]
    pub queue: String,
    /// What becomes of each message
    #[arg(long, value_enum, default_value_t = Action::Error)]
    pub action: Action,
    /// Messages handled at one time, which is the prefetch too
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// How long handling one takes
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse_duration)]
    pub handling_time: Duration,
    /// Declare the queue first: a quorum queue that dead-letters at least once to the exchange dead-letter
    #[arg(long)]
    pub declare: bool,
}

/// What the consumer does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Reject it, so that it is dead-lettered
    Error,
    /// Acknowledge it
    Noop,
}

/// Consumes until `stop`, then settles what is in hand.
pub async fn command(args: &ConsumeArgs, stop: &CancellationToken) -> Result<()> {
    let connection = amqp::connect(&args.uri, "loadtest consume").await?;
    let channel = connection.create_channel().await?;
    let mut consumer = subscribe(&channel, args).await?;
    let handled = AtomicU64::new(0);
    let started = Instant::now();
    let ended = with_progress(&handled, pump(args, &channel, &mut consumer, &handled, stop)).await;
    amqp::close(&connection).await;

    let (count, took) = (handled.load(Ordering::Relaxed), started.elapsed());
    let verb = if args.action == Action::Error { "rejected" } else { "acknowledged" };
    println!("{verb} {count} messages in {:.2} s ({:.1}/s)", took.as_secs_f64(), per_second(count, took));
    ended
}

async fn subscribe(channel: &Channel, args: &ConsumeArgs) -> Result<Consumer> {
    let queue = amqp::short(&args.queue)?;
    if args.declare {
        let arguments = amqp::source_queue_arguments();
        channel.queue_declare(queue.clone(), QueueDeclareOptions::durable(), arguments).await?;
    }
    channel.basic_qos(args.concurrency, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    channel
        .basic_consume(queue, "loadtest".into(), options, FieldTable::default())
        .await
        .with_context(|| format!("cannot consume the queue `{}` (--declare makes it)", args.queue))
}

/// Hands deliveries to as many tasks as the prefetch lets through; the broker does the counting.
async fn pump(
    args: &ConsumeArgs,
    channel: &Channel,
    consumer: &mut Consumer,
    handled: &AtomicU64,
    stop: &CancellationToken,
) -> Result<()> {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(done) = tasks.join_next() => count(done, handled)?,
            delivery = consumer.next() => match delivery {
                Some(delivery) => {
                    tasks.spawn(handle(delivery?, args.action, args.handling_time));
                }
                None => bail!("the broker cancelled the consumer: was the queue deleted?"),
            },
        }
    }
    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
    while let Some(done) = tasks.join_next().await {
        count(done, handled)?;
    }
    Ok(())
}

fn count(done: Result<lapin::Result<bool>, tokio::task::JoinError>, handled: &AtomicU64) -> Result<()> {
    // False says that the channel was gone and the message will come again: not handled.
    if done?? {
        handled.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn handle(delivery: Delivery, action: Action, time: Duration) -> lapin::Result<bool> {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
    match action {
        Action::Error => delivery.reject(BasicRejectOptions { requeue: false }).await,
        Action::Noop => delivery.ack(BasicAckOptions::default()).await,
    }
}

/// Prints the rate of each second on stderr, for as long as `work` takes.
async fn with_progress<T>(handled: &AtomicU64, work: impl Future<Output = T>) -> T {
    let mut before = 0;
    every_second(work, |elapsed| {
        let now = handled.load(Ordering::Relaxed);
        eprintln!("{:>8.0}/s  handled {now}", per_second(now - before, elapsed));
        before = now;
    })
    .await
}
