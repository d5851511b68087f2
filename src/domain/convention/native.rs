//! The native convention: `RabbitMQ`'s `x-death`, and plain headers for what the broker cannot know.
//!
//! A consumer that rejects a message cannot say why. One that wants to publishes the failed message to the dead-letter
//! exchange itself, with these headers added (long strings), and acknowledges the original once that is confirmed:
//!
//! | header | what |
//! |---|---|
//! | `dead-letter-error-type` | the error's type |
//! | `dead-letter-error-message` | its text |
//! | `dead-letter-error-stack` | its stack trace |
//! | `dead-letter-origin-queue`, `-exchange`, `-routing-key` | where it failed, where `x-death` cannot tell |
//! | `dead-letter-failed-at` | when, RFC 3339 |

use chrono::{DateTime, Datelike, Utc};

use super::{Convention, Failure, Origin, Recognised};
use crate::domain::message::{Message, storable_text};
use crate::domain::xdeath::Deaths;

/// The headers of this convention.
pub const HEADERS: [&str; 7] = [
    "dead-letter-error-message",
    "dead-letter-error-type",
    "dead-letter-error-stack",
    "dead-letter-origin-queue",
    "dead-letter-origin-exchange",
    "dead-letter-origin-routing-key",
    "dead-letter-failed-at",
];

/// Longest error text that is kept beside the message for searching; the header itself keeps all of it.
const MAX_ERROR_TEXT: usize = 2048;

pub(super) struct Native;

impl Convention for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn recognise(&self, message: &Message, deaths: &Deaths) -> Option<Recognised> {
        let header = |name: &str, max| {
            message.properties.header_text(name).map(|text| storable_text(text.as_bytes(), max))
        };
        let failed_at = header("dead-letter-failed-at", 64)
            .and_then(|text| DateTime::parse_from_rfc3339(&text).ok())
            .map(|time| time.to_utc())
            // An offset may lead out of the years that RFC 3339 can show.
            .filter(|time| (0..=9999).contains(&time.year()));
        let first_death = deaths.first_seconds.and_then(time);
        Some(Recognised {
            convention: self.name(),
            origin: Origin {
                queue: header("dead-letter-origin-queue", 255).or_else(|| deaths.queue.clone()),
                exchange: header("dead-letter-origin-exchange", 255).or_else(|| deaths.exchange.clone()),
                routing_key: header("dead-letter-origin-routing-key", 255)
                    .or_else(|| deaths.routing_key.clone()),
            },
            failure: Failure {
                reason: deaths.reason.clone(),
                error_type: header("dead-letter-error-type", 255),
                error_message: header("dead-letter-error-message", MAX_ERROR_TEXT),
                error_stack: header("dead-letter-error-stack", usize::MAX),
            },
            died_at: failed_at.or(first_death),
            latest_death: failed_at.max(deaths.latest_seconds.and_then(time)),
            // It lies in a dead-letter queue: it died once at least, whoever put it there.
            deaths: deaths.count.max(1),
        })
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        HEADERS.iter().any(|header| header.as_bytes() == name)
    }
}

/// A broker's time, where it lies in the years that anyone can mean; at the edges of `u64` it is no time at all.
fn time(seconds: u64) -> Option<DateTime<Utc>> {
    const YEAR_10000: i64 = 253_402_300_800;
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds < YEAR_10000)?;
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Properties, Table, Value};

    #[test]
    fn our_own_headers_win_over_the_brokers() {
        let message = Message {
            exchange: "dead-letter".into(),
            routing_key: "k".into(),
            properties: Properties {
                headers: Some(Table(vec![
                    (b"dead-letter-error-type".to_vec(), Value::text("Timeout")),
                    (b"dead-letter-origin-queue".to_vec(), Value::text("orders_webshop")),
                    (b"dead-letter-failed-at".to_vec(), Value::text("2026-11-23T00:00:00.5Z")),
                    (b"dead-letter-error-message".to_vec(), Value::I64(7)),
                ])),
                ..Properties::default()
            },
            body: vec![],
        };
        let deaths =
            Deaths { queue: Some("parking".into()), first_seconds: Some(u64::MAX), ..Deaths::default() };
        let read = Native.recognise(&message, &deaths).expect("native reads everything");
        assert_eq!(read.origin.queue.as_deref(), Some("orders_webshop"));
        assert_eq!(read.failure.error_type.as_deref(), Some("Timeout"));
        assert_eq!(read.failure.error_message, None, "a header of the wrong type is unknown");
        assert_eq!(read.died_at.map(|time| time.timestamp_millis()), Some(1_795_392_000_500));
    }
}
