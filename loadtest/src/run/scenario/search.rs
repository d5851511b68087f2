//! `search`: what people look for, among more and more stored messages, while others come in.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::{Instant, sleep};

use super::{ledger_line, letters, measured, ratio_goal, report};
use crate::figures::{Latencies, Summary};
use crate::letters::Letters;
use crate::pace::PaceArgs;
use crate::report::{Figure, Goal, LedgerLine, Report, Table};
use crate::run::RunArgs;
use crate::run::contender::drain;
use crate::run::ledger;
use crate::run::recorder::Recorder;
use crate::run::rounds::{Contender, table};
use crate::run::service::Service;
use crate::run::traffic;
use crate::run::world::{Database, World};

const ROWS: [u64; 4] = [100_000, 1_000_000, 5_000_000, 20_000_000];
const RATE: f64 = 1300.0;
const DURATION: Duration = Duration::from_secs(40);
/// Between two requests, all kinds taking turns.
const PAUSE: Duration = Duration::from_millis(20);
const SQUADS: usize = 6;
/// Messages that ingest is measured with.
const DRAINED: u64 = 100_000;
/// Most that a request may take, at 99 of 100.
const GOAL_MS: f64 = 20.0;

/// A question, and how long its answers took.
struct Question {
    name: &'static str,
    paths: Vec<String>,
    latencies: Latencies,
}

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let letters = letters(args);
    let levels: Vec<u64> = if args.rows.is_empty() { ROWS.into() } else { args.rows.clone() };
    let database = world.database().await?;
    let ownership = world.folder.join("ownership.yaml");
    let (mut stored, mut results, mut ledgers) = (0, Vec::new(), Vec::new());
    let mut full = Contender::new("into the full table");
    let mut empty = Contender::new("into an empty table");
    let mut charts = Vec::new();
    for (number, level) in levels.iter().enumerate() {
        fill(world, &database, level.saturating_sub(stored), number).await?;
        stored = *level;
        let (summaries, ledger, recorded) = ask(world, args, &database, &letters, &ownership).await?;
        for (name, summary) in &summaries {
            eprintln!("{level:>10} rows  {}", summary.row(name, 36));
        }
        results.push((*level, summaries));
        ledgers.push(ledger);
        charts = recorded;
    }
    let drained = args.count.unwrap_or(DRAINED);
    for _ in 0..args.rounds {
        measured(&mut full, || drain::into(world, &database, &letters, drained)).await?;
        measured(&mut empty, || drain::run(world, &letters, drained)).await?;
    }
    world.drop_database(&database).await?;

    let summary =
        format!("Questions among up to {stored} stored messages, while {RATE:.0} a second come in.");
    let mut report = report(world, args, summary).await?;
    report.ledger = LedgerLine {
        balances: ledgers.iter().all(|ledger| ledger.balances),
        text: ledgers.iter().map(|ledger| ledger.text.as_str()).collect::<Vec<_>>().join("; "),
    };
    report.goals = goals(&results);
    report.goals.push(ratio_goal(
        &format!("ingest into {stored} stored rows / into an empty table"),
        0.95,
        &full,
        &empty,
    ));
    report.headline = headline(&results);
    report.tables.push(questions_table(&results));
    report.tables.push(table("Ingest", &[&full, &empty]));
    report.charts = charts;
    Ok(report)
}

pub(super) async fn fill(world: &World, database: &Database, more: u64, seed: usize) -> Result<()> {
    if more == 0 {
        return Ok(());
    }
    eprintln!("storing {more} more");
    let (count, seed) = (more.to_string(), (seed + 1).to_string());
    world.run_binary(&["seed", "--database-url", &database.url, "--count", &count, "--seed", &seed]).await?;
    // What was filled in is on the disk before anybody asks: it came in minutes, and not over days.
    let mut connection = PgConnection::connect(&database.url).await?;
    connection.execute("CHECKPOINT").await?;
    Ok(())
}

