//! `dead-letter operations`: what was asked for.

use clap::Args;

use super::api::Api;
use super::ending::{Ending, Failure};
use super::output::{print, print_line};
use super::table::{Column, Table};
use super::text::{age, count, field, list, number};
use super::watch::Operation;
use crate::clock;

#[derive(Args, Debug)]
pub(in crate::cli) struct OperationsArgs {
    /// How many, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
}

pub(super) async fn run(api: &Api, args: OperationsArgs, json: bool) -> Result<Ending, Failure> {
    let answer = api.get("/operations", &[("limit".into(), args.limit.to_string())]).await?;
    if json {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let columns = [
        Column::text("ID"),
        Column::text("KIND"),
        Column::text("STATE"),
        Column::number("TOTAL"),
        Column::long("OUTCOMES").expendable(1),
        Column::text("ASKED").expendable(3),
        Column::text("BY").expendable(4),
        Column::long("NOTE").expendable(2),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    let operations = list(&answer.json, "operations");
    for operation in operations {
        table.row([
            field(operation, "id"),
            field(operation, "kind"),
            field(operation, "state"),
            count(number(operation, "total")),
            Operation::read(operation)?.outcomes_said(),
            age(operation, "createdAt", now),
            field(operation, "requestedBy"),
            field(operation, "note"),
        ]);
    }
    match operations {
        [] => eprintln!("there are no operations"),
        _ => print(&table.for_output())?,
    }
    Ok(Ending::Done)
}
