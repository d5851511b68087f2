//! `drain`: how fast a backlog goes into the database, held against what broker and database can do alone, and Python.

use anyhow::Result;

use super::{every_round, letters, measured, ratio_goal, report};
use crate::figures::real;
use crate::report::{Figure, Goal, Report};
use crate::run::RunArgs;
use crate::run::contender::python::Python;
use crate::run::contender::{consume, copy, drain, publish};
use crate::run::cpu::cores;
use crate::run::rounds::{Contender, Spread, table};
use crate::run::world::World;

const COUNT: u64 = 500_000;
/// The limits and peers are measured with fewer: rates do not depend on it.
const LIMIT_COUNT: u64 = 200_000;
const PYTHON_COUNT: u64 = 10_000;
const PYTHON_BATCH: u32 = 100;

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let letters = letters(args);
    let count = args.count.unwrap_or(COUNT);
    let limit = count.min(LIMIT_COUNT);
    let python = match Python::install(&args.out).await {
        Ok(python) => Some(python),
        Err(error) => {
            eprintln!("the Python peers are skipped: {error:#}");
            None
        }
    };
    let mut ours = Contender::new("dead-letter, end to end");
    let mut other = Contender::new("the other build, end to end");
    let mut bare = Contender::new("consume and ack, no database");
    let mut rows = Contender::new("COPY of the same rows, no broker");
    let mut published = Contender::new("confirmed publishing");
    let mut one = Contender::new("Python, one by one");
    let mut hundred = Contender::new("Python, batches of 100");
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        // Who comes second may pay for the first, or gain by it: they take turns in that too.
        let other_first = round % 2 == 0;
        for theirs in [other_first, !other_first] {
            if !theirs {
                measured(&mut ours, || drain::run(world, &letters, count)).await?;
            } else if let Some(binary) = &args.against {
                measured(&mut other, || drain::by(world, binary, &letters, count)).await?;
            }
        }
        measured(&mut bare, || consume::run(world, &letters, limit)).await?;
        measured(&mut rows, || copy::run(world, &letters, limit.min(100_000))).await?;
        measured(&mut published, || publish::run(world, &letters, limit.min(100_000))).await?;
        if let Some(python) = &python {
            measured(&mut one, || python.run(world, &letters, PYTHON_COUNT.min(count), 1)).await?;
            measured(&mut hundred, || python.run(world, &letters, PYTHON_COUNT.min(count), PYTHON_BATCH))
                .await?;
        }
    }
    let mut report = report(
        world,
        args,
        format!("A backlog of {count} messages of {} bytes is stored.", args.letters.size),
    )
    .await?;
    report.ledger = every_round(count);
    let rate = ours.rate();
    report.headline = vec![
        Figure {
            label: "drained".into(),
            value: rate.map_or_else(String::new, |rate| format!("{:.0}/s", rate.median)),
        },
        Figure {
            label: "of consuming alone".into(),
            value: ours.ratio_to(&bare).map_or_else(String::new, |ratio| format!("{:.2}", ratio.median)),
        },
    ];
    report.goals = vec![
        ratio_goal("drain / consume-and-ack without a database", 0.80, &ours, &bare),
        of_cpu_bound(&ours),
        ratio_goal("drain / Python one by one", 20.0, &ours, &one),
        ratio_goal("drain / Python in batches of 100", 5.0, &ours, &hundred),
    ];
    let mut contenders = vec![&ours, &bare, &rows, &published, &one, &hundred];
    if args.against.is_some() {
        report.goals.push(ratio_goal("drain / drain of the other build", 0.97, &ours, &other));
        contenders.push(&other);
    }
    report.tables.push(table("Rates and what they cost", &contenders));
    Ok(report)
}

/// How near the three processes come to keeping all processors busy with nothing but their work.
fn of_cpu_bound(ours: &Contender) -> Goal {
    let share = Spread::of(ours.runs.iter().map(|run| {
        // The load test only watches while the service drains.
        let used = run.cpu.broker + run.cpu.database + run.cpu.service;
        run.rate() * used / (real(run.messages) * real(cores() as u64))
    }));
    Goal {
        name: "drain / CPU bound".into(),
        goal: "≥ 0.95".into(),
        measured: share.map_or_else(|| "not measured".into(), |share| share.text(2)),
        met: share.map(|share| share.median >= 0.95),
    }
}
