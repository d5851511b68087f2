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
/// Names as similar as this are taken for typing mistakes, from 0 to 1.
const ALIKE: f64 = 0.85;

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
            let total = &answer.json["total"];
            let value = number(total, "value");
            if !output.is_json() {
                let least = if total["relation"] == "gte" { "at least " } else { "" };
                crate::remark_line!(
                    "{} of {least}{}",
                    count(i64::try_from(shown).unwrap_or(i64::MAX)),
                    count(value)
                );
            }
            // The list is complete without the explanation.
            return Ok(match value {
                0 => explain_none(api, &args.filter, output).await.unwrap_or(Ending::Done),
                _ => Ending::Done,
            });
        }
    }
}

/// Says whether the service is misspelled, or the status filter hides matches. A service that nothing is known of is not found.
async fn explain_none(api: &Api, filter: &FilterArgs, output: Output) -> Result<Ending, Failure> {
    let pairs = filter.pairs();
    let given = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if let Some(service) = given("service") {
        let ever = vec![("service".into(), service.clone())];
        if total(api, ever, "any").await? == 0 {
            let answer = api.get("/dead-letters/service-overview", &[]).await?;
            let known = answer.json.as_array().map_or(&[][..], Vec::as_slice);
            let hint = nearest(service, known.iter().filter_map(|one| one["service"].as_str()))
                .map_or_else(|| "Check the name.".to_owned(), |name| format!("Did you mean {}?", line(name)));
            crate::remark_line!("No dead letters of service {} are stored. {hint}", line(service));
            return Ok(Ending::NotFound);
        }
    }
    if output.is_json() || given("status").is_some() {
        return Ok(Ending::Done);
    }
    for status in ["redelivered", "deleted"] {
        let others = total(api, pairs.clone(), status).await?;
        if others > 0 {
            let verb = if others == 1 { "matches" } else { "match" };
            crate::remark_line!("{} {verb} with --status {status} (or --status any)", count(others));
        }
    }
    Ok(Ending::Done)
}

/// The name that is most like this one, if any is.
fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |name: &str| strsim::jaro_winkler(given, name);
    names.filter(|name| likeness(name) >= ALIKE).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_leads_to_the_name() {
        let nearest = |given| nearest(given, ["webshop", "mailer", "webhooks"].into_iter());
        assert_eq!(nearest("webshp"), Some("webshop"));
        assert_eq!(nearest("mialer"), Some("mailer"));
        assert_eq!(nearest("payments"), None);
    }
}
