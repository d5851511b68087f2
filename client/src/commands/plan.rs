//! `dead-letter plan`: previews an operation. Every operation of this client is planned first.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::options::{Members, OptionArgs, RedeliveryArgs};
use crate::output::{Output, print, print_line};
use crate::selection::{DeletedByArgs, SelectionArgs};
use crate::table::{Column, Table};
use crate::text::{age, count, dead_letters, error, field, list, number};

/// This many services, queues and groups are listed.
const SHOWN: usize = 10;

#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Operation to plan
    #[arg(long, value_enum, default_value_t = Kind::Redeliver)]
    kind: Kind,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    redelivery: RedeliveryArgs,
    #[command(flatten)]
    deleted: DeletedByArgs,
    #[command(flatten)]
    selection: SelectionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Redeliver,
    Delete,
    Restore,
}

impl Kind {
    /// The name in the API and on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Redeliver => "redeliver",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    /// The name at the start of a sentence.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Redeliver => "Redeliver",
            Self::Delete => "Delete",
            Self::Restore => "Restore",
        }
    }
}

/// The dead letters that an operation would act on.
pub(crate) enum Planned {
    /// Frozen on the server.
    Plan(Answer),
    /// Counted by a search, because the server does not support plans.
    Counted { total: i64, is_exact: bool },
}

pub(crate) async fn run(api: &Api, args: PlanArgs, output: Output) -> Result<Ending, Failure> {
    let mut body = args.selection.members(args.deleted.deleted_by)?;
    body.extend(args.options.members());
    body.extend(args.redelivery.members());
    match (make(api, args.kind, &args.selection, &mut body).await?, output) {
        (Planned::Plan(answer), Output::Json) => print_line(&answer.text)?,
        (Planned::Plan(answer), Output::Text(zone)) => {
            print(&summary(&answer.json))?;
            let id = field(&answer.json, "id");
            let until = match zone.time(&answer.json, "expiresAt") {
                until if until.is_empty() => until,
                until => format!("Valid until {until}. "),
            };
            print_line(&format!("\n{until}To run it:\n  dead-letter {} --plan {id}", args.kind.as_str()))?;
        }
        (Planned::Counted { .. }, Output::Json) => {
            return Err(Failure::Failed(
                "This server is older than this client and does not support plans.".into(),
            ));
        }
        (counted @ Planned::Counted { .. }, Output::Text(_)) => {
            print_line(&format!(
                "{} (count only: this server is older than this client and does not support plans)",
                counted.count()
            ))?;
        }
    }
    Ok(Ending::Done)
}

/// Makes a plan, or counts by a search if the server does not support plans. Adds the kind to the body.
pub(crate) async fn make(
    api: &Api,
    kind: Kind,
    selection: &SelectionArgs,
    body: &mut Members,
) -> Result<Planned, Failure> {
    body.insert("kind".into(), json!(kind.as_str()));
    match api.post("/operations/plan", &json!(body)).await {
        Ok(answer) => Ok(Planned::Plan(answer)),
        Err(failure) if failure.is_unknown_route() => counted(api, kind, selection).await,
        Err(failure) => Err(failure),
    }
}

async fn counted(api: &Api, kind: Kind, selection: &SelectionArgs) -> Result<Planned, Failure> {
    if !selection.ids.is_empty() {
        let total = i64::try_from(selection.ids.len()).unwrap_or(i64::MAX);
        return Ok(Planned::Counted { total, is_exact: true });
    }
    let mut query = selection.filter.pairs();
    if kind == Kind::Restore && !query.iter().any(|(name, _)| *name == "status") {
        query.push(("status".into(), "deleted".into()));
    }
    query.push(("limit".into(), "1".into()));
    let total = &api.get("/dead-letters", &query).await?.json["total"];
    let (found, limit) = (number(total, "value"), selection.limit.unwrap_or(i64::MAX));
    let is_exact = total["relation"] != "gte" || found >= limit;
    Ok(Planned::Counted { total: found.min(limit), is_exact })
}

impl Planned {
    pub(crate) fn total(&self) -> i64 {
        match self {
            Self::Plan(answer) => number(&answer.json, "total"),
            Self::Counted { total, .. } => *total,
        }
    }

