//! Commands for a shell, which people copy.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::management::{Binding, Table};

/// What a segment of a path may have as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A word as a shell reads it.
pub(super) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

/// A queue's or a policy's own pattern.
pub(super) fn only(name: &str) -> String {
    format!("^{}$", regex::escape(name))
}

/// `rabbitmqctl set_policy`, or `set_operator_policy`.
pub(super) struct SetPolicy<'a> {
    pub command: &'static str,
    pub vhost: &'a str,
    pub name: &'a str,
    pub pattern: &'a str,
    pub definition: &'a Table,
    pub priority: i64,
    pub apply_to: &'a str,
}

impl SetPolicy<'_> {
    pub fn line(&self) -> String {
        let definition = Value::Object(self.definition.clone()).to_string();
        format!(
            "rabbitmqctl {} --vhost {} --priority {} --apply-to {} {} {} {}",
            self.command,
            quoted(self.vhost),
            self.priority,
            quoted(self.apply_to),
            quoted(self.name),
            quoted(self.pattern),
            quoted(&definition)
        )
    }
}

/// `rabbitmqctl delete_queue`. Only classic queues can be asked to stay if they are not empty.
pub(super) fn delete_queue(vhost: &str, queue: &str, kind: &str) -> String {
    let only_if = if kind == "classic" { " --if-empty" } else { "" };
    format!("rabbitmqctl delete_queue --vhost {} {}{only_if}", quoted(vhost), quoted(queue))
}

/// Requests to the management API, for which `rabbitmqctl` has no command.
pub(super) struct Curl<'a> {
    /// The address, which ends with a slash.
    pub address: &'a str,
    pub vhost: &'a str,
}

impl Curl<'_> {
    pub fn declare_queue(&self, queue: &str, arguments: &Table) -> String {
        let body = json!({"durable": true, "auto_delete": false, "arguments": arguments});
        self.line("PUT", &["queues", self.vhost, queue], Some(&body))
    }

    pub fn declare_exchange(&self, exchange: &str) -> String {
        let body = json!({"type": "topic", "durable": true, "auto_delete": false, "arguments": {}});
        self.line("PUT", &["exchanges", self.vhost, exchange], Some(&body))
    }

    pub fn delete_exchange(&self, exchange: &str) -> String {
        self.line("DELETE", &["exchanges", self.vhost, exchange], None)
    }

    pub fn bind(&self, exchange: &str, queue: &str, key: &str) -> String {
        let body = json!({"routing_key": key, "arguments": {}});
        self.line("POST", &["bindings", self.vhost, "e", exchange, "q", queue], Some(&body))
    }

    pub fn bind_again(&self, binding: &Binding) -> String {
        let to = if binding.destination_type == "queue" { "q" } else { "e" };
        let body = json!({"routing_key": binding.routing_key, "arguments": binding.arguments});
        let path = ["bindings", self.vhost, "e", &binding.source, to, &binding.destination];
        self.line("POST", &path, Some(&body))
    }

    /// `USER` is for people to replace: the one of the address may have no right to change anything.
    fn line(&self, method: &str, path: &[&str], body: Option<&Value>) -> String {
        let segments: Vec<_> =
            path.iter().map(|part| utf8_percent_encode(part, SEGMENT).to_string()).collect();
        let url = format!("{}api/{}", self.address, segments.join("/"));
        let data = body.map_or_else(String::new, |body| {
            format!(" --header 'content-type: application/json' --data {}", quoted(&body.to_string()))
        });
        format!("curl --fail --user USER --request {method}{data} {}", quoted(&url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, line) in
            [("a.b-c", "a.b-c"), ("", "''"), ("it's", r"'it'\''s'"), ("^a$", "'^a$'"), ("a b", "'a b'")]
        {
            assert_eq!(quoted(word), line);
        }
        let curl = Curl { address: "http://rabbit:15672/", vhost: "/" };
        assert_eq!(
            curl.bind("it's", "q", "#"),
            "curl --fail --user USER --request POST --header 'content-type: application/json' \
             --data '{\"arguments\":{},\"routing_key\":\"#\"}' http://rabbit:15672/api/bindings/%2F/e/it%27s/q/q"
        );
        assert_eq!(only("a.b"), r"^a\.b$");
    }
}
