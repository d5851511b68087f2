//! `loadtest measure`: publishes at a given rate, measures how long each message takes until it can be found, and
//! compares what was published with what is stored in the end.

mod api;
mod ledger;
mod probes;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::amqp::DEAD_LETTER;
use crate::produce::{self, ProduceArgs};
use crate::publish::Samples;

pub(crate) use api::Api;
use ledger::Ledger;
pub(crate) use probes::{Figures, Probes};
use report::Report;

/// The flags of `measure`: those of `produce`, and where to look.
#[derive(Args, Clone, Debug)]
pub struct MeasureArgs {
    /// What to publish.
    #[command(flatten)]
    pub produce: ProduceArgs,
    /// The HTTP API of dead-letter
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub api: String,
    /// A bearer token for it
    #[arg(long, env = "LOADTEST_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The queue that dead-letter consumes, whose depth is watched
    #[arg(long, default_value = DEAD_LETTER)]
    pub queue: String,
    /// Messages a second that are looked for
    #[arg(long, default_value_t = 20.0)]
    pub samples: f64,
    /// Write the figures to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// How long the store may take to show all that was published, once publishing has ended.
const SETTLE: Duration = Duration::from_secs(30);

/// The command: publish, watch, print. An error is what makes the exit code 1.
pub async fn command(args: &MeasureArgs, stop: &CancellationToken) -> Result<()> {
    ensure!(
        !args.produce.letters.no_message_id,
        "measure looks messages up by their id: leave --no-message-id away"
    );
    ensure!(!args.produce.live, "measure publishes dead letters: leave --live away");
    ensure!(args.samples > 0.0, "--samples must be above 0");
    let api = Api::new(&args.api, args.token.as_deref())?;
    let before = api.stored().await.context("cannot read the counts to start from")?;

    let letters = args.produce.letters().with_fresh_ids();
    let (to, samples) = mpsc::unbounded_channel();
    let stride = args.produce.pace.pace()?.stride(args.samples);
    let probes = Probes::start(&api, &args.produce.uri, &args.queue, samples).await?;
    let outcome = produce::run(&args.produce, &letters, Some(Samples { stride, to }), stop).await?;

    eprintln!("published; waiting until all of it is stored");
    let ledger = Ledger::settle(&api, &before, outcome.counts.confirmed, SETTLE).await?;
    let figures = probes.finish().await;
    let report = Report::new(&outcome, &ledger, &figures, letters.seed());
    print!("{report}");
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    outcome.verdict()?;
    ledger.verdict()
}
