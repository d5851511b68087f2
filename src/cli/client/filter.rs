//! The API's filter as flags, each named like its parameter.

use clap::Args;
use serde_json::{Map, Value};

use super::api::Pairs;
use super::when::time_or_age;

/// Which dead letters: every condition must hold.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filter")]
pub(super) struct FilterArgs {
    /// Of this squad; `unowned` for services that nobody owns
    #[arg(long)]
    squad: Option<String>,
    /// Service whose queue it died in; `unknown` where that is not known
    #[arg(long)]
    service: Option<String>,
    /// Broker that it died on, by the name that the server's configuration gives it
    #[arg(long)]
    broker: Option<String>,
    /// Virtual host that it died in
    #[arg(long)]
    vhost: Option<String>,
    /// Queue that it died in
    #[arg(long)]
    queue: Option<String>,
    /// Exchange that it had been published to; empty for the default exchange
    #[arg(long)]
    exchange: Option<String>,
    /// Routing key that it had been published with
    #[arg(long)]
    routing_key: Option<String>,
    /// Message id
    #[arg(long)]
    message_id: Option<String>,
    /// Correlation id
    #[arg(long)]
    correlation_id: Option<String>,
    /// Type of the message
    #[arg(long)]
    r#type: Option<String>,
    /// Text within the error's type or message, whatever its case
    #[arg(long)]
    error: Option<String>,
    /// Error group
    #[arg(long, value_name = "ID")]
    error_group: Option<String>,
    /// The broker's reason: `rejected`, `expired`, `maxlen` or `delivery_limit`
    #[arg(long)]
    reason: Option<String>,
    /// The failure convention, such as `native`
    #[arg(long)]
    convention: Option<String>,
    /// `dead` (the default), `redelivered`, `deleted` or `any`
    #[arg(long)]
    status: Option<String>,
    /// Arrived at or after this time: RFC 3339, or how long ago, such as `2h`
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    from: Option<String>,
    // Not `--to`: that says where messages go, where they go somewhere.
    /// Arrived before this time: RFC 3339, or how long ago
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    until: Option<String>,
    /// Died at or after this time, as the message tells: RFC 3339, or how long ago
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    died_from: Option<String>,
    /// Died before this time, as the message tells: RFC 3339, or how long ago
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    died_to: Option<String>,
    /// Text within the body, or bytes as `hex:00ff`
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Died at least so often
    #[arg(long, value_name = "NUMBER")]
    min_attempt: Option<String>,
    /// Died again after a redelivery from here; `--returned=false`: did not
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    returned: Option<String>,
    /// An id of any kind, whole or shortened; else a text within the error, the body, or a header's value
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    find: Option<String>,
    /// A header and its value: `tenant=acme`; several times for several headers
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    header: Vec<(String, String)>,
    /// A path in a JSON body and the value there: `order.id=4711`, `items.0.sku=a`; several times for several paths
    #[arg(long, value_name = "PATH=VALUE", value_parser = named)]
    body: Vec<(String, String)>,
}

/// A name and a value.
fn named(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be a name, `=`, and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl FilterArgs {
    /// As a query.
    pub(super) fn pairs(&self) -> Pairs {
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
            ("find", &self.find),
        ];
        let given = all.into_iter().filter_map(|(name, value)| Some((name.into(), value.clone()?)));
        let headers =
            self.header.iter().map(|(name, value)| (format!("header.{name}").into(), value.clone()));
        let paths = self.body.iter().map(|(path, value)| (format!("body.{path}").into(), value.clone()));
        given.chain(headers).chain(paths).collect()
    }

    /// As the member `filter` of a request.
    pub(super) fn json(&self) -> Map<String, Value> {
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
    use clap::CommandFactory;

    use crate::cli::Cli;

    /// A parameter of the API that is new is to be a flag, too.
    #[test]
    fn every_parameter_of_the_search_is_a_flag() {
        let cli = Cli::command();
        let document = serde_json::to_value(crate::http::document()).unwrap();
        for (command, path) in [("ls", "/dead-letters"), ("groups", "/dead-letters/error-groups")] {
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

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
