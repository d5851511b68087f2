//! `dead-letter ls`: lists the dead letters that match a filter.

use clap::Args;

use crate::api::{Api, Pairs};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::filter::FilterArgs;
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{age, count, error, field, line, list, number};

const WIDEST_PAGE: u32 = 200;

#[derive(Args, Debug)]
#[command(mut_arg("until", |flag| flag.visible_alias("to")))]
pub struct LsArgs {
    /// Maximum number of dead letters, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: u32,
    /// Order of arrival: `newest` or `oldest` first
    #[arg(long, default_value = "newest")]
    order: String,
    /// Print all pages; with --json, one JSON document per page
    #[arg(long, conflicts_with = "limit")]
    all_pages: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(crate) async fn run(api: &Api, args: LsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = args.filter.pairs();
    let limit = if args.all_pages { WIDEST_PAGE } else { args.limit };
    query.extend([("limit".into(), limit.to_string()), ("order".into(), args.order)]);
    let mut cursor = None::<String>;
    let mut shown = 0;
    loop {
        let page: Pairs =
            query.iter().cloned().chain(cursor.map(|cursor| ("cursor".into(), cursor))).collect();
        let answer = api.get("/dead-letters", &page).await?;
        let messages = list(&answer.json, "messages");
        shown += messages.len();
        cursor = answer.json["nextCursor"].as_str().map(str::to_owned).filter(|_| args.all_pages);
        if output.is_json() {
            print_line(&answer.text)?;
        } else if !messages.is_empty() {
            print(&table(messages))?;
        }
        if cursor.is_none() {
            if !output.is_json() {
                let total = &answer.json["total"];
                let least = if total["relation"] == "gte" { "at least " } else { "" };
                let value = number(total, "value");
                eprintln!("{} of {least}{}", count(i64::try_from(shown).unwrap_or(i64::MAX)), count(value));
                if value == 0 {
                    // The list is complete without the explanation.
                    explain_none(api, &args.filter).await.ok();
                }
            }
            return Ok(Ending::Done);
        }
    }
}

/// Says whether the service is misspelled, or the status filter hides matches.
async fn explain_none(api: &Api, filter: &FilterArgs) -> Result<(), Failure> {
    let pairs = filter.pairs();
    let given = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if let Some(service) = given("service") {
        let ever = vec![("service".into(), service.clone())];
        if total(api, ever, "any").await? == 0 {
            eprintln!("No dead letters of service {} are stored. Check the name.", line(service));
            return Ok(());
        }
    }
    if given("status").is_some() {
        return Ok(());
    }
    for status in ["redelivered", "deleted"] {
        let others = total(api, pairs.clone(), status).await?;
        if others > 0 {
            let verb = if others == 1 { "matches" } else { "match" };
            eprintln!("{} {verb} with --status {status} (or --status any)", count(others));
        }
    }
    Ok(())
}

async fn total(api: &Api, mut pairs: Pairs, status: &str) -> Result<i64, Failure> {
    pairs.extend([("status".into(), status.to_owned()), ("limit".into(), "1".to_owned())]);
    Ok(number(&api.get("/dead-letters", &pairs).await?.json["total"], "value"))
}

/// The status, and whether the dead letter is a return.
pub(crate) fn status(letter: &serde_json::Value) -> String {
    let status = field(letter, "status");
    match (&*status, letter["redeliveryId"].is_string()) {
        ("dead", true) => "died again".into(),
        (_, true) => format!("{status} (died again before)"),
        (_, false) => status,
    }
}

pub(crate) fn table(letters: &[serde_json::Value]) -> String {
    let columns = [
        Column::text("ID"),
        Column::text("ARRIVED"),
        Column::text("STATUS").expendable(3),
        Column::long("SERVICE").expendable(1),
        Column::text("QUEUE").expendable(4),
        Column::number("DEATHS").expendable(2),
        Column::long("ERROR"),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for letter in letters {
        table.row([
            field(letter, "id"),
            age(letter, "receivedAt", now),
            status(letter),
            field(letter, "service"),
            field(letter, "queue"),
            count(number(letter, "attempts")),
            error(letter, "errorMessage"),
        ]);
    }
    table.for_output()
}
