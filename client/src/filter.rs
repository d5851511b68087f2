//! The filter of the API as flags, each named like its parameter.

use clap::Args;
use serde_json::{Map, Value};

use crate::api::Pairs;
use crate::when::time_or_age;

/// All conditions must hold.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filter")]
pub(crate) struct FilterArgs {
    /// Squad that owns the service; `unowned` for services without an owner
    #[arg(long)]
    squad: Option<String>,
    /// Service that owns the queue where the message died; `unknown` if that is not known
    #[arg(long)]
    service: Option<String>,
    /// Broker where the message died, by its configured name
    #[arg(long)]
    broker: Option<String>,
    /// Virtual host where the message died
    #[arg(long)]
    vhost: Option<String>,
    /// Queue where the message died
    #[arg(long)]
    queue: Option<String>,
    /// Exchange that the message was published to; empty for the default exchange
    #[arg(long)]
    exchange: Option<String>,
    /// Routing key that the message was published with
    #[arg(long)]
    routing_key: Option<String>,
    /// Message id
    #[arg(long)]
    message_id: Option<String>,
    /// Correlation id
    #[arg(long)]
    correlation_id: Option<String>,
    /// Message type
    #[arg(long)]
    r#type: Option<String>,
    /// Text in the error's type or message; case is ignored
    #[arg(long)]
    error: Option<String>,
    /// Error group
    #[arg(long, value_name = "ID")]
    error_group: Option<String>,
    /// Reason given by the broker: `rejected`, `expired`, `maxlen` or `delivery_limit`
    #[arg(long)]
    reason: Option<String>,
    /// Failure convention, such as `native`
    #[arg(long)]
    convention: Option<String>,
    /// Status: `dead` (default), `redelivered`, `deleted` or `any`
    #[arg(long)]
    status: Option<String>,
    /// Arrived at or after this time: RFC 3339, an age such as `2h`, or a time of day such as `22:00`
    #[arg(long, visible_alias = "since", value_name = "TIME", value_parser = time_or_age)]
    from: Option<String>,
    // Not `--to`, which is the target of a redelivery.
    /// Arrived before this time: RFC 3339, or an age
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    until: Option<String>,
    /// Died at or after this time, according to the message: RFC 3339, or an age
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    died_from: Option<String>,
    /// Died before this time, according to the message: RFC 3339, or an age
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    died_to: Option<String>,
    /// Text in the body, or bytes as `hex:00ff`
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Died at least this many times
    #[arg(long, value_name = "NUMBER")]
    min_attempt: Option<String>,
    /// Died again after a redelivery by dead-letter; `--returned=false` selects all others
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    returned: Option<String>,
    /// Died again after this operation redelivered it
    #[arg(long, value_name = "OPERATION")]
    returned_from: Option<String>,
    /// Id of any kind, in full or shortened; otherwise text in the error, the body or a header value
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    find: Option<String>,
    /// The `app-id` property
    #[arg(long)]
    app_id: Option<String>,
    /// The `user-id` property
    #[arg(long)]
    user_id: Option<String>,
    /// The `content-type` property
    #[arg(long)]
    content_type: Option<String>,
    /// Header and its value: `tenant=acme`; repeat the flag for several headers
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    header: Vec<(String, String)>,
    /// Path in a JSON body and its value: `order.id=4711`, `items.0.sku=a`; repeat the flag for several paths
    #[arg(long, value_name = "PATH=VALUE", value_parser = named)]
    body: Vec<(String, String)>,
}

fn named(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected a name and a value, separated by `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl FilterArgs {
    /// The filter as a query.
    pub(crate) fn pairs(&self) -> Pairs {
        let all = [
            ("squad", &self.squad),
            ("service", &self.service),
            ("broker", &self.broker),
            ("vhost", &self.vhost),
            ("queue", &self.queue),
            ("exchange", &self.exchange),
            ("routingKey", &self.routing_key),
            ("messageId", &self.message_id),
            ("correlationId", &self.correlation_id),
            ("type", &self.r#type),
            ("error", &self.error),
            ("errorGroup", &self.error_group),
            ("reason", &self.reason),
            ("convention", &self.convention),
            ("status", &self.status),
            ("from", &self.from),
            ("to", &self.until),
            ("diedFrom", &self.died_from),
            ("diedTo", &self.died_to),
            ("contains", &self.contains),
            ("minAttempt", &self.min_attempt),
            ("returned", &self.returned),
            ("returnedFrom", &self.returned_from),
            ("find", &self.find),
            ("appId", &self.app_id),
            ("userId", &self.user_id),
            ("contentType", &self.content_type),
        ];
        let given = all.into_iter().filter_map(|(name, value)| Some((name.into(), value.clone()?)));
        let headers =
            self.header.iter().map(|(name, value)| (format!("header.{name}").into(), value.clone()));
        let paths = self.body.iter().map(|(path, value)| (format!("body.{path}").into(), value.clone()));
        given.chain(headers).chain(paths).collect()
    }

    /// The filter as the member `filter` of a request.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        for (name, value) in self.pairs() {
            let (outer, inner) = match name.split_once('.') {
                Some(("header", header)) => ("headers", header),
                Some((_, path)) => ("bodyPaths", path),
                None => {
                    members.insert(name.into_owned(), Value::String(value));
                    continue;
                }
            };
            members.entry(outer).or_insert_with(|| Value::Object(Map::new()))[inner] = Value::String(value);
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand};
    use serde_json::Value;

    use crate::ClientCommand;

    /// A new parameter of the API must become a flag, too.
    #[test]
    fn every_parameter_of_the_search_is_a_flag() {
        let cli = ClientCommand::augment_subcommands(Command::new("dead-letter"));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (command, path) in [
            ("ls", "/dead-letters"),
            ("groups", "/dead-letters/error-groups"),
            ("facets", "/dead-letters/facets"),
        ] {
            let command = cli.find_subcommand(command).unwrap();
            let flags: Vec<_> = command
                .get_arguments()
                .filter_map(clap::Arg::get_long_and_visible_aliases)
                .flatten()
                .collect();
            for parameter in document["paths"][path]["get"]["parameters"].as_array().unwrap() {
                let name = parameter["name"].as_str().unwrap();
                let kebab: String = name
                    .chars()
                    .flat_map(|c| if c.is_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] })
                    .collect();
                let kebab = kebab.trim_end_matches(".*").to_owned();
                assert!(flags.contains(&&*kebab) || name == "cursor", "{name} of {path}");
            }
        }
    }
}
