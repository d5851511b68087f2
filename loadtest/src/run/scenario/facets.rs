//! `facets`: what sets error groups apart, and what services' dead letters are made of, among a million of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use tokio::time::Instant;

use super::search::fill;
use super::{ledger_line, report};
use crate::figures::{Latencies, Summary};
use crate::report::{Figure, Goal, Report, Table};
use crate::run::RunArgs;
use crate::run::ledger;
use crate::run::service::Service;
use crate::run::world::World;

const ROWS: u64 = 1_000_000;
const DURATION: Duration = Duration::from_mins(1);
/// Longest answer.
const GOAL: Duration = Duration::from_secs(2);
/// Error groups and services that are asked about, the largest first.
const ASKED: usize = 20;

/// A question, and how long its answers took.
struct Question {
    name: &'static str,
    paths: Vec<String>,
    latencies: Latencies,
}

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let rows = args.rows.first().copied().unwrap_or(ROWS);
    let database = world.database().await?;
    fill(world, &database, rows, 0).await?;
    let connection = world.connect("facets").await?;
    let queue = world.queue(&connection, "facets").await?;
    let service = world.service(&queue, &database, &[]).await?;
    let questions = questions(&service).await?;
    let first = ask(&service, &questions, args.duration.unwrap_or(DURATION)).await?;
    service.stop().await?;
    let ledger = ledger::check(&database.url, &connection, &queue, 0).await?;
    world.delete_queue(&connection, &queue).await?;
    world.drop_database(&database).await?;

    let summary = format!("Questions that look at samples of {rows} stored messages, one after the other.");
    let mut report = report(world, args, summary).await?;
    report.ledger = ledger_line(&ledger);
    let answers: Vec<(&str, Summary)> =
        questions.iter().map(|question| (question.name, question.latencies.summary())).collect();
    report.goals = answers.iter().map(|(name, answers)| goal(name, rows, answers)).collect();
    report.headline = vec![Figure {
        label: "the first answer, with nothing in memory".into(),
        value: format!("{:.0} ms", first.as_secs_f64() * 1000.0),
    }];
    report.tables.push(table(&answers));
    Ok(report)
}

async fn questions(service: &Service) -> Result<Vec<Question>> {
    let groups = service.get("/dead-letters/error-groups?limit=200").await?;
    let overview = service.get("/dead-letters/service-overview").await?;
    let services = overview.as_array().context("not a service overview")?.iter();
    let names: Vec<&str> = services.filter_map(|entry| entry["service"].as_str()).take(ASKED).collect();
    let ids = groups["groups"].as_array().context("not a list of groups")?.iter();
    let ids: Vec<&str> = ids.filter_map(|group| group["id"].as_str()).take(ASKED).collect();
    ensure!(!names.is_empty() && !ids.is_empty(), "there is nothing to ask about");
    let question = |name, paths| Question { name, paths, latencies: Latencies::new() };
    let of_services = |more: &str| {
        names.iter().map(|name| format!("/dead-letters/facets?service={name}{more}")).collect::<Vec<_>>()
    };
    Ok(vec![
        question(
            "what sets an error group apart",
            ids.iter().map(|id| format!("/dead-letters/error-groups/{id}/distinctions")).collect(),
        ),
        question("facets of a service", of_services("")),
        question("facets of a service, with headers and bodies", of_services("&by=header&by=appId&by=body")),
        question("facets of a type of a service", of_services("&type=PaymentCaptured")),
        question("facets of everything", vec!["/dead-letters/facets".into()]),
    ])
}

/// Asks in turn for so long, each question once at least. Returns how long the very first answer took.
async fn ask(service: &Service, questions: &[Question], duration: Duration) -> Result<Duration> {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let (begun, mut first) = (Instant::now(), None);
    for turn in 0.. {
        for question in questions {
            let Some(path) = question.paths.get(turn % question.paths.len()) else { continue };
            let asked = Instant::now();
            let answer = client.get(format!("{}{path}", service.api)).send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            ensure!(status.is_success(), "{path} was answered with {status}: {text}");
            let took = asked.elapsed();
            first.get_or_insert(took);
            question.latencies.record(took);
        }
        if begun.elapsed() >= duration {
            break;
        }
    }
    Ok(first.unwrap_or_default())
}

fn goal(name: &str, rows: u64, answers: &Summary) -> Goal {
    let longest = Duration::from_secs_f64(answers.max_ms / 1000.0);
    Goal {
        name: format!("{name}, longest with {rows} rows"),
        goal: format!("≤ {} s", GOAL.as_secs()),
        measured: format!("{:.0} ms", answers.max_ms),
        met: Some(longest <= GOAL),
    }
}

fn table(answers: &[(&str, Summary)]) -> Table {
    let row = |(name, answers): &(&str, Summary)| {
        let times = [answers.p50_ms, answers.p99_ms, answers.max_ms].map(|time| format!("{time:.0}"));
        [vec![(*name).to_owned(), answers.count.to_string()], times.to_vec()].concat()
    };
    Table {
        title: "Answers in milliseconds".into(),
        columns: ["", "answers", "p50", "p99", "longest"].map(str::to_owned).to_vec(),
        rows: answers.iter().map(row).collect(),
        note: "One question at a time, and no messages come in.".into(),
    }
}
