//! `dead-letter tail`: polls for new dead letters and prints each once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::Value;

use crate::api::{Api, Pair, Pairs};
use crate::ending::{Ending, Failure};
use crate::filter::FilterArgs;
use crate::output::{Output, print_line};
use crate::retry::Retry;
use crate::text::{error, field, list, parse_time};

const PAGE: &str = "200";
/// Replicas commit concurrently, so a dead letter can become visible after one that arrived later.
const OVERLAP: TimeDelta = TimeDelta::seconds(3);

#[derive(Args, Debug)]
#[command(mut_arg("until", |flag| flag.visible_alias("to")))]
pub struct TailArgs {
    /// Number of dead letters to print first, up to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=200))]
    last: u32,
    /// Seconds between polls
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    #[command(flatten)]
    filter: FilterArgs,
}

/// The dead letters that were printed or skipped: ids within [`OVERLAP`] of the latest, with their arrival.
#[derive(Default)]
struct Seen {
    ids: BTreeMap<String, DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
    /// Dead letters that arrived earlier are never printed.
    floor: Option<DateTime<Utc>>,
}

pub(crate) async fn run(api: &Api, args: TailArgs, output: Output) -> Result<Ending, Failure> {
    let mut filter = args.filter.pairs();
    // A dead letter that is redelivered at once has died, too.
    if !filter.iter().any(|(name, _)| *name == "status") {
        filter.push(("status".into(), "any".into()));
    }
    let mut seen = Seen::default();
    let beginning = with(&filter, [("order", "newest".into()), ("limit", PAGE.into())]);
    let answer = api.get("/dead-letters", &beginning).await?;
    let begin_with = usize::try_from(args.last).unwrap_or_default();
    let letters = list(&answer.json, "messages");
    if !answer.json["nextCursor"].is_null() {
        let oldest = letters.last().and_then(|letter| parse_time(letter, "receivedAt"));
        seen.floor = oldest.map(|oldest| oldest + TimeDelta::milliseconds(1));
    }
    for (place, letter) in letters.iter().enumerate().rev() {
        if seen.is_new(letter) && place < begin_with {
            show(letter, output)?;
        }
    }
    let mut retry = Retry::default();
    loop {
        tokio::time::sleep(Duration::from_secs(args.interval)).await;
        while let Err(failure) = poll(api, &filter, &mut seen, output).await {
            retry.wait(failure).await?;
        }
        retry.reset();
    }
}

/// Prints the dead letters that are new since the last poll, the oldest first.
async fn poll(api: &Api, filter: &[Pair], seen: &mut Seen, output: Output) -> Result<(), Failure> {
    let mut filter = filter.to_vec();
    if let Some(latest) = seen.latest {
        let given = filter.iter().find(|(name, _)| *name == "from").and_then(|(_, from)| from.parse().ok());
        let from = [given, seen.floor].into_iter().flatten().fold(latest - OVERLAP, DateTime::max);
        filter.retain(|(name, _)| *name != "from");
        filter.push(("from".into(), from.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)));
    }
    let mut cursor = None::<String>;
    loop {
        let page = [("order", "oldest".into()), ("limit", PAGE.into())];
        let page = with(&filter, page.into_iter().chain(cursor.map(|cursor| ("cursor", cursor))));
        let answer = api.get("/dead-letters", &page).await?;
        for letter in list(&answer.json, "messages") {
            if seen.is_new(letter) {
                show(letter, output)?;
            }
        }
        cursor = answer.json["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            seen.forget();
            return Ok(());
        }
    }
}

fn with(filter: &[Pair], more: impl IntoIterator<Item = (&'static str, String)>) -> Pairs {
    filter.iter().cloned().chain(more.into_iter().map(|(name, value)| (name.into(), value))).collect()
}

impl Seen {
    fn is_new(&mut self, letter: &Value) -> bool {
        let at = parse_time(letter, "receivedAt").unwrap_or_default();
        self.latest = self.latest.max(Some(at));
        self.ids.insert(field(letter, "id"), at).is_none()
    }

    /// Drops ids that the next poll cannot find again.
    fn forget(&mut self) {
        if let Some(latest) = self.latest {
            self.ids.retain(|_, at| *at >= latest - OVERLAP - TimeDelta::seconds(1));
        }
    }
}

fn show(letter: &Value, output: Output) -> Result<(), Failure> {
    let Output::Text(zone) = output else { return print_line(&letter.to_string()) };
    print_line(&format!(
        "{}  {}  {}  {}",
        zone.time(letter, "receivedAt"),
        field(letter, "id"),
        field(letter, "service"),
        error(letter, "errorMessage")
    ))
}
