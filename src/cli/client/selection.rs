//! Which dead letters a plan or an operation is about.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::ending::Failure;
use super::filter::FilterArgs;

/// Ids, or a filter, or all of them.
#[derive(Args, Clone, Debug)]
pub(super) struct SelectionArgs {
    /// These dead letters
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<Uuid>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// All of them
    #[arg(long)]
    pub(super) all: bool,
    /// At most so many, the first by --order
    #[arg(long, value_name = "NUMBER")]
    pub(super) limit: Option<i64>,
    /// `newest` (the default) or `oldest` arrival first
    #[arg(long)]
    pub(super) order: Option<String>,
}

impl SelectionArgs {
    /// Whether nothing of it was given.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.filter.pairs().is_empty() && !self.all
    }

    /// Whether anything was given that a plan has settled already.
    pub(super) fn contradicts_plan(&self) -> bool {
        !self.is_empty() || self.limit.is_some() || self.order.is_some()
    }

    /// As the body of a request.
    pub(super) fn body(&self) -> Result<Map<String, Value>, Failure> {
        let filter = self.filter.json();
        let selection = match (self.ids.is_empty(), filter.is_empty(), self.all) {
            (false, true, false) => json!({ "ids": self.ids }),
            (true, false, false) => json!({ "filter": filter }),
            (true, true, true) => json!({ "filter": {}, "all": true }),
            (true, true, false) => {
                return Err(Failure::Refused("nothing is selected: give ids, or a filter, or --all".into()));
            }
            _ => return Err(Failure::Refused("give one of ids, a filter, --all".into())),
        };
        let options = [("limit", json!(self.limit)), ("order", json!(self.order))];
        let options = options.into_iter().filter(|(_, value)| !value.is_null());
        let mut body: Map<_, _> = options.map(|(name, value)| (name.to_owned(), value)).collect();
        body.extend(selection.as_object().cloned().unwrap_or_default());
        Ok(body)
    }
}

/// Where redelivered messages go.
#[derive(Clone, Debug)]
pub(super) struct Target(pub(super) Value);

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let explicit = |exchange: &str, key: &str| json!({ "exchange": exchange, "routingKey": key });
        Ok(Self(match text {
            "queue" | "exchange" => json!(text),
            text => match (text.strip_prefix("queue:"), text.strip_prefix("exchange:")) {
                (Some(queue), _) => explicit("", queue),
                (None, Some(rest)) => {
                    let (exchange, key) = rest.split_once('/').ok_or("is exchange:NAME/ROUTING-KEY")?;
                    explicit(exchange, key)
                }
                (None, None) => {
                    return Err("is queue, exchange, queue:NAME or exchange:NAME/ROUTING-KEY \
                                (for a time of arrival, use --until)");
                }
            },
        }))
    }
}

impl Target {
    /// For people; `None` is the queue that each died in.
    pub(super) fn said(target: Option<&Self>) -> String {
        let part = |name: &str| match target {
            Some(Self(target)) => super::text::field(target, name),
            None => String::new(),
        };
        match target.and_then(|target| target.0.as_str()) {
            Some("exchange") => " to the exchanges that they had been published to".into(),
            None if target.is_some() => match part("exchange") {
                exchange if exchange.is_empty() => format!(" to the queue {}", part("routingKey")),
                exchange => {
                    format!(" to the exchange {exchange} with the routing key {}", part("routingKey"))
                }
            },
            _ => " to the queues that they died in".into(),
        }
    }
}
