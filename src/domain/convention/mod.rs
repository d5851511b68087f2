//! Failure conventions: how the libraries of the field tell, in headers or envelope, where and why a message failed.
//!
//! One convention is one file that implements [`Convention`]. The first that recognises a message wins; the native one,
//! which is last, recognises every message.

use chrono::{DateTime, Utc};

use super::message::Message;
use super::xdeath::Deaths;

mod native;

pub use native::HEADERS as NATIVE_HEADERS;

/// Where a message died: the queue, and what it had been published with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The queue that it died in.
    pub queue: Option<String>,
    /// The exchange that it had been published to; empty for the default exchange.
    pub exchange: Option<String>,
    /// The routing key that it had been published with.
    pub routing_key: Option<String>,
}

/// What is known of why it died.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The broker's reason: `rejected`, `expired`, `maxlen`, `delivery_limit`.
    pub reason: Option<String>,
    /// The type of the error, such as an exception's class.
    pub error_type: Option<String>,
    /// The error's text.
    pub error_message: Option<String>,
    /// The error's stack trace.
    pub error_stack: Option<String>,
}

/// What a convention reads out of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// The convention's name, as in the filter `convention`.
    pub convention: &'static str,
    /// Where it died.
    pub origin: Origin,
    /// Why it died.
    pub failure: Failure,
    /// When it (first) died, as the message itself tells.
    pub died_at: Option<DateTime<Utc>>,
    /// The latest time that the message tells of itself: it cannot have arrived here before.
    pub latest_death: Option<DateTime<Utc>>,
    /// How often it died.
    pub deaths: i64,
}

/// One library's way to mark a failed message.
pub trait Convention: Sync {
    /// The name by which it is filtered and shown.
    fn name(&self) -> &'static str;
    /// Reads the message, or says that it is another library's.
    fn recognise(&self, message: &Message, deaths: &Deaths) -> Option<Recognised>;
    /// Whether the header tells of the failure only, so that a redelivered message must not carry it.
    fn is_failure_header(&self, name: &[u8]) -> bool;
}

/// Every convention, in the order in which they are asked.
const CONVENTIONS: [&dyn Convention; 1] = [&native::Native];

/// Reads a message by the first convention that recognises it.
pub fn recognise(message: &Message) -> Recognised {
    let deaths = super::xdeath::read(&message.properties);
    CONVENTIONS.iter().find_map(|convention| convention.recognise(message, &deaths)).unwrap_or_default()
}

/// Whether a header tells of a failure by any convention.
pub fn is_failure_header(name: &[u8]) -> bool {
    CONVENTIONS.iter().any(|convention| convention.is_failure_header(name))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::fingerprint;
    use crate::domain::message::{Properties, Table, Value};

    fn failed(text: &str) -> Message {
        let header = |name: &str| (name.as_bytes().to_vec(), Value::text(text));
        let headers = Table(native::HEADERS.into_iter().map(header).collect());
        let properties = Properties { headers: Some(headers), ..Properties::default() };
        Message { exchange: String::new(), routing_key: String::new(), properties, body: vec![] }
    }

    /// The shortest of some times: what else runs on the machine only makes them longer.
    fn time_to_read(message: &Message) -> Duration {
        let times = (0..15).map(|_| {
            let begun = Instant::now();
            let read = recognise(message);
            std::hint::black_box(fingerprint::of("service", &read.failure));
            begun.elapsed()
        });
        times.min().expect("some")
    }

    #[test]
    fn a_long_stack_takes_as_much_longer_as_it_is_longer() {
        const LONGER: u32 = 16;
        let line = "at com.example.Main.main(Main.java:7)\n";
        for part in ["x", "\0", "'", "\u{1f468}\u{200d}\u{1f469}", line] {
            let [short, long] = [1 << 16, LONGER << 16].map(|length| {
                let text = part.repeat(length as usize / part.len());
                time_to_read(&failed(&text))
            });
            // By the square it would be 256 times as long.
            assert!(long < short * LONGER * 5, "{part:?}: {short:?}, then {long:?}");
        }
        let read = recognise(&failed(&line.repeat(10_000)));
        assert_eq!(read.failure.error_stack.map(|stack| stack.len()), Some(line.len() * 10_000));
    }
}
