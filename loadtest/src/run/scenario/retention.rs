//! `retention`: five million expired dead letters are freed while messages come in.

use std::time::Duration;

use anyhow::{Result, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use super::steady::latencies;
use super::{ledger_line, letters, report};
use crate::pace::PaceArgs;
use crate::report::{Figure, Goal, Report};
use crate::run::RunArgs;
use crate::run::ledger;
use crate::run::recorder::Recorder;
use crate::run::traffic;
use crate::run::world::{Database, World};

const ROWS: u64 = 5_000_000;
const RATE: f64 = 1300.0;
const DURATION: Duration = Duration::from_mins(1);

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let rows = args.rows.first().copied().unwrap_or(ROWS);
    let database = world.database().await?;
    let (count, until) = (rows.to_string(), days_ago(100));
    eprintln!("storing {rows} dead letters that expire");
    world
        .run_binary(&[
            "seed",
            "--database-url",
            &database.url,
            "--count",
            &count,
            "--days",
            "5",
            "--until",
            &until,
        ])
        .await?;
    settle(&database).await?;
    let letters = letters(args);
    let duration = args.duration.unwrap_or(DURATION);
    let pace = PaceArgs { rate: Some(RATE), duration: Some(duration), ..PaceArgs::default() }.pace()?;
    let connection = world.connect("retention").await?;
    let queue = world.queue(&connection, "retention").await?;
    let service = world.service(&queue, &database, &[]).await?;
    let recorder = Recorder::start();
    let freeing = async {
        sleep(duration / 3).await;
        let began = Instant::now();
        world.run_binary(&["expire", "--database-url", &database.url, "--retention", "90d"]).await?;
        anyhow::Ok(began.elapsed())
    };
    let sending = traffic::send(world, &service, &queue, &letters, pace, &recorder);
    let (seen, freed) = tokio::try_join!(sending, freeing)?;
    service.stop().await?;
    let ledger = ledger::check(&database.url, &connection, &queue, pace.count).await?;
    let left = rows_of(&database).await?;
    ensure!(left == pace.count, "{left} rows are left, of {} new ones", pace.count);
    world.delete_queue(&connection, &queue).await?;
    world.drop_database(&database).await?;

    let summary = format!("{rows} expired dead letters are freed while {RATE:.0} messages a second come in.");
    let mut report = report(world, args, summary).await?;
    report.ledger = ledger_line(&ledger);
    let searchable = seen.figures.searchable.summary();
    report.headline = vec![
        Figure { label: "to free them".into(), value: format!("{:.2} s", freed.as_secs_f64()) },
        Figure {
            label: "publish → searchable meanwhile, longest".into(),
            value: format!("{:.0} ms", searchable.max_ms),
        },
    ];
    report.goals = vec![Goal {
        name: format!("freeing {rows} expired rows"),
        goal: "≤ 2 s".into(),
        measured: format!("{:.2} s", freed.as_secs_f64()),
        met: Some(freed <= Duration::from_secs(2)),
    }];
    report.tables.push(latencies(&[("publish → searchable", searchable)]));
    report.charts = recorder.charts();
    report.notes.push("The time to free them is that of the whole command, its start included.".into());
    Ok(report)
}

/// Days that expire have long been vacuumed: a vacuum that has only begun would hold their tables.
async fn settle(database: &Database) -> Result<()> {
    let mut connection = PgConnection::connect(&database.url).await?;
    sqlx::raw_sql("VACUUM (ANALYZE) dead_letter").execute(&mut connection).await?;
    Ok(())
}

async fn rows_of(database: &Database) -> Result<u64> {
    let mut connection = PgConnection::connect(&database.url).await?;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letter").fetch_one(&mut connection).await?;
    Ok(u64::try_from(rows)?)
}

fn days_ago(days: i64) -> String {
    (dead_letter::clock::now() - chrono::TimeDelta::days(days)).to_rfc3339()
}
