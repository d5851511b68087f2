//! The metrics reference agrees with the registry.

use std::fmt::Write;
use std::time::Duration;

use dead_letter::config::MetricNames;
use dead_letter::domain::incident::Kind;
use dead_letter::domain::operation::State;
use dead_letter::domain::place::Place;
use dead_letter::domain::undelivered::{Reason, Undelivered};
use dead_letter::telemetry::{
    BatchStored, CatalogState, Metrics, PoolUse, Scraped, SourceLabels, SquadBacklog, TellingState, render,
};
use regex::Regex;

use crate::repository::{Page, root};

/// Between these the table stands in `docs/metrics.md`.
const MARKS: [&str; 2] = ["<!-- metrics: `make docs` writes this table -->\n", "<!-- end of metrics -->\n"];

/// A scrape in which every metric has a value.
fn scrape() -> String {
    let metrics = Metrics::new(SourceLabels::QueueAndPlace, MetricNames::OwnAndOpenTelemetry);
    let source = metrics.source("queue", &Place::new("broker", "vhost"));
    source.warnings.with("kind").set(1);
    metrics.published(1, &["reason"]);
    metrics.chunk_duration.with_label_values(&["kind"]).observe(1.0);
    metrics.http_duration.with_label_values(&["method", "route", "status"]).observe(1.0);
    metrics.notifications.with_label_values(&["channel", "outcome"]).inc();
    metrics.http_limited.with_label_values(&["type"]).inc();
    metrics.management_answers("broker", true);
    let now = chrono::DateTime::UNIX_EPOCH;
    let undelivered = Undelivered {
        place: Place::new("broker", "vhost"),
        queue: "queue".into(),
        sources: Vec::new(),
        messages: Some(1),
        since: now,
        reason: Reason::Stuck,
    };
    BatchStored { source: "queue", stored: 1, duplicates: 0, returned: 0, commit: Duration::ZERO }
        .emit(&source);
    let families = metrics.gather(&Scraped {
        operations: Some(&[(State::Running, 1)]),
        squads: Some(&[SquadBacklog { squad: "squad", dead: 1, oldest: 1 }]),
        pools: &[PoolUse { name: "ingest", size: 2, idle: 1 }],
        catalog: Some(CatalogState { age: 1, contested: 1, waiting: 1 }),
        telling: Some(&TellingState {
            incidents: vec![(Kind::Test, 1)],
            untriaged: vec![("squad".into(), 1)],
            outbox: vec![("due", 1)],
            oldest: 1,
        }),
        undelivered: (&[undelivered], now),
    });
    render(&families)
}

/// The labels of a metric's first sample, without those of buckets.
fn labels(scrape: &str, name: &str) -> String {
    let sample = scrape.lines().find(|line| line.starts_with(name)).unwrap();
    let Some((_, labels)) = sample.split_once('{') else { return "–".to_owned() };
    let label = Regex::new(r"([a-z_]+)=").unwrap();
    let names = label.captures_iter(labels).map(|found| found[1].to_owned()).filter(|label| label != "le");
    let names: Vec<_> = names.map(|label| format!("`{label}`")).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

/// The unit, which a name ends with.
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total").rsplit('_').next() {
        Some("seconds") => "seconds",
        Some("bytes") => "bytes",
        Some("consuming" | "warnings" | "answers") => "0 or 1",
        _ => "count",
    }
}

fn table(scrape: &str) -> String {
    let mut table = String::from("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
    let mut help = "";
    for line in scrape.lines() {
        if let Some(text) = line.strip_prefix("# HELP ") {
            help = text.split_once(' ').unwrap().1;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|text| text.split_once(' '))
        {
            let (unit, labels) = (unit(name), labels(scrape, name));
            writeln!(table, "| `{name}` | {kind} | {unit} | {labels} | {help} |").unwrap();
        }
    }
    table
}

#[test]
fn the_metrics_page_lists_every_metric() {
    let table = table(&scrape());
    let page = Page::read("docs/metrics.md");
    let (before, rest) = page.text.split_once(MARKS[0]).unwrap();
    let (stands, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let [begin, end] = MARKS;
        std::fs::write(root().join(page.path), format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        let number = |line: usize| before.lines().count() + 2 + line;
        let mut lines = stands.lines().zip(table.lines()).enumerate();
        if let Some((line, (stands, wanted))) = lines.find(|(_, (stands, wanted))| stands != wanted) {
            panic!(
                "{}: out of date: run 'make docs' and commit it\n{stands}\n{wanted}",
                page.at(number(line))
            );
        }
        assert_eq!(
            stands.len(),
            table.len(),
            "docs/metrics.md is out of date: run 'make docs' and commit it"
        );
    }
}

/// A family without a value is not in a scrape, and would be missing on the page.
#[test]
fn every_metric_of_the_registry_is_scraped() {
    let scrape = scrape();
    let name =
        Regex::new(r#""((?:dead_letter|http_server|messaging_client|messaging_process)_[a-z_]+)""#).unwrap();
    let source = ["messaging", "mod", "scraped"]
        .map(|file| Page::read(&format!("src/telemetry/metrics/{file}.rs")).text)
        .concat();
    let names: Vec<_> = name.captures_iter(&source).map(|found| found[1].to_owned()).collect();
    assert!(!names.is_empty());
    let missing: Vec<_> = names.iter().filter(|name| !scrape.contains(&format!("# TYPE {name} "))).collect();
    assert!(missing.is_empty(), "give a value in scrape(), above: {missing:?}");
}
