//! `dead-letter overview`: the number of dead letters per squad or service.

use clap::Args;

use crate::api::{Api, Pairs};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{age, count, field, number};

/// The API's name for services without an owner.
const UNOWNED: &str = "unowned";

#[derive(Args, Debug)]
pub struct OverviewArgs {
    /// Count per service of this squad; `unowned` for services without an owner
    #[arg(long)]
    squad: Option<String>,
    /// Count deaths on this broker only, by its configured name
    #[arg(long)]
    broker: Option<String>,
    /// Count deaths in this virtual host only
    #[arg(long)]
    vhost: Option<String>,
}

pub(crate) async fn run(api: &Api, args: OverviewArgs, output: Output) -> Result<Ending, Failure> {
    let place = [("broker", args.broker), ("vhost", args.vhost)];
    let place: Pairs = place.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect();
    let answer = match args.squad {
        None => api.get("/dead-letters/squad-overview", &place).await?,
        Some(squad) => {
            let query = [vec![("squad".into(), squad)], place].concat();
            api.get("/dead-letters/service-overview", &query).await?
        }
    };
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let rows = answer.json.as_array().map_or(&[][..], Vec::as_slice);
    let of_services = rows.iter().any(|row| !row["service"].is_null());
    let (name, messages) = if of_services { ("service", "count") } else { ("squad", "messages") };
    let columns = [
        Column::text(if of_services { "SERVICE" } else { "SQUAD" }),
        Column::number("DEAD"),
        Column::number("MUTED").expendable(5),
        Column::number("LAST HOUR").expendable(1),
        Column::number("A DAY BEFORE").expendable(3),
        Column::text("OLDEST").expendable(4),
        Column::text("NEWEST").expendable(2),
        Column::number("24 H: DIED").expendable(5),
        Column::number("REDELIVERED").expendable(6),
        Column::number("DELETED").expendable(6),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for row in rows {
        let (trend, day) = (&row["trend"], &row["lastDay"]);
        table.row([
            field(row, name),
            count(number(row, messages)),
            count(number(row, "muted")),
            count(number(trend, "lastHour")),
            count(number(trend, "dayBefore")),
            age(row, "oldest", now),
            age(row, "newest", now),
            count(number(day, "died")),
            count(number(day, "redelivered")),
            count(number(day, "deleted")),
        ]);
    }
    match rows {
        [] => eprintln!("No dead letters are waiting, and none arrived in the last 24 hours."),
        _ => print(&table.for_output())?,
    }
    if rows.iter().any(|row| row["squad"] == UNOWNED) {
        eprintln!("`unowned` services have no owner. Assign one in the server's DEAD_LETTER_OWNERSHIP_FILE.");
    }
    Ok(Ending::Done)
}