type Summaries = Vec<(&'static str, Summary)>;

/// Asks all questions in turn while messages come in.
async fn ask(
    world: &World,
    args: &RunArgs,
    database: &Database,
    letters: &Letters,
    ownership: &Path,
) -> Result<(Summaries, LedgerLine, Vec<crate::report::Chart>)> {
    let pace = PaceArgs {
        rate: Some(RATE),
        duration: Some(args.duration.unwrap_or(DURATION)),
        ..PaceArgs::default()
    }
    .pace()?;
    let connection = world.connect("search").await?;
    let queue = world.queue(&connection, "search").await?;
    let path = PathBuf::from(ownership);
    let file = path.to_string_lossy();
    std::fs::write(&path, "services: []\n")?;
    let service = world.service(&queue, database, &[]).await?;
    share_out(&service, &path).await?;
    service.stop().await?;
    let service = world.service(&queue, database, &[("DEAD_LETTER_OWNERSHIP_FILE", &file)]).await?;
    let questions = questions(&service).await?;
    // Once each, so that the service has its connections and plans, as one that runs has.
    for path in questions.iter().filter_map(|question| question.paths.first()) {
        service.get(path).await?;
    }
    let recorder = Recorder::start();
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let seen = {
        let asking = ask_in_turn(&client, &service.api, &questions);
        tokio::select! {
            seen = traffic::send(world, &service, &queue, letters, pace, &recorder) => seen?,
            never = asking => never?,
        }
    };
    drop(seen);
    service.stop().await?;
    let ledger = ledger::check(&database.url, &connection, &queue, pace.count).await?;
    world.delete_queue(&connection, &queue).await?;
    let summaries =
        questions.into_iter().map(|question| (question.name, question.latencies.summary())).collect();
    Ok((summaries, ledger_line(&ledger), recorder.charts()))
}

/// Gives every service to one of a few squads.
async fn share_out(service: &Service, file: &Path) -> Result<()> {
    let overview = service.get("/dead-letters/service-overview").await?;
    let mut text = String::from("services:\n");
    for (number, entry) in overview.as_array().context("not a service overview")?.iter().enumerate() {
        let name = entry["service"].as_str().context("a service without a name")?;
        writeln!(text, "  - {{service: \"{name}\", squad: squad-{}}}", number % SQUADS)?;
    }
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The questions, with names and ids of messages that are there.
async fn questions(service: &Service) -> Result<Vec<Question>> {
    let overview = service.get("/dead-letters/service-overview").await?;
    let services: Vec<String> = overview
        .as_array()
        .context("not a service overview")?
        .iter()
        .filter_map(|entry| entry["service"].as_str().map(String::from))
        .collect();
    let mut messages = Vec::new();
    for order in ["newest", "oldest"] {
        let page = service.get(&format!("/dead-letters?limit=200&order={order}")).await?;
        messages.extend(page["messages"].as_array().context("not a page")?.clone());
    }
    let ids = |field: &str, parameter: &str| -> Vec<String> {
        let values = messages.iter().filter_map(|message| message[field].as_str());
        values.map(|value| format!("/dead-letters?{parameter}={value}")).collect()
    };
    let texts = ["timed%20out", "no%20template", "customer", "circuit%20open"];
    let question = |name, paths| Question { name, paths, latencies: Latencies::new() };
    Ok(vec![
        question(
            "page of a service",
            services.iter().map(|name| format!("/dead-letters?service={name}")).collect(),
        ),
        question(
            "page of a squad",
            (0..SQUADS).map(|squad| format!("/dead-letters?squad=squad-{squad}")).collect(),
        ),
        question("newest page", vec!["/dead-letters".into()]),
        question("by message id", ids("messageId", "messageId")),
        question("by correlation id", ids("correlationId", "correlationId")),
        question(
            "by error text in a service",
            services
                .iter()
                .zip(texts.iter().cycle())
                .map(|(name, text)| format!("/dead-letters?service={name}&error={text}"))
                .collect(),
        ),
        question("by error text with a number", numbered(&messages)),
        question("page of an error group", ids("errorGroup", "errorGroup")),
        question("a day of a service", days(&messages)),
        question("error groups", vec!["/dead-letters/error-groups".into()]),
        question(
            "error groups of a service",
            services.iter().map(|name| format!("/dead-letters/error-groups?service={name}")).collect(),
        ),
        question("histogram of a day", vec!["/dead-letters/histogram?by=service&status=any".into()]),
        question("squad overview", vec!["/dead-letters/squad-overview".into()]),
        question("service overview", vec!["/dead-letters/service-overview".into()]),
        question("one message", messages.iter().filter_map(one).collect()),
    ])
}

/// From the last word before a number of an error's text to the number's end.
fn numbered(messages: &[Value]) -> Vec<String> {
    let part = |message: &Value| {
        let text = message["errorMessage"].as_str()?;
        let digit = text.find(|character: char| character.is_ascii_digit())?;
        let end = text[digit..].find(|character: char| !character.is_ascii_digit());
        let from = text[..digit].trim_end().rfind(' ').map_or(0, |space| space + 1);
        Some(text[from..end.map_or(text.len(), |end| digit + end)].to_owned())
    };
    let parts = messages.iter().filter_map(part);
    parts.map(|part| format!("/dead-letters?error={}", part.replace(' ', "+").replace('#', "%23"))).collect()
}

/// The day of arrival of each.
fn days(messages: &[Value]) -> Vec<String> {
    let path = |message: &Value| {
        let (service, day) = (message["service"].as_str()?, message["receivedAt"].as_str()?.get(..10)?);
        Some(format!("/dead-letters?service={service}&from={day}T00:00:00Z&to={day}T23:59:59Z"))
    };
    messages.iter().filter_map(path).collect()
}

fn one(message: &Value) -> Option<String> {
    Some(format!("/dead-letters/{}", message["id"].as_str()?))
}

async fn ask_in_turn<T>(client: &Client, api: &str, questions: &[Question]) -> Result<T> {
    for turn in 0.. {
        for question in questions {
            let Some(path) = question.paths.get(turn % question.paths.len().max(1)) else { continue };
            let asked = Instant::now();
            let answer = client.get(format!("{api}{path}")).send().await;
            // One that fails counts with all the time that it took, and more than any goal.
            let answered = match answer {
                Ok(answer) if answer.status().is_success() => answer.bytes().await.is_ok(),
                _ => false,
            };
            let took = asked.elapsed();
            question.latencies.record(if answered { took } else { took.max(Duration::from_secs(10)) });
            sleep(PAUSE).await;
        }
    }
    unreachable!("there are endless turns")
}

fn goals(results: &[(u64, Summaries)]) -> Vec<Goal> {
    let Some((rows, largest)) = results.last() else { return Vec::new() };
    let smallest = results.first().map(|(_, summaries)| summaries.as_slice()).unwrap_or_default();
    let mut goals = Vec::new();
    for ((name, at_most), (_, at_least)) in largest.iter().zip(smallest) {
        goals.push(Goal {
            name: format!("{name}, p99 with {rows} rows"),
            goal: format!("≤ {GOAL_MS:.0} ms"),
            measured: format!("{:.1} ms", at_most.p99_ms),
            met: Some(at_most.p99_ms <= GOAL_MS),
        });
        let ratio = at_most.p50_ms / at_least.p50_ms.max(f64::MIN_POSITIVE);
        goals.push(Goal {
            name: format!("{name}, median with all rows / with the fewest"),
            goal: "≤ 1.5".into(),
            measured: format!("{ratio:.2}"),
            met: Some(ratio <= 1.5),
        });
    }
    goals
}

fn headline(results: &[(u64, Summaries)]) -> Vec<Figure> {
    let Some((rows, summaries)) = results.last() else { return Vec::new() };
    let slowest = summaries.iter().max_by(|one, other| one.1.p99_ms.total_cmp(&other.1.p99_ms));
    slowest
        .map(|(name, summary)| Figure {
            label: format!("slowest question, p99, {rows} rows: {name}"),
            value: format!("{:.1} ms", summary.p99_ms),
        })
        .into_iter()
        .collect()
}

fn questions_table(results: &[(u64, Summaries)]) -> Table {
    let mut columns = vec![String::new()];
    columns.extend(results.iter().map(|(rows, _)| format!("{rows} rows")));
    let names = results
        .first()
        .map(|(_, summaries)| summaries.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        .unwrap_or_default();
    let rows =
        names.iter().enumerate().map(|(at, name)| {
            let mut row = vec![(*name).to_owned()];
            row.extend(results.iter().map(|(_, summaries)| {
                format!("{:.1} / {:.1}", summaries[at].1.p50_ms, summaries[at].1.p99_ms)
            }));
            row
        });
    Table {
        title: "Answers in milliseconds, p50 / p99".into(),
        columns,
        rows: rows.collect(),
        note: format!(
            "Each question is asked in turn, one every {} ms, while messages come in.",
            PAUSE.as_millis()
        ),
    }
}
