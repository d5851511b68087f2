//! `loadtest produce`: publishes, and says whether the broker took over every message.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use futures_util::future::try_join_all;
use lapin::Connection;
use tokio_util::sync::CancellationToken;

use crate::amqp::{self, DEAD_LETTER, DEFAULT_URI};
use crate::figures::{Summary, per_second};
use crate::letters::{LetterArgs, Letters, Mode};
use crate::logs;
use crate::pace::{Pace, PaceArgs};
use crate::publish::{self, Counts, Plan, Samples, Share, Tally};

/// The flags of `produce`, most of which `measure` has too.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct ProduceArgs {
    /// The broker
    #[arg(long, env = "AMQP_URL", default_value = DEFAULT_URI, hide_env_values = true)]
    pub uri: String,
    /// How fast and how many.
    #[command(flatten)]
    pub pace: PaceArgs,
    /// What the messages are like.
    #[command(flatten)]
    pub letters: LetterArgs,
    /// Publish messages as the broker dead-letters them (the default)
    #[arg(long, overrides_with = "live")]
    pub dead: bool,
    /// Publish ordinary messages instead, for a consumer that makes real dead letters of them
    #[arg(long, overrides_with = "dead")]
    pub live: bool,
    /// The exchange to publish to; empty for the default exchange
    #[arg(long, default_value = DEAD_LETTER)]
    pub exchange: String,
    /// One routing key for all messages, as the default exchange needs (a queue's name)
    #[arg(long)]
    pub routing_key: Option<String>,
    /// Wait for the broker's confirms (the default)
    #[arg(long, overrides_with = "no_confirm")]
    pub confirm: bool,
    /// Publish without confirms: nobody knows then what became of a message
    #[arg(long, overrides_with = "confirm")]
    pub no_confirm: bool,
    /// Messages that may be unconfirmed at one time, on each connection
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub window: u32,
    /// Connections that publish, taking turns with the messages
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub workers: u32,
}

/// What a run of publishing came to.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the messages.
    pub counts: Counts,
    /// From the first message to the last.
    pub took: Duration,
    /// From publishing to confirm.
    pub confirm_latency: Summary,
    /// Whether confirms were asked for.
    pub confirms: bool,
    /// What was meant to happen.
    pub pace: Pace,
    /// Why it ended early, if it did.
    pub failure: Option<String>,
}

impl ProduceArgs {
    /// The messages that these flags ask for.
    pub fn letters(&self) -> Letters {
        let mode = if self.live { Mode::Live } else { Mode::Dead };
        Letters::new(&self.letters, mode)
    }

    fn plan(&self, worker: u32, samples: Option<Samples>) -> Result<Plan> {
        Ok(Plan {
            share: Share { first: worker.into(), of: self.workers.into() },
            exchange: self.exchange.clone(),
            routing_key: self.routing_key.clone(),
            pace: self.pace.pace()?,
            window: (!self.no_confirm).then_some(self.window as usize),
            samples,
        })
    }
}

/// The command: publish and print. An error is what makes the exit code 1.
pub async fn command(args: &ProduceArgs, stop: &CancellationToken) -> Result<()> {
    let letters = args.letters();
    let outcome = run(args, &letters, None, stop).await?;
    outcome.print(letters.seed());
    outcome.verdict()
}

/// Publishes with a progress line each second. A connection that dies is an outcome, since the counts matter then too.
pub async fn run(
    args: &ProduceArgs,
    letters: &Letters,
    samples: Option<Samples>,
    stop: &CancellationToken,
) -> Result<Outcome> {
    let connections = try_join_all((0..args.workers).map(|_| connect(args))).await?;
    let tally = Tally::default();
    let started = tokio::time::Instant::now();
    let publishing = (0..).zip(&connections).map(|(worker, connection)| {
        let samples = samples.clone();
        let tally = &tally;
        async move {
            let channel = connection.create_channel().await?;
            publish::run(&channel, letters, &args.plan(worker, samples)?, tally, stop).await
        }
    });
    let (took, failure) = match publish::with_progress(&tally, try_join_all(publishing)).await {
        Ok(took) => (took.into_iter().max().unwrap_or_default(), None),
        Err(error) => (started.elapsed(), Some(logs::brief(&error))),
    };
    for connection in &connections {
        amqp::close(connection).await;
    }
    Ok(Outcome {
        counts: tally.counts(),
        took,
        confirm_latency: tally.confirm_latency.summary(),
        confirms: !args.no_confirm,
        pace: args.pace.pace()?,
        failure,
    })
}

async fn connect(args: &ProduceArgs) -> Result<Connection> {
    let connection = amqp::connect(&args.uri, "loadtest produce").await?;
    require_exchange(&connection, &args.exchange).await?;
    // It ends with the connection's events.
    tokio::spawn(amqp::report_blocking(connection.events_listener()));
    Ok(connection)
}

async fn require_exchange(connection: &Connection, exchange: &str) -> Result<()> {
    ensure!(
        amqp::exchange_exists(connection, exchange).await?,
        "there is no exchange `{exchange}`: dead-letter declares its own when it starts, others are yours to declare"
    );
    Ok(())
}

impl Outcome {
    /// Messages a second, over the time that publishing took.
    pub fn rate(&self) -> f64 {
        // n messages have n - 1 gaps between them.
        per_second(self.counts.published.saturating_sub(1), self.took)
    }

    fn print(&self, seed: u64) {
        let Counts { published, confirmed, nacked, returned } = self.counts;
        println!("published  {published} in {:.2} s (seed {seed})", self.took.as_secs_f64());
        match self.pace.rate() {
            Some(meant) => println!("rate       {:.1}/s of {meant:.1}/s meant", self.rate()),
            None => println!("rate       {:.1}/s, as fast as it went", self.rate()),
        }
        if self.confirms {
            println!(
                "confirmed  {confirmed} (nacked {nacked}, returned {returned}, unknown {})",
                self.counts.unsettled()
            );
            println!("confirms   {}", self.confirm_latency);
        } else {
            println!("returned   {returned} (nothing is known of the others: no confirms)");
        }
    }

    /// An error unless the broker has every message that was published.
    pub fn verdict(&self) -> Result<()> {
        let Counts { published, confirmed, nacked, returned } = self.counts;
        if let Some(failure) = &self.failure {
            anyhow::bail!(
                "publishing ended early, after {published} messages of which {confirmed} are confirmed: {failure}"
            );
        }
        ensure!(
            returned == 0,
            "{returned} of {published} messages came back: the exchange has no queue for them"
        );
        ensure!(
            !self.confirms || confirmed == published,
            "{published} messages published, but {confirmed} confirmed ({nacked} refused, {} without an answer)",
            self.counts.unsettled()
        );
        Ok(())
    }
}