    /// The total in words.
    pub(crate) fn count(&self) -> String {
        match self {
            Self::Counted { is_exact: false, total } => format!("at least {}", dead_letters(*total)),
            _ => dead_letters(self.total()),
        }
    }
}

/// The plan in words.
pub(crate) fn summary(plan: &Value) -> String {
    let mut text = format!("{}: {}\n", field(plan, "kind"), dead_letters(number(plan, "total")));
    text.push_str(&counts("services", list(plan, "services"), name));
    let queues = list(plan, "queues");
    let places: BTreeSet<_> = queues.iter().map(place).collect();
    text.push_str(&match places.len() {
        0 | 1 => counts("queues", queues, name),
        _ => counts("queues", queues, |queue| format!("{} ({})", name(queue), place(queue))),
    });
    text.push_str(&groups(list(plan, "errorGroups")));
    text.push_str(&warnings(plan));
    text.push_str(&lines(plan, "note"));
    text
}

/// One line of values with their counts.
fn counts(title: &str, values: &[Value], name: impl Fn(&Value) -> String) -> String {
    if values.is_empty() {
        return String::new();
    }
    let shown = values.iter().take(SHOWN);
    let mut shown: Vec<_> =
        shown.map(|value| format!("{} {}", name(value), count(number(value, "count")))).collect();
    if values.len() > SHOWN {
        shown.push(format!("and {} more", values.len() - SHOWN));
    }
    format!("{title}: {}\n", shown.join(", "))
}

fn name(value: &Value) -> String {
    match field(value, "value") {
        name if name.is_empty() => "unknown".into(),
        name => name,
    }
}

/// Broker and virtual host of a queue. Absent if the server is older.
fn place(queue: &Value) -> String {
    format!("{}, {}", field(queue, "broker"), field(queue, "vhost"))
}

fn groups(groups: &[Value]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let columns = [
        Column::text("GROUP").expendable(1),
        Column::number("COUNT"),
        Column::text("LAST").expendable(2),
        Column::long("SERVICE").expendable(3),
        Column::long("ERROR"),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for group in groups.iter().take(SHOWN) {
        table.row([
            field(group, "id"),
            count(number(group, "count")),
            age(group, "lastSeen", now),
            field(group, "service"),
            error(group, "title"),
        ]);
    }
    let more = match groups.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("and {more} more groups\n"),
    };
    format!("\n{}{more}", table.for_output())
}

/// The warnings, one line each.
pub(crate) fn warnings(plan: &Value) -> String {
    lines(plan, "warning")
}

/// Warnings of this severity. An older server has no severities.
fn lines(plan: &Value, severity: &str) -> String {
    let has_severity = |warning: &&Value| warning["severity"].as_str().unwrap_or("warning") == severity;
    let line = |warning: &Value| format!("{severity}: {}\n", field(warning, "message"));
    list(plan, "warnings").iter().filter(has_severity).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_in_several_places_are_shown_with_their_place() {
        let queue = |vhost: &str| json!({"value": "orders", "broker": "main", "vhost": vhost, "count": 2});
        let shown = |queues: Value| summary(&json!({"kind": "redeliver", "total": 4, "queues": queues}));
        let one = shown(json!([queue("/"), {"value": null, "broker": "main", "vhost": "/", "count": 1}]));
        assert_eq!(one, "redeliver: 4 dead letters\nqueues: orders 2, unknown 1\n");
        let two = shown(json!([queue("/"), queue("shop")]));
        assert_eq!(two, "redeliver: 4 dead letters\nqueues: orders (main, /) 2, orders (main, shop) 2\n");
    }

    #[test]
    fn notes_come_after_warnings() {
        let of = |severity: Value, message: &str| json!({"severity": severity, "message": message});
        let plan = json!({"kind": "redeliver", "total": 1, "warnings": [
            of(json!("note"), "known"), of(json!("warning"), "stop"), of(Value::Null, "older"),
        ]});
        assert_eq!(warnings(&plan), "warning: stop\nwarning: older\n");
        assert!(
            summary(&plan).ends_with("warning: stop\nwarning: older\nnote: known\n"),
            "{}",
            summary(&plan)
        );
    }
}
