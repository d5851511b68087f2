//! `x-death`, the history that `RabbitMQ` writes into a message each time it dead-letters it.
//!
//! The header is an array with one table for each pair of queue and reason, the most recently *moved* pair first. A repeated
//! death moves its pair to the front and leaves the pair's time, exchange and routing keys as they were at its first death; so
//! the last element is not always the first death: the broker's `x-first-death-queue` and `x-first-death-reason` name that one
//! (rabbitmq.com/docs/dlx).
//!
//! A message died where a consumer failed it: the newest `rejected` or `delivery_limit`. To expire is how messages wait, in the
//! queues of delays and of retries; only of a message that nobody failed it is the death (rule R15).

use chrono::{DateTime, Utc};

use super::headers::X_DEATH;
use super::message::{Properties, Table, Value, storable_text};

/// What `x-death` says of a message, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deaths {
    /// Queue that it died in.
    pub queue: Option<String>,
    /// Exchange through which it came into that queue, the first time that it died there so; empty for the default exchange. In
    /// a chain of delays that is the last hop, which leads into the queue again at once.
    pub exchange: Option<String>,
    /// Routing key that it came with.
    pub routing_key: Option<String>,
    /// Reason: `rejected`, `expired`, `maxlen` or `delivery_limit`.
    pub reason: Option<String>,
    /// Whether a consumer failed it there. Otherwise it may have waited there only.
    pub is_failure: bool,
    /// Time of the first death in that queue for that reason, in seconds since 1970.
    pub seconds: Option<u64>,
    /// The latest of the times in the history, in seconds since 1970.
    pub latest_seconds: Option<u64>,
    /// How often consumers failed it, over all queues; how often it died at all where none did; 0 where there is no history.
    pub count: i64,
}

/// Reads the history; whatever is missing or of another type than it should be stays unknown.
pub fn read(properties: &Properties) -> Deaths {
    let entries: Vec<&Table> = properties
        .header(X_DEATH)
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_table)
        .collect();
    let failure = entries.iter().find(|entry| is_failure(entry)).copied();
    let first = || {
        let queue = bytes(properties.header("x-first-death-queue"))?;
        let reason = bytes(properties.header("x-first-death-reason"));
        entries
            .iter()
            .copied()
            .find(|entry| bytes(entry.get("queue")) == Some(queue) && bytes(entry.get("reason")) == reason)
    };
    let entry = failure.or_else(first).or(entries.last().copied());
    let field = |name| entry.and_then(|entry| text(entry.get(name)));
    let of_the_first = |name| if failure.is_some() { None } else { text(properties.header(name)) };
    let deaths = entries.iter().filter(|entry| failure.is_none() || is_failure(entry));
    Deaths {
        queue: of_the_first("x-first-death-queue").or_else(|| field("queue")),
        exchange: field("exchange").or_else(|| of_the_first("x-first-death-exchange")),
        routing_key: entry
            .and_then(|entry| entry.get("routing-keys")?.as_array()?.first())
            .and_then(|key| text(Some(key))),
        reason: of_the_first("x-first-death-reason").or_else(|| field("reason")),
        is_failure: failure.is_some(),
        seconds: entry.and_then(seconds),
        latest_seconds: entries.iter().filter_map(|entry| seconds(entry)).max(),
        count: deaths
            .map(|entry| entry.get("count").and_then(Value::as_i64).unwrap_or(1).max(1))
            .fold(0, i64::saturating_add),
    }
}

fn is_failure(entry: &Table) -> bool {
    matches!(bytes(entry.get("reason")), Some(b"rejected" | b"delivery_limit"))
}

/// A broker's time, where it lies in the years that anyone can mean; at the edges of `u64` it is no time at all.
pub fn time(seconds: u64) -> Option<DateTime<Utc>> {
    const YEAR_10000: i64 = 253_402_300_800;
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds < YEAR_10000)?;
    DateTime::from_timestamp(seconds, 0)
}

fn text(value: Option<&Value>) -> Option<String> {
    bytes(value).map(|bytes| storable_text(bytes, 255))
}

