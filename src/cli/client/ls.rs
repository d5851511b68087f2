//! `dead-letter ls`: a search.

use clap::Args;

use super::api::{Api, Pairs};
use super::ending::{Ending, Failure};
use super::filter::FilterArgs;
use super::output::{Output, print, print_line};
use super::table::{Column, Table};
use super::text::{age, count, error, field, line, list, number};
use crate::clock;

const WIDEST_PAGE: u32 = 200;

#[derive(Args, Debug)]
#[command(mut_arg("until", |flag| flag.visible_alias("to")))]
pub(in crate::cli) struct LsArgs {
    /// How many, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: u32,
    /// `newest` or `oldest` arrival first
    #[arg(long, default_value = "newest")]
    order: String,
    /// All that there are, page by page; with --json, one page after the other
    #[arg(long, conflicts_with = "limit")]
    all_pages: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(api: &Api, args: LsArgs, output: Output) -> Result<Ending, Failure> {
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
                    // The answer itself is complete without.
                    say_why_none(api, &args.filter).await.ok();
                }
            }
            return Ok(Ending::Done);
        }
    }
}

/// Nothing may be peace, or a typing mistake, or a matter of the status.
async fn say_why_none(api: &Api, filter: &FilterArgs) -> Result<(), Failure> {
    let pairs = filter.pairs();
    let given = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if let Some(service) = given("service") {
        let ever = vec![("service".into(), service.clone())];
        if total(api, ever, "any").await? == 0 {
            eprintln!("No dead letter of a service named {} is stored: is the name right?", line(service));
            return Ok(());
        }
    }
    if given("status").is_some() {
        return Ok(());
    }
    for status in ["redelivered", "deleted"] {
        let others = total(api, pairs.clone(), status).await?;
        if others > 0 {
            let verb = if others == 1 { "is" } else { "are" };
            eprintln!("{} {verb} {status}: --status {status}, or --status any", count(others));
        }
    }
    Ok(())
}

async fn total(api: &Api, mut pairs: Pairs, status: &str) -> Result<i64, Failure> {
    pairs.extend([("status".into(), status.to_owned()), ("limit".into(), "1".to_owned())]);
    Ok(number(&api.get("/dead-letters", &pairs).await?.json["total"], "value"))
}

/// Where a dead letter stands; of one that came back, that it did.
pub(super) fn standing(letter: &serde_json::Value) -> String {
    let status = field(letter, "status");
    match (&*status, letter["redeliveryId"].is_string()) {
        ("dead", true) => "died again".into(),
        (_, true) => format!("{status}, had died again"),
        (_, false) => status,
    }
}

/// Dead letters as a table.
pub(super) fn table(letters: &[serde_json::Value]) -> String {
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
            standing(letter),
            field(letter, "service"),
            field(letter, "queue"),
            count(number(letter, "attempts")),
            error(letter, "errorMessage"),
        ]);
    }
    table.for_output()
}
