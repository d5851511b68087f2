//! `redeliver`: stored messages are put back with confirms, held against Shovel and bare publishing.

use anyhow::Result;

use super::{every_round, letters, measured, ratio_goal, report};
use crate::report::{Figure, Report};
use crate::run::RunArgs;
use crate::run::contender::{publish, redeliver, shovel};
use crate::run::rounds::{Contender, table};
use crate::run::world::World;

const COUNT: u64 = 100_000;

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let letters = letters(args);
    let count = args.count.unwrap_or(COUNT);
    let mut ours = Contender::new("dead-letter, from the request to the last outcome");
    let mut bare = Contender::new("confirmed publishing from memory");
    let mut shovelled = Contender::new("Shovel, on-confirm, from queue to queue");
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        measured(&mut ours, || redeliver::run(world, &letters, count)).await?;
        measured(&mut bare, || publish::run(world, &letters, count)).await?;
        measured(&mut shovelled, || shovel::run(world, &letters, count)).await?;
    }
    let mut report =
        report(world, args, format!("{count} stored messages are put back into a queue, each confirmed."))
            .await?;
    report.ledger = every_round(count);
    report.ledger.text =
        format!("{count} stored = {count} sent, confirmed and in the queue, checked after every round");
    report.headline = vec![Figure {
        label: "put back".into(),
        value: ours.rate().map_or_else(String::new, |rate| format!("{:.0}/s", rate.median)),
    }];
    report.goals = vec![
        ratio_goal("redelivery / Shovel", 1.1, &ours, &shovelled),
        ratio_goal("redelivery / bare confirmed publishing", 0.80, &ours, &bare),
    ];
    report.tables.push(table("Rates and what they cost", &[&ours, &bare, &shovelled]));
    report.notes.push(
        "dead-letter's time includes freezing the selection, reading properties and bodies from the database, and \
         recording each outcome; bare publishing has its messages in memory."
            .into(),
    );
    Ok(report)
}
