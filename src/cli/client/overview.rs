//! `dead-letter overview`: who has how many.

use clap::Args;

use super::api::Api;
use super::ending::{Ending, Failure};
use super::output::{print, print_line};
use super::table::{Column, Table};
use super::text::{age, count, field, number};
use crate::clock;

#[derive(Args, Debug)]
pub(in crate::cli) struct OverviewArgs {
    /// The services of this squad; `unowned` for those that nobody owns
    #[arg(long)]
    squad: Option<String>,
}

pub(super) async fn run(api: &Api, args: OverviewArgs, json: bool) -> Result<Ending, Failure> {
    let answer = match args.squad {
        None => api.get("/dead-letters/squad-overview", &[]).await?,
        Some(squad) => api.get("/dead-letters/service-overview", &[("squad".into(), squad)]).await?,
    };
    if json {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let rows = answer.json.as_array().map_or(&[][..], Vec::as_slice);
    let of_services = rows.iter().any(|row| !row["service"].is_null());
    let (name, messages) = if of_services { ("service", "count") } else { ("squad", "messages") };
    let columns = [
        Column::text(if of_services { "SERVICE" } else { "SQUAD" }),
        Column::number("DEAD"),
        Column::number("LAST HOUR").expendable(1),
        Column::number("A DAY BEFORE").expendable(3),
        Column::text("OLDEST").expendable(4),
        Column::text("NEWEST").expendable(2),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for row in rows {
        let trend = &row["trend"];
        table.row([
            field(row, name),
            count(number(row, messages)),
            count(number(trend, "lastHour")),
            count(number(trend, "dayBefore")),
            age(row, "oldest", now),
            age(row, "newest", now),
        ]);
    }
    match rows {
        [] => eprintln!("there are no dead letters"),
        _ => print(&table.for_output())?,
    }
    Ok(Ending::Done)
}
