//! `dead-letter preview`: the first messages of a redelivery, before and after. Nothing is sent.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};

use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::indent::indented;
use crate::options::RedeliveryArgs;
use crate::output::{Output, print, print_line};
use crate::selection::SelectionArgs;
use crate::text::{count, dead_letters, field, line, lines, list, number};

#[derive(Args, Debug)]
pub struct PreviewArgs {
    #[command(flatten)]
    redelivery: RedeliveryArgs,
    #[command(flatten)]
    selection: SelectionArgs,
}

pub(crate) async fn run(api: &Api, args: PreviewArgs, output: Output) -> Result<Ending, Failure> {
    let mut body = args.selection.members(None)?;
    body.extend(args.redelivery.members());
    body.insert("kind".into(), json!("redeliver"));
    let answer = api.post("/operations/preview", &Value::Object(body)).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let samples = list(&answer.json, "samples");
    print(&samples.iter().map(sample).collect::<Vec<_>>().join("\n"))?;
    let shown = i64::try_from(samples.len()).unwrap_or(i64::MAX);
    crate::remark_line!(
        "{} of {}. Nothing was sent.",
        count(shown),
        dead_letters(number(&answer.json, "total"))
    );
    Ok(Ending::Done)
}

/// What would be sent, and what of it differs.
fn sample(sample: &Value) -> String {
    let (before, after) = (&sample["before"], &sample["after"]);
    let mut text = format!("{}\n", field(sample, "deadLetterId"));
    if after.is_null() {
        text.extend(["  would be refused: ", &field(sample, "error"), "\n"]);
        return text;
    }
    for (name, title) in [("exchange", "exchange"), ("routingKey", "routing key")] {
        text.extend(["  ", title, ": ", &named(after, name), &was(before, after, name), "\n"]);
    }
    for header in names(before).union(&names(after)) {
        let value =
            |message: &Value| message["headers"].get(header).map(|value| line(&value["v"].to_string()));
        let said = match (value(before), value(after)) {
            (old, new) if old == new => continue,
            (_, None) => "removed".to_owned(),
            (None, Some(new)) => new,
            (Some(old), Some(new)) => format!("{new} (was {old})"),
        };
        text.extend(["  header ", &line(header), ": ", &said, "\n"]);
    }
    let changed = if before["body"]["content"] == after["body"]["content"] { "" } else { " (changed)" };
    let content = after["body"]["content"].as_str().unwrap_or_default();
    let content = lines(&indented(content).unwrap_or_else(|| content.to_owned()));
    text.extend(["  body", changed, ":\n"]);
    text.extend(content.lines().flat_map(|line| ["    ", line, "\n"]));
    text
}

/// The default exchange has no name.
fn named(message: &Value, name: &str) -> String {
    match field(message, name) {
        empty if empty.is_empty() => "(default)".into(),
        name => name,
    }
}

fn was(before: &Value, after: &Value, name: &str) -> String {
    if before[name] == after[name] { String::new() } else { format!(" (was {})", named(before, name)) }
}

fn names(message: &Value) -> BTreeSet<&String> {
    message["headers"].as_object().into_iter().flat_map(serde_json::Map::keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown() {
        let message = |key: &str, headers: Value, body: &str| json!({"exchange": "", "routingKey": key, "headers": headers, "body": {"content": body}});
        let shown = sample(&json!({
            "deadLetterId": "a", "error": null,
            "before": message("orders", json!({"kept": {"t": "I", "v": 1}, "gone": {"t": "S", "v": "x"}}), "{\"n\":1}"),
            "after": message("test", json!({"kept": {"t": "I", "v": 1}, "new": {"t": "t", "v": true}}), "{\"n\":2}"),
        }));
        let expected = "a\n  exchange: (default)\n  routing key: test (was orders)\n  header gone: removed\n  header new: true\n  \
                        body (changed):\n    {\n      \"n\": 2\n    }\n";
        assert_eq!(shown, expected);
        let refused =
            sample(&json!({"deadLetterId": "a", "before": {}, "after": null, "error": "no such path"}));
        assert_eq!(refused, "a\n  would be refused: no such path\n");
    }
}
