//! `dead-letter incidents`: lists what squads were told.

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::api::Api;
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{age, count, field, list, number};

#[derive(Args, Debug)]
pub struct IncidentsArgs {
    /// Only incidents in this state
    #[arg(long, value_enum, default_value = "open")]
    state: State,
    /// Only incidents about services of this squad; `unowned` for services without an owner
    #[arg(long)]
    squad: Option<String>,
    /// Only incidents about this service
    #[arg(long)]
    service: Option<String>,
    /// Maximum number of incidents, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Those that go on
    Open,
    /// Those that are over
    Resolved,
    /// Both
    All,
}

pub(crate) async fn run(api: &Api, args: IncidentsArgs, output: Output) -> Result<Ending, Failure> {
    let state = match args.state {
        State::Open => Some("open"),
        State::Resolved => Some("resolved"),
        State::All => None,
    };
    let given = [("state", state.map(str::to_owned)), ("squad", args.squad), ("service", args.service)];
    let mut query = vec![("limit".into(), args.limit.to_string())];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
    let answer = api.get("/incidents", &query).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let incidents = list(&answer.json, "incidents");
    if incidents.is_empty() {
        crate::remark_line!("No incidents.");
        return Ok(Ending::Done);
    }
    print(&table(incidents))?;
    if !answer.json["nextCursor"].is_null() {
        crate::remark_line!("There are more: raise --limit, or name a squad.");
    }
    Ok(Ending::Done)
}

fn table(incidents: &[Value]) -> String {
    let columns = [
        Column::text("ID").expendable(4),
        Column::text("SINCE"),
        Column::text("STATE").expendable(2),
        Column::text("SEVERITY").expendable(1),
        Column::long("SQUAD").expendable(3),
        Column::number("DEAD"),
        Column::long("WHAT"),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for incident in incidents {
        let state = if incident["resolvedAt"].is_null() { "open" } else { "resolved" };
        table.row([
            field(incident, "id"),
            age(incident, "openedAt", now),
            state.into(),
            field(incident, "severity"),
            field(incident, "squad"),
            count(number(incident, "dead")),
            field(incident, "title"),
        ]);
    }
    table.for_output()
}
