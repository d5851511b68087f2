//! The scenarios, a file each.

mod ceiling;
mod drain;
mod facets;
mod redeliver;
mod retention;
mod search;
mod sizes;
mod steady;

use anyhow::Result;
use chrono::{SecondsFormat, Utc};

use super::cpu::cores;
use super::ledger::Ledger;
use super::rounds::{Contender, Run};
use super::world::World;
use super::{RunArgs, Scenario};
use crate::letters::{Letters, Mode};
use crate::report::{Goal, LedgerLine, Report};

/// Runs that the machine disturbed are repeated so often at most.
const REPEATS: usize = 3;

/// Runs the scenario that is asked for.
pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    match args.scenario {
        Scenario::Peak | Scenario::Soak => steady::run(world, args, 1300.0).await,
        Scenario::PeakX2 => steady::run(world, args, 2600.0).await,
        Scenario::Ceiling => ceiling::run(world, args).await,
        Scenario::Drain => drain::run(world, args).await,
        Scenario::Redeliver => redeliver::run(world, args).await,
        Scenario::Search => search::run(world, args).await,
        Scenario::Facets => facets::run(world, args).await,
        Scenario::Sizes => sizes::run(world, args).await,
        Scenario::Retention => retention::run(world, args).await,
    }
}

/// Messages as dead letters, their ids drawn anew for each run.
fn letters(args: &RunArgs) -> Letters {
    Letters::new(&args.letters, Mode::Dead).with_fresh_ids()
}

/// Runs a contender once more, and again while the machine disturbs it.
async fn measured<F>(contender: &mut Contender, mut run: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<Run>>,
{
    let mut best: Option<Run> = None;
    for attempt in 0..=REPEATS {
        let this = run().await?;
        eprintln!(
            "{:<40} {:>8.0}/s  stolen {:>4.1} %{}",
            contender.name,
            this.rate(),
            this.stolen() * 100.0,
            if this.is_noisy() { "  (noisy)" } else { "" }
        );
        if best.is_none_or(|best| this.stolen() < best.stolen()) {
            best = Some(this);
        }
        if !this.is_noisy() {
            break;
        }
        contender.repeated += usize::from(attempt < REPEATS);
    }
    contender.runs.extend(best);
    Ok(())
}

/// A report with what every scenario's has in common.
async fn report(world: &World, args: &RunArgs, summary: String) -> Result<Report> {
    let name = args.scenario.name();
    let flags: Vec<String> = std::env::args().skip_while(|argument| *argument != name).skip(1).collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" ARGS='{}'", flags.join(" ")) };
    let version = world.rabbitmqctl(&["version"]).await.unwrap_or_default();
    Ok(Report {
        scenario: if world.replicas > 1 { format!("{name}, {} replicas", world.replicas) } else { name.clone() },
        summary,
        date: now(),
        command: format!("make loadtest SCENARIO={name}{flags}"),
        machine: vec![
            ("cores".into(), cores().to_string()),
            ("memory".into(), memory()),
            ("processor".into(), processor()),
            ("RabbitMQ".into(), version.trim().into()),
            ("nodes".into(), world.replicas.to_string()),
            ("PostgreSQL".into(), world.database_version().await?),
        ],
        ledger: LedgerLine { balances: false, text: "not taken".into() },
        headline: Vec::new(),
        goals: Vec::new(),
        tables: Vec::new(),
        charts: Vec::new(),
        notes: vec![
            "Broker, database, service and load test share the machine's processors: compare ratios within a run, not \
             absolutes between machines."
                .into(),
        ],
    })
}

/// The line of a ledger.
fn ledger_line(ledger: &Ledger) -> LedgerLine {
    LedgerLine { balances: ledger.balances(), text: ledger.text() }
}

/// The line where each round had a ledger of its own, and would have failed with it.
fn every_round(messages: u64) -> LedgerLine {
    LedgerLine {
        balances: true,
        text: format!("{messages} published = {messages} stored once each, checked after every round"),
    }
}

/// A ratio that ought to be at least so much.
fn ratio_goal(name: &str, at_least: f64, ours: &Contender, theirs: &Contender) -> Goal {
    let ratio = ours.ratio_to(theirs);
    Goal {
        name: name.into(),
        goal: format!("≥ {at_least:.2}"),
        measured: ratio.map_or_else(|| "not measured".into(), |ratio| ratio.text(2)),
        met: ratio.map(|ratio| ratio.median >= at_least),
    }
}

#[expect(clippy::disallowed_methods, reason = "the date of a report")]
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn memory() -> String {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map_or_else(|| "unknown".into(), |kilobytes| format!("{} GiB", (kilobytes + (1 << 19)) >> 20))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "unknown".into(), |(_, name)| name.to_owned())
}
