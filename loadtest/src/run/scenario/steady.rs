//! `peak`, `peak-x2` and `soak`: messages at a steady rate, and how soon each can be found.

use std::time::Duration;

use anyhow::Result;

use super::{ledger_line, letters, report};
use crate::figures::Summary;
use crate::pace::PaceArgs;
use crate::report::{Figure, Goal, Report, Table};
use crate::run::recorder::Recorder;
use crate::run::world::World;
use crate::run::{RunArgs, Scenario, ledger, traffic};

const DURATION: Duration = Duration::from_mins(1);
/// Before anything is looked at: what the service costs by itself, and time for caches and plans to warm.
const UNWATCHED: Duration = Duration::from_secs(20);
const SOAK: Duration = Duration::from_mins(15);

pub async fn run(world: &World, args: &RunArgs, rate: f64) -> Result<Report> {
    let duration = args.duration.unwrap_or(if args.scenario == Scenario::Soak { SOAK } else { DURATION });
    let lasting =
        |duration| PaceArgs { rate: Some(rate), duration: Some(duration), ..PaceArgs::default() }.pace();
    let (before, pace) = (lasting(UNWATCHED.min(duration))?, lasting(duration)?);
    let letters = letters(args);
    let database = world.database().await?;
    let connection = world.connect("steady").await?;
    let queue = world.queue(&connection, "steady").await?;
    let service = world.service(&queue, &database, &[]).await?;
    let alone = traffic::unwatched(world, &service, &queue, &letters, before).await?;
    let recorder = Recorder::start();
    // Others than before.
    let letters = self::letters(args);
    let seen = traffic::send(world, &service, &queue, &letters, pace, &recorder).await?;
    service.stop().await?;
    let ledger = ledger::check(&database.url, &connection, &queue, before.count + pace.count).await?;
    world.delete_queue(&connection, &queue).await?;
    world.drop_database(&database).await?;

    let summary = format!(
        "{rate:.0} messages a second of {} bytes for {} s into an empty database.",
        args.letters.size,
        duration.as_secs()
    );
    let mut report = report(world, args, summary).await?;
    let cores = alone.cpu.service / alone.took.as_secs_f64();
    let searchable = seen.figures.searchable.summary();
    report.ledger = ledger_line(&ledger);
    report.headline = vec![
        Figure { label: "publish → searchable, p50".into(), value: format!("{:.1} ms", searchable.p50_ms) },
        Figure { label: "publish → searchable, p99".into(), value: format!("{:.1} ms", searchable.p99_ms) },
        Figure { label: "processor of dead-letter".into(), value: format!("{cores:.2} cores") },
        Figure { label: "its memory, at most".into(), value: format!("{:.0} MB", seen.memory) },
    ];
    let at_most = |name: &str, most: f64, unit: &str, measured: f64| Goal {
        name: name.into(),
        goal: format!("≤ {most} {unit}"),
        measured: format!("{measured:.2} {unit}"),
        met: Some(measured <= most),
    };
    if (rate - 1300.0).abs() < 1.0 {
        report.goals = vec![
            at_most("publish → searchable, p50", 8.0, "ms", searchable.p50_ms),
            at_most("publish → searchable, p99", 20.0, "ms", searchable.p99_ms),
            at_most("processor of dead-letter", 0.15, "cores", cores),
            at_most("resident memory of dead-letter", 100.0, "MB", seen.memory),
        ];
    }
    report.tables.push(latencies(&[
        ("publish → searchable", searchable),
        ("publish → confirmed, the broker alone", seen.confirmed),
        ("GET /dead-letters?messageId=", seen.figures.look.summary()),
        ("GET /dead-letters?limit=50", seen.figures.newest.summary()),
        ("GET /dead-letters/squad-overview", seen.figures.squad_overview.summary()),
    ]));
    report.charts = recorder.charts();
    report
        .notes
        .push(format!("The machine stole {:.1} % of the processors' time.", seen.run.stolen() * 100.0));
    report.notes.push(
        "`searchable` is read by polling through the API, and so is too long by up to 1 ms and one request. The \
         processor of dead-letter is that of the time before, in which nobody polls."
            .into(),
    );
    Ok(report)
}

/// A row for each.
pub(super) fn latencies(rows: &[(&str, Summary)]) -> Table {
    Table {
        title: "Latencies in milliseconds".into(),
        columns: ["", "n", "p50", "p95", "p99", "max"].map(String::from).into(),
        rows: rows
            .iter()
            .map(|(name, summary)| {
                let mut row = vec![(*name).to_owned(), summary.count.to_string()];
                let figures = [summary.p50_ms, summary.p95_ms, summary.p99_ms, summary.max_ms];
                row.extend(figures.map(|figure| format!("{figure:.2}")));
                row
            })
            .collect(),
        note: String::new(),
    }
}
