//! `dead-letter find`: dead letters by any id or text, in all services and with any status.

use clap::Args;
use serde_json::Value;

use super::ls::table;
use crate::api::{Answer, Api};
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::text::{count, list, number};

const TOO_SLOW: u16 = 503;

#[derive(Args, Debug)]
pub struct FindArgs {
    /// Id of any kind, in full or shortened; otherwise text in an error, a body or a header value
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// Maximum number of dead letters, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: u32,
}

pub(crate) async fn run(api: &Api, args: FindArgs, output: Output) -> Result<Ending, Failure> {
    let answer = find(api, &args.text, args.limit).await.map_err(explain_timeout)?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let messages = list(&answer.json, "messages");
    if messages.is_empty() {
        crate::remark_line!(
            "Nothing found in any service, with any status.\n\
             Searched: ids of dead letters, messages, correlations, redeliveries and operations; errors, bodies and headers.\n\
             Not searched: the middle of errors longer than 4 KB, bodies larger than 16 MiB, and compressed bodies\n\
             beyond their first 8 MiB."
        );
        return Ok(Ending::Done);
    }
    print(&table(messages))?;
    let total = &answer.json["total"];
    let least = if total["relation"] == "gte" { "at least " } else { "" };
    let shown = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    crate::remark_line!(
        "{} of {least}{}, {}",
        count(shown),
        count(number(total, "value")),
        found_by(&answer.json)
    );
    Ok(Ending::Done)
}

/// Dead letters with this id or text, with any status.
pub(crate) async fn find(api: &Api, text: &str, limit: u32) -> Result<Answer, Failure> {
    let pairs = [("find", text.to_owned()), ("status", "any".to_owned()), ("limit", limit.to_string())];
    api.get("/dead-letters", &pairs.map(|(name, value)| (name.into(), value))).await
}

/// The kinds of id that matched, or that the text search matched.
fn found_by(answer: &Value) -> String {
    let kinds: Vec<_> = list(answer, "foundAs").iter().filter_map(Value::as_str).map(named).collect();
    match kinds.as_slice() {
        ["text"] => "by text in errors, bodies and headers".to_owned(),
        kinds => format!("by {} (text was not searched)", kinds.join(" and ")),
    }
}

fn named(kind: &str) -> &str {
    match kind {
        "deadLetterId" => "dead letter id",
        "messageId" => "message id",
        "correlationId" => "correlation id",
        "redeliveryId" => "redelivery id",
        "operationId" => "operation id",
        other => other,
    }
}

/// Ids are looked up first, so only the text search can time out.
fn explain_timeout(failure: Failure) -> Failure {
    match failure {
        Failure::Api { status: TOO_SLOW, mut lines, retry_after } => {
            lines.push("No id matches. The text search did not finish.".to_owned());
            lines.push(
                "Narrow the search: dead-letter ls --status any --find TEXT --service NAME, or --from TIME"
                    .to_owned(),
            );
            Failure::Api { status: TOO_SLOW, lines, retry_after }
        }
        other => other,
    }
}
