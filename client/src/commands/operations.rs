//! `dead-letter operations` lists operations. `dead-letter operation` shows one in full.

use clap::Args;
use serde_json::Value;

use crate::api::Api;
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::operation::Operation;
use crate::output::{Output, print, print_line};
use crate::short_id::{OperationArgs, Things};
use crate::table::{Column, Table};
use crate::text::{age, count, error, field, line, list, named, number};
use crate::when::time_or_age;
use crate::zone::Zone;

/// This many conditions of a filter are shown.
const NAMED: usize = 4;

#[derive(Args, Debug)]
pub struct OperationsArgs {
    /// Only operations on dead letters of this service
    #[arg(long)]
    service: Option<String>,
    /// Only operations on dead letters of this squad; `unowned` for services without an owner
    #[arg(long)]
    squad: Option<String>,
    /// Only operations in one of these states, separated by commas: `pending`, `running`, `waiting`, `paused`, `cancelling`,
    /// `cancelled`, `completed`
    #[arg(long, value_name = "STATES")]
    state: Option<String>,
    /// Only operations of this kind: `redeliver`, `delete` or `restore`
    #[arg(long)]
    kind: Option<String>,
    /// Only operations that selected dead letters of this error group
    #[arg(long, value_name = "ID")]
    error_group: Option<String>,
    /// Only operations of whoever has this text in the name
    #[arg(long, value_name = "TEXT")]
    by: Option<String>,
    /// Only operations that had not ended before this time: RFC 3339, an age such as `8h`, or a time of day such as `22:00`
    #[arg(long, visible_alias = "since", value_name = "TIME", value_parser = time_or_age)]
    from: Option<String>,
    /// Only operations that were requested before this time
    #[arg(long, visible_alias = "until", value_name = "TIME", value_parser = time_or_age)]
    to: Option<String>,
    /// Maximum number of operations, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// Continue after a page, by its `nextCursor`
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn run(api: &Api, args: OperationsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = vec![("limit".into(), args.limit.to_string())];
    let group = match args.error_group {
        Some(group) => Some(Things::Groups.find(api, &group).await?.to_string()),
        None => None,
    };
    let given = [
        ("service", args.service),
        ("squad", args.squad),
        ("state", args.state),
        ("kind", args.kind),
        ("errorGroup", group),
        ("requestedBy", args.by),
        ("from", args.from),
        ("to", args.to),
        ("cursor", args.cursor),
    ];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
    let answer = api.get("/operations", &query).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let columns = [
        Column::text("ID"),
        Column::text("KIND"),
        Column::text("STATE"),
        Column::long("SELECTED").expendable(2),
        Column::long("RESULT"),
        Column::text("STARTED").expendable(3),
        Column::text("BY").expendable(4),
        Column::long("NOTE").expendable(5),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    let operations = list(&answer.json, "operations");
    for json in operations {
        let operation = Operation::read(json)?;
        table.row([
            field(json, "id"),
            field(json, "kind"),
            operation.headline(),
            selected(json),
            operation.verdict_text(),
            age(json, "createdAt", now),
            field(json, "requestedBy"),
            field(json, "note"),
        ]);
    }
    match operations {
        [] => crate::remark_line!("No operations match."),
        _ => print(&table.for_output())?,
    }
    if let Some(cursor) = answer.json["nextCursor"].as_str() {
        crate::remark_line!("More operations: --cursor {cursor}");
    }
    Ok(Ending::Done)
}

pub(crate) async fn one(api: &Api, args: OperationArgs, output: Output) -> Result<Ending, Failure> {
    let id = args.find(api).await?;
    let answer = api.get(&format!("/operations/{id}"), &[]).await?;
    match output {
        Output::Json => print_line(&answer.text)?,
        Output::Text(zone) => print(&whole(&answer.json, zone)?)?,
    }
    Ok(Ending::Done)
}

/// The selection in words: `webshop: error PaymentDeclined`.
fn selected(operation: &Value) -> String {
    let selection = &operation["selection"];
    let services = list(operation, "services").iter().filter_map(Value::as_str).map(line);
    let services = services.collect::<Vec<_>>().join(", ");
    let what = match (selection["ids"].as_array(), selection["filter"].as_object(), &selection["deletedBy"]) {
        (Some(ids), ..) if ids.len() == 1 => "1 selected message".into(),
        (Some(ids), ..) => {
            format!("{} selected messages", count(i64::try_from(ids.len()).unwrap_or(i64::MAX)))
        }
        (_, _, Value::String(operation)) => format!("deleted by {}", line(operation)),
        (_, Some(filter), _) => conditions(filter, &services),
        _ => String::new(),
    };
    match (services.is_empty(), what.is_empty()) {
        (true, true) => "all".into(),
        (true, false) => what,
        (false, true) => services,
        (false, false) => format!("{services}: {what}"),
    }
}

/// The conditions of a filter, without a service that the caller shows already.
fn conditions(filter: &serde_json::Map<String, Value>, services: &str) -> String {
    let given = filter.iter().filter(|(name, value)| {
        let is_shown = *name == "service" && value.as_str() == Some(services);
        !(value.is_null() || is_shown)
    });
    let mut conditions: Vec<_> =
        given.map(|(name, value)| format!("{} {}", words(name), short(value))).collect();
    if conditions.len() > NAMED {
        let more = conditions.len() - NAMED;
        conditions.truncate(NAMED);
        conditions.push(format!("and {more} more"));
    }
    conditions.join(", ")
}

/// `errorGroup` as `error group`.
fn words(name: &str) -> String {
    let spaced =
        name.chars().flat_map(|c| if c.is_uppercase() { vec![' ', c.to_ascii_lowercase()] } else { vec![c] });
    line(&spaced.collect::<String>())
}

/// A value; the end of a long id.
fn short(value: &Value) -> String {
    match value.as_str() {
        Some(id) if uuid::Uuid::parse_str(id).is_ok() => format!("…{}", &id[id.len() - 8..]),
        Some(text) => line(text),
        None => line(&value.to_string()),
    }
}

fn whole(operation: &Value, zone: Zone) -> Result<String, Failure> {
    let (now, summary) = (clock::now(), Operation::read(operation)?);
    let rate = match number(operation, "rate") {
        0 => String::new(),
        rate => format!("at most {} a second", count(rate)),
    };
    let canary = list(operation, "canary").iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
    let mut text = named(&[
        ("id", field(operation, "id")),
        ("operation", format!("{} {}", field(operation, "kind"), summary.headline())),
        ("result", summary.verdict_text()),
        ("selected", format!("{} ({})", selected(operation), count(summary.total))),
        ("started by", field(operation, "requestedBy")),
        ("note", field(operation, "note")),
        ("requested", zone.time_and_age(operation, "createdAt", now)),
        ("started", zone.time_and_age(operation, "startedAt", now)),
        ("ended", zone.time_and_age(operation, "endedAt", now)),
        ("watched until", zone.time(operation, "watchUntil")),
        ("rate", rate),
        ("canary", canary),
    ]);
    text.push_str(&returns(list(operation, "returns")));
    let events = list(operation, "events");
    if !events.is_empty() {
        text.push_str("\nActivity\n");
    }
    for event in events {
        let detail = Some(field(event, "detail")).filter(|detail| !detail.is_empty());
        let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
        let (at, by, action) = (zone.time(event, "at"), field(event, "by"), field(event, "action"));
        text.extend(["  ", &at, "  ", &by, "  ", &action, &detail, "\n"]);
    }
    Ok(text)
}

/// Why messages died again.
fn returns(returns: &[Value]) -> String {
    if returns.is_empty() {
        return String::new();
    }
    let columns = [Column::text("GROUP"), Column::number("DIED AGAIN"), Column::long("ERROR")];
    let mut table = Table::new(columns);
    for returned in returns {
        let error = error(returned, "title");
        let error = if error.is_empty() { "no error given".into() } else { error };
        table.row([field(returned, "errorGroup"), count(number(returned, "count")), error]);
    }
    format!("\n{}", table.for_output())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selection_is_described() {
        let described = |services: Value, selection: Value| {
            selected(&json!({"services": services, "selection": selection}))
        };
        assert_eq!(described(json!(["webshop"]), json!({"ids": ["a"]})), "webshop: 1 selected message");
        let filter = json!({"filter": {"service": "webshop", "errorGroup": "01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f", "squad": null}});
        assert_eq!(described(json!(["webshop"]), filter), "webshop: error group …6c8d0e1f");
        assert_eq!(described(json!(["webshop"]), json!({"filter": {"service": "webshop"}})), "webshop");
        assert_eq!(described(json!(["a", "b"]), json!({"filter": {"squad": "x"}})), "a, b: squad x");
        assert_eq!(described(Value::Null, json!({"filter": {}, "all": true})), "all");
        assert_eq!(described(Value::Null, json!({"deletedBy": "x"})), "deleted by x");
    }
}
