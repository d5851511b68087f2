//! What the management API answers, as far as we read it. `RabbitMQ` 3.10 to 4.3 leave out different fields, and write an empty table
//! as a list.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Arguments, or the definition of a policy.
pub type Table = Map<String, Value>;

/// The broker.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Overview {
    /// `RabbitMQ`.
    pub product_name: String,
    /// Its version, such as `4.0.5`.
    pub rabbitmq_version: String,
    /// The name of the cluster.
    pub cluster_name: String,
}

/// A queue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// The virtual host.
    pub vhost: String,
    /// `classic`, `quorum` or `stream`; absent for classic queues of old versions.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it survives a restart.
    pub durable: bool,
    /// Whether it is deleted with its last consumer.
    pub auto_delete: bool,
    /// Whether it belongs to a connection, and is deleted with it.
    pub exclusive: bool,
    /// The arguments that it was declared with.
    #[serde(deserialize_with = "table")]
    pub arguments: Table,
    /// The policy that applies.
    #[serde(deserialize_with = "name")]
    pub policy: Option<String>,
    /// The operator policy that applies.
    #[serde(deserialize_with = "name")]
    pub operator_policy: Option<String>,
    /// Dead letters that wait in the dead-letter worker of a quorum queue.
    pub messages_dlx: u64,
    /// Counters of messages.
    #[serde(deserialize_with = "table")]
    pub message_stats: Table,
    /// Both policies together.
    #[serde(deserialize_with = "table")]
    pub effective_policy_definition: Table,
}

impl Queue {
    /// Messages that were ever routed to it, as far as the broker counts.
    pub fn taken(&self) -> u64 {
        self.message_stats.get("publish").and_then(Value::as_u64).unwrap_or_default()
    }
}

/// An exchange.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Exchange {
    /// Its name. That of the default exchange is empty.
    pub name: String,
    /// The virtual host.
    pub vhost: String,
    /// `direct`, `fanout`, `topic`, `headers`, or a plugin's.
    #[serde(rename = "type")]
    pub kind: String,
    /// The arguments that it was declared with.
    #[serde(deserialize_with = "table")]
    pub arguments: Table,
    /// The policy that applies.
    #[serde(deserialize_with = "name")]
    pub policy: Option<String>,
}

/// A binding from an exchange to a queue or another exchange.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Binding {
    /// The exchange.
    pub source: String,
    /// The virtual host.
    pub vhost: String,
    /// The queue or exchange.
    pub destination: String,
    /// `queue` or `exchange`.
    pub destination_type: String,
    /// The routing key or pattern.
    pub routing_key: String,
    /// The arguments, which headers exchanges use.
    #[serde(deserialize_with = "table")]
    pub arguments: Table,
}

/// A policy or an operator policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The virtual host.
    pub vhost: String,
    /// The regular expression for names of queues or exchanges.
    pub pattern: String,
    /// `queues`, `exchanges`, `all`, or a type of queues.
    #[serde(rename = "apply-to")]
    pub apply_to: String,
    /// The one with the highest priority applies.
    pub priority: i64,
    /// What it sets.
    #[serde(deserialize_with = "table")]
    pub definition: Table,
}

fn table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(table) => Ok(table),
        _ => Ok(Table::new()),
    }
}

/// An absent name is `null`, an empty text or an empty list.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(name) if !name.is_empty() => Ok(Some(name)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_a_version_leaves_out_are_as_if_empty() {
        let old = r#"{"name":"q","vhost":"/","durable":true,"arguments":{},"policy":"","effective_policy_definition":[],"pid":"x"}"#;
        let queue: Queue = serde_json::from_str(old).unwrap();
        assert!(queue.kind.is_none() && queue.policy.is_none() && queue.durable && !queue.exclusive);
        let new = r#"{"name":"q","type":"quorum","policy":"p","operator_policy":null,"effective_policy_definition":{"max-length":9}}"#;
        let queue: Queue = serde_json::from_str(new).unwrap();
        assert_eq!((queue.kind.as_deref(), queue.policy.as_deref()), (Some("quorum"), Some("p")));
        assert_eq!(queue.effective_policy_definition["max-length"], 9);
    }
}
