//! `dead-letter find`: whatever is at hand, in all services and whatever became of it.

use clap::Args;
use serde_json::Value;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::ls::table;
use super::output::{Output, print, print_line};
use super::text::{count, list, number};

const TOO_SLOW: u16 = 503;

#[derive(Args, Debug)]
pub(in crate::cli) struct FindArgs {
    /// An id of any kind, whole or as screens shorten it; or a part of an error, a body, or a header's value
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// How many, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: u32,
}

pub(super) async fn run(api: &Api, args: FindArgs, output: Output) -> Result<Ending, Failure> {
    let answer = find(api, &args.text, args.limit).await.map_err(say_where_not)?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let messages = list(&answer.json, "messages");
    if messages.is_empty() {
        eprintln!(
            "Nothing found. It is not the id of a dead letter, a message, a correlation, a redelivery or an operation,\n\
             and it is in no error, body or header of any service, whatever its status.\n\
             Not searched: the middle of errors longer than 4 KB, bodies larger than 16 MiB,\n\
             and what follows the first 8 MiB of a compressed body."
        );
        return Ok(Ending::Done);
    }
    print(&table(messages))?;
    let total = &answer.json["total"];
    let least = if total["relation"] == "gte" { "at least " } else { "" };
    let shown = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    eprintln!("{} of {least}{}, {}", count(shown), count(number(total, "value")), said(&answer.json));
    Ok(Ending::Done)
}

/// The dead letters that the text finds, whatever their status.
pub(super) async fn find(api: &Api, text: &str, limit: u32) -> Result<Answer, Failure> {
    let pairs = [("find", text.to_owned()), ("status", "any".to_owned()), ("limit", limit.to_string())];
    api.get("/dead-letters", &pairs.map(|(name, value)| (name.into(), value))).await
}

/// As what it was found, and where else nobody looked.
fn said(answer: &Value) -> String {
    let kinds: Vec<_> = list(answer, "foundAs").iter().filter_map(Value::as_str).map(named).collect();
    match kinds.as_slice() {
        ["text"] => "by text in errors, bodies and headers".to_owned(),
        kinds => format!("by {} (texts were not searched)", kinds.join(" and ")),
    }
}

fn named(kind: &str) -> &str {
    match kind {
        "deadLetterId" => "the id of the dead letter",
        "messageId" => "message id",
        "correlationId" => "correlation id",
        "redeliveryId" => "the id of a redelivery",
        "operationId" => "the id of an operation",
        other => other,
    }
}

/// Ids are looked up first, so that only texts can take too long.
fn say_where_not(failure: Failure) -> Failure {
    match failure {
        Failure::Api { status: TOO_SLOW, mut lines } => {
            lines.push("It is not the id of anything. Texts were not searched to the end.".to_owned());
            lines.push(
                "Search in less: dead-letter ls --status any --find TEXT --service NAME, or --from TIME"
                    .to_owned(),
            );
            Failure::Api { status: TOO_SLOW, lines }
        }
        other => other,
    }
}
