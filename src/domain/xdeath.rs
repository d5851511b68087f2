//! `x-death`, the history that `RabbitMQ` writes into a message each time it dead-letters it.
//!
//! The header is an array with one table for each pair of queue and reason, the most recently *moved* pair first. A
//! repeated death moves its pair to the front, so the last element is not always the first death: the broker's
//! `x-first-death-queue` and `x-first-death-reason` name that one (rabbitmq.com/docs/dlx).

use chrono::{DateTime, Utc};

use super::message::{Properties, Table, Value, storable_text};

/// What `x-death` says of a message, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deaths {
    /// Queue of the first death.
    pub queue: Option<String>,
    /// Exchange that the message had been published to before its first death; empty for the default exchange.
    pub exchange: Option<String>,
    /// Routing key that it had been published with.
    pub routing_key: Option<String>,
    /// Reason of the first death: `rejected`, `expired`, `maxlen` or `delivery_limit`.
    pub reason: Option<String>,
    /// Time of the first death, in seconds since 1970.
    pub first_seconds: Option<u64>,
    /// The latest of the times in the history, in seconds since 1970.
    pub latest_seconds: Option<u64>,
    /// How often the message died, over all queues and reasons; 0 where there is no history.
    pub count: i64,
}

/// Reads the history; whatever is missing or of another type than it should be stays unknown.
pub fn read(properties: &Properties) -> Deaths {
    let entries: Vec<&Table> = properties
        .header("x-death")
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_table)
        .collect();
    let first_queue = text(properties.header("x-first-death-queue"));
    let first_reason = text(properties.header("x-first-death-reason"));
    let first = entries
        .iter()
        .find(|entry| {
            first_queue.is_some()
                && text(entry.get("queue")) == first_queue
                && text(entry.get("reason")) == first_reason
        })
        .or(entries.last());
    let field = |name| first.and_then(|entry| text(entry.get(name)));
    Deaths {
        queue: first_queue.clone().or_else(|| field("queue")),
        exchange: field("exchange").or_else(|| text(properties.header("x-first-death-exchange"))),
        routing_key: first
            .and_then(|entry| entry.get("routing-keys")?.as_array()?.first())
            .and_then(|key| text(Some(key))),
        reason: first_reason.clone().or_else(|| field("reason")),
        first_seconds: first.and_then(|entry| seconds(entry)),
        latest_seconds: entries.iter().filter_map(|entry| seconds(entry)).max(),
        count: entries
            .iter()
            .map(|entry| entry.get("count").and_then(Value::as_i64).unwrap_or(1).max(1))
            .fold(0, i64::saturating_add),
    }
}

/// A broker's time, where it lies in the years that anyone can mean; at the edges of `u64` it is no time at all.
pub fn time(seconds: u64) -> Option<DateTime<Utc>> {
    const YEAR_10000: i64 = 253_402_300_800;
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds < YEAR_10000)?;
    DateTime::from_timestamp(seconds, 0)
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::LongString(bytes) | Value::Bytes(bytes) => Some(storable_text(bytes, 255)),
        _ => None,
    }
}

fn seconds(entry: &Table) -> Option<u64> {
    match entry.get("time")? {
        Value::Timestamp(seconds) => Some(*seconds),
        other => other.as_i64().and_then(|seconds| seconds.try_into().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death(queue: &str, reason: &str, count: i64, time: u64) -> Value {
        Value::Table(Table(vec![
            (b"queue".to_vec(), Value::text(queue)),
            (b"reason".to_vec(), Value::text(reason)),
            (b"count".to_vec(), Value::I64(count)),
            (b"time".to_vec(), Value::Timestamp(time)),
            (b"exchange".to_vec(), Value::text(format!("x-{queue}"))),
            (
                b"routing-keys".to_vec(),
                Value::Array(vec![Value::text(format!("k-{queue}")), Value::text("cc")]),
            ),
        ]))
    }

    fn with(headers: Vec<(&str, Value)>) -> Properties {
        Properties {
            headers: Some(Table(headers.into_iter().map(|(k, v)| (k.as_bytes().to_vec(), v)).collect())),
            ..Properties::default()
        }
    }

    #[test]
    fn a_retry_loop_began_where_the_broker_says_not_at_the_last_element() {
        // work rejects → retry expires → work rejects again: that pair moves to the front.
        let deaths = read(&with(vec![
            (
                "x-death",
                Value::Array(vec![death("work", "rejected", 2, 100), death("retry", "expired", 1, 160)]),
            ),
            ("x-first-death-queue", Value::text("work")),
            ("x-first-death-reason", Value::text("rejected")),
        ]));
        assert_eq!(deaths.queue.as_deref(), Some("work"));
        assert_eq!(deaths.exchange.as_deref(), Some("x-work"));
        assert_eq!(deaths.routing_key.as_deref(), Some("k-work"));
        assert_eq!(deaths.reason.as_deref(), Some("rejected"));
        assert_eq!((deaths.first_seconds, deaths.latest_seconds, deaths.count), (Some(100), Some(160), 3));
    }

    #[test]
    fn without_the_first_death_headers_the_last_element_is_the_best_guess() {
        let deaths = read(&with(vec![(
            "x-death",
            Value::Array(vec![death("retry", "expired", 1, 5), death("work", "rejected", 1, 4)]),
        )]));
        assert_eq!(deaths.queue.as_deref(), Some("work"));
    }

    #[test]
    fn what_is_not_an_array_or_not_a_table_is_unknown_not_an_error() {
        assert_eq!(read(&with(vec![("x-death", Value::text("nonsense"))])), Deaths::default());
        assert_eq!(read(&with(vec![("x-death", Value::Array(vec![Value::I8(1)]))])), Deaths::default());
        assert_eq!(read(&Properties::default()), Deaths::default());
    }
}
