//! Dead-lettering with a reason: a native reject can't carry one, so the consumer publishes a copy of the message to
//! the dead-letter exchange, with headers that tell what happened and where, and acks the original once the copy is
//! confirmed.
//!
//! Dying in between leaves two messages, never none.

use anyhow::{Context, Result, ensure};
use lapin::message::Delivery;
use lapin::options::BasicPublishOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation};

use crate::amqp::{DEAD_LETTER, text};
use crate::clock;

/// What the copy tells beyond the message itself.
#[derive(Debug)]
pub(super) struct Reason<'a> {
    pub(super) queue: &'a str,
    pub(super) error_type: &'a str,
    pub(super) message: &'a str,
    pub(super) stack: &'a str,
}

/// Publishes the copy, and returns once the broker has it.
pub(super) async fn publish(channel: &Channel, delivery: &Delivery, reason: &Reason<'_>) -> Result<()> {
    let headers = headers(delivery, reason, &clock::rfc3339());
    let properties = delivery.properties.clone().with_headers(headers);
    publish_confirmed(channel, DEAD_LETTER, delivery.routing_key.as_str(), &delivery.data, properties).await
}

/// Publishes one message that must be routed, and waits for its confirm.
pub(super) async fn publish_confirmed(
    channel: &Channel,
    exchange: &str,
    routing_key: &str,
    body: &[u8],
    properties: lapin::BasicProperties,
) -> Result<()> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirmation = channel
        .basic_publish(exchange.into(), routing_key.into(), options, body, properties)
        .await
        .context("cannot publish")?
        .await
        .context("no confirm")?;
    ensure!(confirmation == Confirmation::Ack(None), "the broker did not take a message to `{exchange}`");
    Ok(())
}

fn headers(delivery: &Delivery, reason: &Reason<'_>, failed_at: &str) -> FieldTable {
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    for (key, value) in [
        ("dead-letter-error-type", reason.error_type),
        ("dead-letter-error-message", reason.message),
        ("dead-letter-error-stack", reason.stack),
        ("dead-letter-origin-queue", reason.queue),
        ("dead-letter-origin-exchange", delivery.exchange.as_str()),
        ("dead-letter-origin-routing-key", delivery.routing_key.as_str()),
        ("dead-letter-failed-at", failed_at),
    ] {
        headers.insert(key.into(), text(value));
    }
    headers
}

#[cfg(test)]
mod tests {
    use lapin::types::AMQPValue;

    use super::*;

    #[test]
    fn the_copy_keeps_the_headers_and_tells_the_origin() {
        let mut delivery =
            Delivery::mock(1, "demo-orders".into(), "orders.OrderPlaced".into(), false, b"{}".to_vec());
        let mut before = FieldTable::default();
        before.insert("dead-letter-redelivery-id".into(), text("r-1"));
        before.insert("dead-letter-error-type".into(), text("an earlier one"));
        delivery.properties = delivery.properties.clone().with_headers(before);

        let reason = Reason { queue: "demo-orders_webshop", error_type: "Boom", message: "m", stack: "s" };
        let headers = headers(&delivery, &reason, "2026-01-01T00:00:00.000Z");
        for (key, value) in [
            ("dead-letter-redelivery-id", "r-1"),
            ("dead-letter-error-type", "Boom"),
            ("dead-letter-origin-queue", "demo-orders_webshop"),
            ("dead-letter-origin-exchange", "demo-orders"),
            ("dead-letter-origin-routing-key", "orders.OrderPlaced"),
            ("dead-letter-failed-at", "2026-01-01T00:00:00.000Z"),
        ] {
            let AMQPValue::LongString(found) = &headers.inner()[key] else {
                panic!("{key} is no long string");
            };
            assert_eq!(found.as_bytes(), value.as_bytes(), "{key}");
        }
    }
}
