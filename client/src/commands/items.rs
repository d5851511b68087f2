//! `dead-letter items`: the dead letters of an operation, each with its outcome.

use clap::Args;

use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::short_id::OperationArgs;
use crate::table::{Column, Table};
use crate::text::{field, list};

#[derive(Args, Debug)]
pub struct ItemsArgs {
    #[command(flatten)]
    operation: OperationArgs,
    /// Only items with this outcome: `sent`, `returned`, `deleted`, `refused`, `skipped`
    #[arg(long)]
    outcome: Option<String>,
    /// Maximum number of items, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    /// Continue after a page, by its `nextCursor`
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn run(api: &Api, args: ItemsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = vec![("limit".into(), args.limit.to_string())];
    query.extend(args.outcome.map(|outcome| ("outcome".into(), outcome)));
    query.extend(args.cursor.map(|cursor| ("cursor".into(), cursor)));
    let id = args.operation.find(api).await?;
    let answer = api.get(&format!("/operations/{id}/items"), &query).await?;
    let Output::Text(zone) = output else {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    };
    let columns = [
        Column::text("DEAD LETTER"),
        Column::text("OUTCOME"),
        Column::text("SETTLED").expendable(2),
        Column::text("RETURNED AS").expendable(1),
        Column::long("DETAIL"),
    ];
    let (mut table, items) = (Table::new(columns), list(&answer.json, "items"));
    for item in items {
        table.row([
            field(item, "deadLetterId"),
            field(item, "outcome"),
            zone.time(item, "settledAt"),
            field(item, "returnedAs"),
            field(item, "detail"),
        ]);
    }
    match items {
        [] => crate::remark_line!("No items match."),
        _ => print(&table.for_output())?,
    }
    if let Some(cursor) = answer.json["nextCursor"].as_str() {
        crate::remark_line!("More items: --cursor {cursor}");
    }
    Ok(Ending::Done)
}
