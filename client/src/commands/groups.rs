//! `dead-letter groups`: lists error groups, to see whether it is one bug or five.

use clap::Args;
use serde_json::Value;

use crate::api::Api;
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::filter::FilterArgs;
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{age, count, dead_letters, error, field, list, number, share, sparkline};

#[derive(Args, Debug)]
#[command(mut_arg("until", |flag| flag.visible_alias("to")))]
pub struct GroupsArgs {
    /// Only groups in this state: `new`, `ongoing`, `regressed`, `resolved` or `muted`
    #[arg(long)]
    state: Option<String>,
    /// Only groups that are assigned to this person or squad; `me` for yours, `none` for nobody's
    #[arg(long)]
    assignee: Option<String>,
    /// Maximum number of groups, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(crate) async fn run(api: &Api, args: GroupsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = args.filter.pairs();
    query.push(("limit".into(), args.limit.to_string()));
    query.extend(args.state.map(|state| ("state".into(), state)));
    query.extend(args.assignee.map(|name| ("assignee".into(), name)));
    let answer = api.get("/dead-letters/error-groups", &query).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let groups = list(&answer.json, "groups");
    if !groups.is_empty() {
        print(&table(groups))?;
    }
    let (total, messages) = (number(&answer.json, "total"), number(&answer.json, "messages"));
    crate::remark_line!("{} of {} groups, {}", groups.len(), count(total), dead_letters(messages));
    Ok(Ending::Done)
}

fn table(groups: &[Value]) -> String {
    let mut columns = vec![
        Column::text("ID"),
        Column::number("COUNT"),
        Column::number("SHARE").expendable(4),
        Column::text("STATE").expendable(1),
        Column::text("FIRST").expendable(6),
        Column::text("LAST").expendable(2),
        Column::text("24 HOURS").expendable(5),
        Column::long("SERVICE").expendable(3),
        Column::long("ERROR"),
    ];
    // Where nobody is on any of them, there is nothing to see.
    let is_assigned = groups.iter().any(|group| !group["assignee"].is_null());
    if is_assigned {
        columns.push(Column::long("ASSIGNED TO").expendable(7));
    }
    let (mut table, now) = (Table::new(columns), clock::now());
    for group in groups {
        let mut cells = vec![
            field(group, "id"),
            count(number(group, "count")),
            share(group),
            field(group, "state"),
            age(group, "firstSeen", now),
            age(group, "lastSeen", now),
            sparkline(list(group, "sparkline")),
            field(group, "service"),
            error(group, "title"),
        ];
        if is_assigned {
            cells.push(field(group, "assignee"));
        }
        table.row(cells);
    }
    table.for_output()
}
