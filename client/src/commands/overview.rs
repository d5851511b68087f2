//! `dead-letter overview`: the number of dead letters per squad or service.

use clap::Args;
use serde_json::Value;

use crate::api::{Api, Pairs};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{age, count, field, line, list, number};

/// The API's name for services without an owner.
const UNOWNED: &str = "unowned";

/// Services that are told of one by one.
const MOST_CONFLICTS: usize = 5;

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
        [] => crate::remark_line!("No dead letters are waiting, and none arrived in the last 24 hours."),
        _ => print(&table.for_output())?,
    }
    if rows.iter().any(|row| row["squad"] == UNOWNED) {
        crate::remark_line!(
            "`unowned` services have no owner. Assign one in the catalog, or in the server's DEAD_LETTER_OWNERSHIP_FILE."
        );
    }
    tell_ownership(api).await?;
    Ok(Ending::Done)
}

/// Says where squads are old, or left undecided by the catalog. A server of an earlier release does not tell.
async fn tell_ownership(api: &Api) -> Result<(), Failure> {
    let ownership = match api.get("/ownership", &[]).await {
        Ok(answer) => answer.json,
        Err(Failure::Api { status: 404, .. }) => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let catalog = &ownership["catalog"];
    if catalog["stale"] == true {
        match catalog["asOf"].as_str() {
            Some(_) => {
                let age = age(catalog, "asOf", clock::now());
                crate::remark_line!("Squads are those of {age}: the server cannot read the catalog.");
            }
            None => crate::remark_line!("Squads are not known yet: the server has not read the catalog."),
        }
    }
    let conflicts = list(&ownership, "conflicts");
    for conflict in conflicts.iter().take(MOST_CONFLICTS) {
        crate::remark_line!("{}", told(conflict));
    }
    let told = conflicts.len().min(MOST_CONFLICTS);
    let more = number(&ownership, "conflictCount") - i64::try_from(told).unwrap_or(i64::MAX);
    if more > 0 {
        crate::remark_line!("There are {} more such services.", count(more));
    }
    Ok(())
}

fn told(conflict: &Value) -> String {
    let claims = list(conflict, "claims").iter().map(|claim| {
        let squad = claim["squad"].as_str().map_or_else(|| "no squad".into(), line);
        format!("{} ({squad})", field(claim, "entity"))
    });
    let (service, claims) = (field(conflict, "service"), claims.collect::<Vec<_>>().join(", "));
    if conflict["takesOverAt"].is_null() {
        format!(
            "{service} belongs to nobody, because components of the catalog contradict each other: {claims}."
        )
    } else {
        let at = field(conflict, "takesOverAt");
        format!("{service} belongs to nobody until {at}, because another component claims it: {claims}.")
    }
}
