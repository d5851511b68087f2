//! `dead-letter show`: one dead letter in full.

use clap::Args;
use serde_json::Value;
use uuid::Uuid;

use super::find::find;
use super::ls::status;
use crate::api::{Answer, Api};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::indent::indented;
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{error, field, line, lines, list, named, parse_time};
use crate::zone::Zone;

/// If an id is ambiguous, this many matches are listed.
const MOST_NAMED: u32 = 10;

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Id of the dead letter, in full or at least its first or last 8 digits; or a message, correlation or redelivery id that
    /// only one dead letter has
    #[arg(allow_hyphen_values = true)]
    id: String,
}

pub(crate) async fn run(api: &Api, args: ShowArgs, output: Output) -> Result<Ending, Failure> {
    let answer = match Uuid::parse_str(&args.id) {
        Ok(id) => match get(api, &id.to_string()).await {
            // It may be a message or correlation id.
            Err(missing) if missing.ending() == Ending::NotFound => {
                let id = resolve(api, &args.id).await.map_err(|failure| prefer(missing, failure))?;
                get(api, &id).await?
            }
            answer => answer?,
        },
        Err(_) => get(api, &resolve(api, &args.id).await?).await?,
    };
    match output {
        Output::Json => print_line(&answer.text)?,
        Output::Text(zone) => print(&whole(&answer.json, zone))?,
    }
    Ok(Ending::Done)
}

async fn get(api: &Api, id: &str) -> Result<Answer, Failure> {
    api.get(&format!("/dead-letters/{id}"), &[]).await
}

/// The only dead letter with this id of any kind.
async fn resolve(api: &Api, text: &str) -> Result<String, Failure> {
    let answer = find(api, text, MOST_NAMED).await?.json;
    let messages = list(&answer, "messages");
    let is_text = list(&answer, "foundAs").iter().any(|kind| kind == "text");
    match messages {
        _ if is_text || messages.is_empty() => {
            let lines = vec![format!(
                "Not found: {text} is not the id of a dead letter, message, correlation or redelivery."
            )];
            Err(Failure::Api { status: 404, lines, retry_after: None })
        }
        [message] => Ok(field(message, "id")),
        messages => {
            let ids: Vec<_> = messages.iter().map(|message| field(message, "id")).collect();
            let message =
                format!("{text} matches several dead letters, for example:\n  {}", ids.join("\n  "));
            Err(Failure::Refused(message))
        }
    }
}

/// The first failure, if the second one says not found, too.
fn prefer(missing: Failure, failure: Failure) -> Failure {
    if failure.ending() == Ending::NotFound { missing } else { failure }
}

fn whole(letter: &Value, zone: Zone) -> String {
    let body = &letter["body"];
    let content = body["content"].as_str().unwrap_or_default();
    let content = lines(&indented(content).unwrap_or_else(|| content.to_owned()));
    let stack = letter["errorStack"].as_str().unwrap_or_default();
    let of_body = format!(
        "Body ({} bytes{}{}{})",
        field(letter, "bodySize"),
        if body["encoding"] == "base64" { ", in base64" } else { "" },
        body["decodedFrom"]
            .as_str()
            .map_or_else(String::new, |coding| format!(", decoded from {}", line(coding))),
        body["contentType"].as_str().map_or_else(String::new, |kind| format!(", {}", line(kind))),
    );
    let sections = [
        (String::new(), summary(letter, zone)),
        ("Stack trace".to_owned(), lines(stack)),
        (of_body, content),
        ("Properties".to_owned(), members(&letter["properties"], stack)),
        ("Headers".to_owned(), members(&letter["headers"], stack)),
        ("History".to_owned(), history(&letter["history"], zone)),
    ];
    let mut text = String::new();
    for (title, content) in sections.iter().filter(|(_, content)| !content.is_empty()) {
        if !title.is_empty() {
            text.extend(["\n", title, "\n"]);
        }
        let indent = if title.is_empty() { "" } else { "  " };
        text.extend(content.lines().flat_map(|line| [indent, line, "\n"]));
    }
    text
}

fn summary(letter: &Value, zone: Zone) -> String {
    let now = clock::now();
    let with_age = |name: &str| zone.time_and_age(letter, name, now);
    named(&[
        ("id", field(letter, "id")),
        ("status", status(letter)),
        ("arrived", with_age("receivedAt")),
        ("died", with_age("diedAt")),
        ("service", format!("{} (squad {})", field(letter, "service"), field(letter, "squad"))),
        ("queue", field(letter, "queue")),
        ("virtual host", field(letter, "vhost")),
        ("broker", field(letter, "broker")),
        ("exchange", field(letter, "exchange")),
        ("routing key", field(letter, "routingKey")),
        ("reason", field(letter, "reason")),
        ("error", error(letter, "errorMessage")),
        ("error group", field(letter, "errorGroup")),
        ("deaths", field(letter, "attempts")),
        ("type", field(letter, "type")),
        ("message id", field(letter, "messageId")),
        ("correlation id", field(letter, "correlationId")),
        ("source", field(letter, "source")),
        ("convention", field(letter, "convention")),
        ("redelivery", field(letter, "redeliveryId")),
        ("logs", field(letter, "logLink")),
        ("trace", field(letter, "traceLink")),
        ("warning", field(letter, "warning")),
    ])
}

/// The members of an object. A multi-line text starts below its name. The stack trace is not repeated.
fn members(object: &Value, stack: &str) -> String {
    let Some(members) = object.as_object() else { return String::new() };
    let names: Vec<String> = members.keys().map(|name| line(name)).collect();
    let value = |name: &String| match &object[name] {
        Value::String(text) if !stack.is_empty() && text.trim() == stack.trim() => {
            "(see the stack trace above)".into()
        }
        Value::String(text) if text.trim().contains('\n') => {
            lines(text.trim()).lines().fold(String::new(), |shown, line| format!("{shown}\n    {line}"))
        }
        _ => field(object, name),
    };
    let pairs: Vec<_> =
        names.iter().zip(members.keys()).map(|(shown, name)| (&**shown, value(name))).collect();
    named(&pairs)
}

/// Deaths and operations, the oldest first.
fn history(history: &Value, zone: Zone) -> String {
    let mut events: Vec<_> = list(history, "deaths")
        .iter()
        .map(|death| {
            let row = [
                zone.time(death, "receivedAt"),
                "died".into(),
                field(death, "id"),
                error(death, "errorMessage"),
            ];
            (parse_time(death, "receivedAt"), row)
        })
        .collect();
    for operation in list(history, "operations") {
        let outcome = match field(operation, "outcome") {
            outcome if outcome.is_empty() => "pending".into(),
            outcome => outcome,
        };
        let parts =
            [outcome, field(operation, "detail"), field(operation, "note"), field(operation, "requestedBy")];
        let details = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let row = [
            zone.time(operation, "requestedAt"),
            field(operation, "kind"),
            field(operation, "operationId"),
            details,
        ];
        events.push((parse_time(operation, "requestedAt"), row));
    }
    events.sort_by_key(|(at, _)| *at);
    let columns =
        [Column::text("AT").expendable(1), Column::text("WHAT"), Column::text("ID"), Column::long("WHY")];
    let mut table = Table::new(columns);
    for (_, row) in events {
        table.row(row);
    }
    table.for_output()
}
