//! How an operation acts, and where redelivered messages go.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use super::text::field;

/// Members of a request.
pub(super) type Members = Map<String, Value>;

/// A request without the members that were not given.
pub(super) fn members(parts: impl IntoIterator<Item = (&'static str, Value)>) -> Members {
    let given = parts.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Of every operation.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OptionArgs {
    /// At most so many messages a second
    #[arg(long, value_name = "NUMBER")]
    pub(super) rate: Option<i64>,
    /// Why, in your own words, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Of redeliveries.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct RedeliveryArgs {
    /// Where messages go: `queue` (that each died in), `exchange`, `queue:NAME`, `exchange:NAME/ROUTING-KEY`
    #[arg(long, value_name = "TARGET")]
    pub(super) to: Option<Target>,
    /// Steps, such as 1,10,100: after so many in all, wait, and go on only if they did not come back
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    canary: Option<Vec<i64>>,
    /// How long to wait at each step
    #[arg(long, value_name = "SECONDS", requires = "canary")]
    canary_wait: Option<i64>,
    /// Pause when more than so many in a hundred came back
    #[arg(long, value_name = "PERCENT", requires = "canary")]
    canary_max_returned: Option<f64>,
    /// Wait while a target queue has more ready messages than this; 0 for no bound
    #[arg(long, value_name = "NUMBER")]
    max_queue_depth: Option<i64>,
    /// Consumers see the routing key that the message was first published with, and not the name of the queue
    #[arg(long, conflicts_with = "to")]
    keep_routing_key: bool,
    /// Send once more what was redelivered before, and lost by its consumer
    #[arg(long)]
    again: bool,
}

impl OptionArgs {
    pub(super) fn members(&self) -> Members {
        members([("rate", json!(self.rate)), ("note", json!(self.note))])
    }
}

impl RedeliveryArgs {
    pub(super) fn members(&self) -> Members {
        members([
            ("to", self.to.as_ref().map_or(Value::Null, |to| to.0.clone())),
            ("canary", json!(self.canary)),
            ("canaryWait", json!(self.canary_wait)),
            ("canaryMaxReturned", json!(self.canary_max_returned)),
            ("maxQueueDepth", json!(self.max_queue_depth)),
            ("routingKey", if self.keep_routing_key { json!("original") } else { Value::Null }),
            ("again", if self.again { json!(true) } else { Value::Null }),
        ])
    }
}

/// Where redelivered messages go, as the API takes it.
#[derive(Clone, Debug)]
pub(super) struct Target(Value);

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let explicit = |exchange: &str, key: &str| json!({ "exchange": exchange, "routingKey": key });
        match (text, text.strip_prefix("queue:"), text.strip_prefix("exchange:")) {
            ("queue" | "exchange", ..) => Ok(Self(json!(text))),
            (_, Some(queue), _) => Ok(Self(explicit("", queue))),
            (_, _, Some(rest)) => {
                let (exchange, key) = rest.split_once('/').ok_or("must be exchange:NAME/ROUTING-KEY")?;
                Ok(Self(explicit(exchange, key)))
            }
            _ => Err(
                "must be queue, exchange, queue:NAME or exchange:NAME/ROUTING-KEY; for a time of arrival there is \
                      --until",
            ),
        }
    }
}

impl Target {
    /// For people; without any, messages go to the queue that each died in.
    pub(super) fn said(target: Option<&Self>) -> String {
        let Some(Self(target)) = target else { return "to the queues that they died in".into() };
        match (target.as_str(), field(target, "exchange"), field(target, "routingKey")) {
            (Some("exchange"), ..) => "to the exchanges that they had been published to".into(),
            (Some(_), ..) => Self::said(None),
            (None, exchange, queue) if exchange.is_empty() => format!("to the queue {queue}"),
            (None, exchange, key) => format!("to the exchange {exchange} with the routing key {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_and_said() {
        for (text, json, said) in [
            ("queue", json!("queue"), "to the queues that they died in"),
            ("exchange", json!("exchange"), "to the exchanges that they had been published to"),
            ("queue:a/b", json!({"exchange": "", "routingKey": "a/b"}), "to the queue a/b"),
            (
                "exchange:e/a/b",
                json!({"exchange": "e", "routingKey": "a/b"}),
                "to the exchange e with the routing key a/b",
            ),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((&target.0, &*Target::said(Some(&target))), (&json, said));
        }
        assert!("exchange:e".parse::<Target>().is_err() && "2026-01-01T00:00:00Z".parse::<Target>().is_err());
    }
}
