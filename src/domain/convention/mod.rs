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