fn bytes(value: Option<&Value>) -> Option<&[u8]> {
    match value? {
        Value::LongString(bytes) | Value::Bytes(bytes) => Some(bytes),
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

    fn history(deaths: Vec<Value>, first: (&str, &str)) -> Deaths {
        read(&with(vec![
            ("x-death", Value::Array(deaths)),
            ("x-first-death-queue", Value::text(first.0)),
            ("x-first-death-reason", Value::text(first.1)),
            ("x-first-death-exchange", Value::text("first")),
        ]))
    }

    /// Queue, exchange, routing key, reason.
    fn place(deaths: &Deaths) -> [&str; 4] {
        [&deaths.queue, &deaths.exchange, &deaths.routing_key, &deaths.reason]
            .map(|field| field.as_deref().unwrap_or_default())
    }

    #[test]
    fn it_died_where_it_was_rejected_last_and_not_where_it_waited_before() {
        let deaths = history(
            vec![death("work", "rejected", 1, 160), death("work.delay.500", "expired", 1, 100)],
            ("work.delay.500", "expired"),
        );
        assert_eq!(place(&deaths), ["work", "x-work", "k-work", "rejected"]);
        assert_eq!((deaths.seconds, deaths.latest_seconds, deaths.count), (Some(160), Some(160), 1));
        assert!(deaths.is_failure);
    }

    #[test]
    fn in_a_retry_loop_it_died_where_it_works_however_it_came_here() {
        // work rejects → retry expires → work rejects again: that pair moves to the front, and keeps its time.
        let (work, retry) = (death("work", "rejected", 2, 100), death("retry", "expired", 1, 160));
        for entries in [vec![work.clone(), retry.clone()], vec![retry, work]] {
            let deaths = history(entries, ("work", "rejected"));
            assert_eq!(place(&deaths), ["work", "x-work", "k-work", "rejected"]);
            assert_eq!((deaths.seconds, deaths.latest_seconds, deaths.count), (Some(100), Some(160), 2));
        }
    }

    #[test]
    fn of_several_failures_the_newest_counts() {
        // Forwarded with its old headers, and failed again.
        let deaths = history(
            vec![death("new", "delivery_limit", 1, 9), death("old", "rejected", 3, 5)],
            ("old", "rejected"),
        );
        assert_eq!(place(&deaths), ["new", "x-new", "k-new", "delivery_limit"]);
        assert_eq!((deaths.seconds, deaths.count), (Some(9), 4));
    }

    #[test]
    fn what_nobody_failed_died_first_where_the_broker_says() {
        let deaths = history(
            vec![death("second", "expired", 1, 9), death("first", "maxlen", 1, 5)],
            ("first", "maxlen"),
        );
        assert_eq!(place(&deaths), ["first", "x-first", "k-first", "maxlen"]);
        assert_eq!((deaths.is_failure, deaths.seconds, deaths.count), (false, Some(5), 2));
    }

    #[test]
    fn without_the_first_death_headers_the_last_element_is_the_best_guess() {
        let deaths = read(&with(vec![(
            "x-death",
            Value::Array(vec![death("retry", "expired", 1, 5), death("work", "maxlen", 1, 4)]),
        )]));
        assert_eq!(deaths.queue.as_deref(), Some("work"));
    }

    #[test]
    fn the_first_death_is_the_one_of_its_queue_and_its_reason() {
        let deaths = history(
            vec![
                death("work", "expired", 1, 9),
                death("other", "maxlen", 1, 7),
                death("work", "maxlen", 1, 5),
            ],
            ("work", "maxlen"),
        );
        assert_eq!((deaths.seconds, deaths.latest_seconds), (Some(5), Some(9)));
        let deaths =
            history(vec![death("work", "maxlen", 1, 5), death("other", "expired", 1, 3)], ("work", "maxlen"));
        assert_eq!(deaths.seconds, Some(5));
    }

    #[test]
    fn a_time_is_one_that_anyone_can_mean() {
        assert_eq!(time(0).map(|time| time.timestamp()), Some(0));
        assert!(time(253_402_300_799).is_some());
        assert_eq!((time(253_402_300_800), time(u64::MAX)), (None, None));
    }

    #[test]
    fn what_is_not_an_array_or_not_a_table_is_unknown_not_an_error() {
        assert_eq!(read(&with(vec![("x-death", Value::text("nonsense"))])), Deaths::default());
        assert_eq!(read(&with(vec![("x-death", Value::Array(vec![Value::I8(1)]))])), Deaths::default());
        assert_eq!(read(&Properties::default()), Deaths::default());
    }
}
