//! What the benchmarks have in common: the properties of a realistic dead letter.

use dead_letter::domain::message::{Properties, Table, Value};

/// As a broker dead-letters a message of an instrumented service that tells why it failed.
pub fn properties() -> Properties {
    let table = |entries: Vec<(&str, Value)>| {
        Table(entries.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect())
    };
    let death = table(vec![
        ("count", Value::I64(1)),
        ("exchange", Value::text("orders")),
        ("queue", Value::text("orders_webshop")),
        ("reason", Value::text("rejected")),
        ("routing-keys", Value::Array(vec![Value::text("order.placed")])),
        ("time", Value::Timestamp(1_795_392_000)),
    ]);
    let headers = table(vec![
        ("attempt", Value::I32(3)),
        ("dead-letter-error-message", Value::text("order 4711 can't be found in 'eu-1' after 3 attempts")),
        ("dead-letter-error-type", Value::text("Timeout")),
        ("tenant", Value::text("dk")),
        ("traceparent", Value::text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
        ("x-death", Value::Array(vec![Value::Table(death)])),
        ("x-first-death-exchange", Value::text("orders")),
        ("x-first-death-queue", Value::text("orders_webshop")),
        ("x-first-death-reason", Value::text("rejected")),
        ("x-last-death-exchange", Value::text("orders")),
        ("x-last-death-queue", Value::text("orders_webshop")),
        ("x-last-death-reason", Value::text("rejected")),
    ]);
    Properties {
        content_type: Some(b"application/json".to_vec()),
        headers: Some(headers),
        delivery_mode: Some(2),
        message_id: Some(b"0198a3c2-7d4e-7c11-9b1f-2f6d0c9a4e57".to_vec()),
        timestamp: Some(1_795_391_999),
        ..Properties::default()
    }
}
