//! What a message carries of its earlier redelivery. Headers are claims: a forged one makes its own message wrong, and no other.

use std::borrow::Cow;

use super::headers::{DEATHS, FIRST_ROUTING, REDELIVERY_COUNT, REDELIVERY_ID};
use super::message::{Properties, Value, storable_text};

/// The earlier redelivery of a message that died again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// The redelivery id.
    pub id: String,
    /// How often dead-letter has redelivered the message.
    pub count: i32,
    /// How often the message had died before, beyond what it tells itself.
    pub deaths: i32,
}

impl Redelivered {
    /// Reads the headers.
    pub fn read(header: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let id = header(REDELIVERY_ID)?;
        let number = |name| Some(header(name)?.parse::<i32>().unwrap_or(0).max(0));
        let count = number(REDELIVERY_COUNT).unwrap_or(0).max(1);
        // The release before did not write deaths: there was at least one for each redelivery.
        let deaths = number(DEATHS).unwrap_or(count);
        Some(Self { id, count, deaths })
    }
}

/// Exchange and routing key with which a message that died in this queue was first published, if its headers say so.
pub fn first_routing(properties: &Properties, queue: Option<&str>) -> Option<(String, String)> {
    let text = |name: &str| properties.header(name).and_then(Value::as_text);
    let [of, exchange, routing_key] = FIRST_ROUTING.map(text);
    let name = |text: Cow<'_, str>| storable_text(text.as_bytes(), 255);
    (queue.is_some() && of.as_deref() == queue).then(|| Some((name(exchange?), name(routing_key?))))?
}
