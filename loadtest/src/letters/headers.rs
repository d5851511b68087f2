//! The headers of a dead letter: those that the broker adds, in its own types, and those of our own convention.

use lapin::types::{AMQPValue, FieldArray, FieldTable};
use rand::Rng;
use rand::rngs::StdRng;

use super::failures::Failure;
use crate::amqp::text;

/// One death, as `x-death` tells it.
#[derive(Debug)]
pub(super) struct Death<'a> {
    pub(super) reason: &'static str,
    pub(super) exchange: &'a str,
    pub(super) queue: &'a str,
    pub(super) routing_key: &'a str,
    /// Seconds since 1970.
    pub(super) time: u64,
}

/// Most messages die because a consumer rejects them.
pub(super) fn draw_reason(rng: &mut StdRng) -> &'static str {
    match rng.random_range(0..100) {
        0..90 => "rejected",
        90..96 => "expired",
        96..99 => "delivery_limit",
        _ => "maxlen",
    }
}

/// A W3C trace context, sampled.
pub(super) fn draw_traceparent(rng: &mut StdRng) -> String {
    format!("00-{:032x}-{:016x}-01", rng.random::<u128>(), rng.random::<u64>())
}

/// The headers that a message was published with.
pub(super) fn live(traceparent: &str) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), text(traceparent));
    headers
}

/// The headers that a message has in a dead-letter queue.
pub(super) fn dead(death: &Death<'_>, failure: &Failure, traceparent: &str) -> FieldTable {
    let mut headers = live(traceparent);
    headers.insert("x-death".into(), AMQPValue::FieldArray(FieldArray::from(vec![entry(death)])));
    for (key, value) in [
        ("x-first-death-exchange", death.exchange),
        ("x-first-death-queue", death.queue),
        ("x-first-death-reason", death.reason),
        ("x-last-death-exchange", death.exchange),
        ("x-last-death-queue", death.queue),
        ("x-last-death-reason", death.reason),
    ] {
        headers.insert(key.into(), text(value));
    }
    // Only a consumer can tell what went wrong: what expired, or had no room, was never looked at.
    if death.reason == "rejected" {
        headers.insert("dead-letter-error-type".into(), text(failure.error_type.as_str()));
        headers.insert("dead-letter-error-message".into(), text(failure.message.as_str()));
        headers.insert("dead-letter-error-stack".into(), text(failure.stack.as_str()));
    }
    headers
}

fn entry(death: &Death<'_>) -> AMQPValue {
    let mut entry = FieldTable::default();
    entry.insert("count".into(), AMQPValue::LongLongInt(1));
    entry.insert("exchange".into(), text(death.exchange));
    entry.insert("queue".into(), text(death.queue));
    entry.insert("reason".into(), text(death.reason));
    entry.insert(
        "routing-keys".into(),
        AMQPValue::FieldArray(FieldArray::from(vec![text(death.routing_key)])),
    );
    entry.insert("time".into(), AMQPValue::Timestamp(death.time));
    AMQPValue::FieldTable(entry)
}
