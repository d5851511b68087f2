//! `loadtest run`: whole scenarios on private servers, each with limits of the machine taken in the same run, a ledger, and
//! a report.

mod contender;
mod cpu;
mod ledger;
mod recorder;
mod rounds;
mod scenario;
mod service;
mod traffic;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use crate::letters::LetterArgs;
use crate::pace::parse_duration;
use crate::report::Report;
use world::World;

/// The flags of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What to do
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// Replicas of each queue: more than one starts a cluster of so many nodes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5))]
    pub replicas: u32,
    /// Rounds in which contenders take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Messages of a round [default: the scenario's]
    #[arg(long)]
    pub count: Option<u64>,
    /// How long traffic lasts, and each step of `ceiling` [default: the scenario's]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Stored messages to search among, by comma [default: 100000,1000000,5000000,20000000]
    #[arg(long, value_delimiter = ',')]
    pub rows: Vec<u64>,
    /// What the messages are like.
    #[command(flatten)]
    pub letters: LetterArgs,
    /// dead-letter's program [default: beside this one]
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Another build of dead-letter, to drain with by turns
    #[arg(long, value_name = "BINARY")]
    pub against: Option<PathBuf>,
    /// Where the reports go
    #[arg(long, default_value = "target/loadtest")]
    pub out: PathBuf,
}

/// What can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// 1,300 messages a second, a month's end in a bank
    Peak,
    /// 2,600 messages a second
    PeakX2,
    /// The highest rate with flat latency, against a consumer that stores nothing
    Ceiling,
    /// A backlog of 500,000, against the limits of broker and database, and Python
    Drain,
    /// 100,000 put back with confirms, against Shovel and bare publishing
    Redeliver,
    /// Searches among millions, while 1,300 messages a second come in
    Search,
    /// What sets each error group apart, and facets of each service, among a million
    Facets,
    /// 1,300 messages a second for as long as --duration says
    Soak,
    /// Bodies from 0.5 KB to 1 MB
    Sizes,
    /// Five million expired dead letters dropped while messages come in
    Retention,
}

impl Scenario {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The command: runs the scenario, and writes and prints what it found. An error is what makes the exit code 1.
pub async fn command(args: &RunArgs, stop: &CancellationToken) -> Result<()> {
    let name = match args.replicas {
        1 => args.scenario.name(),
        replicas => format!("{}-{replicas}-replicas", args.scenario.name()),
    };
    let folder = std::path::absolute(args.out.join(name))?;
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("dead-letter"),
    };
    let world = World::enter(args.replicas, binary, folder.clone()).await?;
    let running = Box::pin(scenario::run(&world, args));
    let report: Report =
        stop.run_until_cancelled(running).await.context("ended before the scenario was finished")??;
    report.write(&folder)?;
    print(&report);
    println!("\nwritten to {}", folder.join("report.html").display());
    ensure!(report.ledger.balances, "the ledger does not balance: {}", report.ledger.text);
    Ok(())
}

fn print(report: &Report) {
    println!("\n{}: {}\nledger: {}\n", report.scenario, report.summary, report.ledger.text);
    for figure in &report.headline {
        println!("  {:<52} {}", figure.label, figure.value);
    }
    for goal in &report.goals {
        let met = match goal.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "unknown",
        };
        println!("  {:<52} {:<24} {:<8} {met}", goal.name, goal.measured, goal.goal);
    }
}
