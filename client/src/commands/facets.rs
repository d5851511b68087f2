//! `dead-letter facets`: what a selection is made of.

use clap::Args;
use serde_json::Value;

use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::filter::FilterArgs;
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{attribute, count, dead_letters, field, list, number, share};

#[derive(Args, Debug)]
#[command(mut_arg("until", |flag| flag.visible_alias("to")))]
pub struct FacetsArgs {
    /// What to count by, such as `type`, `routingKey`, `appId` or `header`; repeat the flag for several. By default everything that needs
    /// no permission beyond `read`
    #[arg(long, value_name = "ATTRIBUTE")]
    by: Vec<String>,
    /// Maximum number of values of each facet, from 1 to 100
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    limit: u32,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(crate) async fn run(api: &Api, args: FacetsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = args.filter.pairs();
    query.push(("limit".into(), args.limit.to_string()));
    query.extend(args.by.into_iter().map(|by| ("by".into(), by)));
    let answer = api.get("/dead-letters/facets", &query).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let facets = list(&answer.json, "facets");
    if !facets.is_empty() {
        print(&table(facets))?;
    }
    crate::remark_line!("{}", sample(&answer.json["sample"]));
    Ok(Ending::Done)
}

/// `5,000 of 43,695 dead letters, chosen at random: shares are estimates`
pub(super) fn sample(sample: &Value) -> String {
    let (seen, total) = (number(sample, "messages"), &sample["total"]);
    let least = if total["relation"] == "gte" { "at least " } else { "" };
    let chosen = match &*field(sample, "choice") {
        "random" => "chosen at random: shares are estimates",
        "newest" => "the newest: shares are estimates",
        _ => return dead_letters(seen),
    };
    format!("{} of {least}{}, {chosen}", count(seen), dead_letters(number(total, "value")))
}

fn table(facets: &[Value]) -> String {
    let columns =
        [Column::text("BY"), Column::number("COUNT"), Column::number("SHARE"), Column::long("VALUE")];
    let mut table = Table::new(columns);
    for facet in facets {
        let by = attribute(facet, "by");
        let blank = String::new;
        for value in list(facet, "values") {
            let label = Some(field(value, "label")).filter(|label| !label.is_empty());
            let label = label.map_or_else(blank, |label| format!("  {label}"));
            let text = format!("{}{label}", field(value, "value"));
            table.row([by.clone(), count(number(value, "count")), share(value), text]);
        }
        for (name, what) in [("others", "(other values)"), ("missing", "(none)")] {
            if number(facet, name) > 0 {
                table.row([by.clone(), count(number(facet, name)), blank(), what.to_owned()]);
            }
        }
    }
    table.for_output()
}
