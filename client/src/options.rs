//! Options of operations, and the target of a redelivery.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::text::field;

/// Members of a request.
pub(crate) type Members = Map<String, Value>;

/// Builds a request, without members that are null.
pub(crate) fn members(parts: impl IntoIterator<Item = (&'static str, Value)>) -> Members {
    let given = parts.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Options of every operation.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OptionArgs {
    /// Maximum messages per second
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate: Option<i64>,
    /// Reason, kept with the operation
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Options of redeliveries.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RedeliveryArgs {
    /// Target: `queue` (default: the queue where each message died), `exchange` (the exchange that each was published to),
    /// `queue:NAME` or `exchange:NAME/ROUTING-KEY`
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Option<Target>,
    /// Canary steps, such as 1,10,100: after this many messages in total, wait, and pause if too many died again
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    canary: Option<Vec<i64>>,
    /// Waiting time after each canary step, 30 by default
    #[arg(long, value_name = "SECONDS", requires = "canary")]
    canary_wait: Option<i64>,
    /// Pause if more than this percentage was refused or died again, 0 by default
    #[arg(long, value_name = "PERCENT", requires = "canary")]
    canary_max_returned: Option<f64>,
    /// Wait while a target queue has more ready messages than this, 10,000 by default; 0 for no limit
    #[arg(long, value_name = "NUMBER")]
    max_queue_depth: Option<i64>,
    /// Show consumers the original routing key instead of the name of the queue
    #[arg(long, conflicts_with = "to")]
    keep_routing_key: bool,
    /// Also redeliver messages that were redelivered before, because their consumer lost them
    #[arg(long)]
    again: bool,
    /// Change the messages as this JSON file says: `{"patch": […], "headers": {"set": {…}, "remove": […]}}`; `-` for standard input
    #[arg(long, value_name = "FILE", value_parser = read_edit)]
    edit: Option<Value>,
    /// Send copies to a target with a name; the dead letters stay dead
    #[arg(long, requires = "to")]
    copy: bool,
}

/// The edit of a file. What it means is left to the server to check.
fn read_edit(path: &str) -> Result<Value, String> {
    let text = match path {
        "-" => std::io::read_to_string(std::io::stdin()),
        path => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))
}

impl OptionArgs {
    pub(crate) fn members(&self) -> Members {
        members([("rate", json!(self.rate)), ("note", json!(self.note))])
    }
}

impl RedeliveryArgs {
    pub(crate) fn members(&self) -> Members {
        members([
            ("to", self.to.as_ref().map_or(Value::Null, |to| to.0.clone())),
            ("canary", json!(self.canary)),
            ("canaryWait", json!(self.canary_wait)),
            ("canaryMaxReturned", json!(self.canary_max_returned)),
            ("maxQueueDepth", json!(self.max_queue_depth)),
            ("routingKey", if self.keep_routing_key { json!("original") } else { Value::Null }),
            ("again", if self.again { json!(true) } else { Value::Null }),
            ("edit", json!(self.edit)),
            ("copy", if self.copy { json!(true) } else { Value::Null }),
        ])
    }
}

/// The target of a redelivery, in the form of the API.
#[derive(Clone, Debug)]
pub(crate) struct Target(Value);

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let explicit = |exchange: &str, key: &str| json!({ "exchange": exchange, "routingKey": key });
        match (text, text.strip_prefix("queue:"), text.strip_prefix("exchange:")) {
            ("queue" | "exchange", ..) => Ok(Self(json!(text))),
            (_, Some(queue), _) => Ok(Self(explicit("", queue))),
            (_, _, Some(rest)) => {
                let (exchange, key) = rest.split_once('/').ok_or("expected exchange:NAME/ROUTING-KEY")?;
                Ok(Self(explicit(exchange, key)))
            }
            _ => Err(
                "expected queue, exchange, queue:NAME or exchange:NAME/ROUTING-KEY (--until filters by time of arrival)",
            ),
        }
    }
}

impl Target {
    /// The target in words.
    pub(crate) fn text(target: Option<&Self>) -> String {
        let Some(Self(target)) = target else { return "to the queues where they died".into() };
        match (target.as_str(), field(target, "exchange"), field(target, "routingKey")) {
            (Some("exchange"), ..) => "to the exchanges that they were published to".into(),
            (Some(_), ..) => Self::text(None),
            (None, exchange, queue) if exchange.is_empty() => format!("to the queue {queue}"),
            (None, exchange, key) => format!("to the exchange {exchange} with the routing key {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_parsed_and_shown() {
        for (argument, json, text) in [
            ("queue", json!("queue"), "to the queues where they died"),
            ("exchange", json!("exchange"), "to the exchanges that they were published to"),
            ("queue:a/b", json!({"exchange": "", "routingKey": "a/b"}), "to the queue a/b"),
            (
                "exchange:e/a/b",
                json!({"exchange": "e", "routingKey": "a/b"}),
                "to the exchange e with the routing key a/b",
            ),
        ] {
            let target: Target = argument.parse().unwrap();
            assert_eq!((&target.0, &*Target::text(Some(&target))), (&json, text));
        }
        assert!("exchange:e".parse::<Target>().is_err() && "2026-01-01T00:00:00Z".parse::<Target>().is_err());
    }
}
