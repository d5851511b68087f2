//! What a filter lists, as its documentation says.

use chrono::{DateTime, Utc};
use dead_letter::domain::dead_letter::floor_id;
use dead_letter::domain::needle::holds;
use serde_json::{Map, Value};

use super::letters::{HOME, Letter};

/// Whether the filter lists this dead letter of these.
pub fn lists(filter: &Map<String, Value>, letter: &Letter, all: &[Letter]) -> bool {
    let derived = &letter.derived;
    filter.iter().all(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        let is = |field: &Option<String>| field.as_deref() == Some(text);
        let place = letter.source.place().map_or(HOME, |place| (&place.broker, &place.vhost));
        let time = || text.parse::<DateTime<Utc>>().unwrap();
        match name.as_str() {
            "service" => derived.service == text,
            "broker" => place.0 == text,
            "vhost" => place.1 == text,
            "queue" => is(&derived.origin.queue),
            "exchange" => is(&derived.origin.exchange),
            "routingKey" => is(&derived.origin.routing_key),
            "messageId" => is(&derived.message_id),
            "correlationId" => is(&derived.correlation_id),
            "type" => is(&derived.message_type),
            "error" => has_in_error(text, letter),
            // Any of its fingerprints stands for the whole.
            "errorGroup" => {
                let named = all.iter().find(|other| other.fingerprint.group.to_string() == text);
                named.is_some_and(|named| named.whole == letter.whole)
            }
            "reason" => is(&derived.reason),
            "convention" => is(&derived.convention),
            "from" => letter.id >= floor_id(time()),
            "to" => letter.id < floor_id(time()),
            "diedFrom" => derived.died_at.is_some_and(|died| died >= time()),
            "diedTo" => derived.died_at.is_some_and(|died| died < time()),
            "contains" if text == "hex:6E61" => {
                holds(&letter.body, b"na") || holds(letter.plain.as_bytes(), b"na")
            }
            "contains" => is_in_body(text, letter),
            "headers" => {
                value.as_object().unwrap().iter().all(|(name, value)| match (name.as_str(), value) {
                    ("tenant", value) => letter.tenant == value.as_str(),
                    (_, Value::String(retries)) => letter.retries.to_string() == *retries,
                    (_, retries) => retries == letter.retries,
                })
            }
            "bodyPaths" => value.as_object().unwrap().iter().all(|(path, value)| match path.as_str() {
                "sku" => letter.sku.trim_matches('"') == value,
                "buyers.0.name" | "buyers.*.name" => {
                    letter.plain.contains(&format!("\"{}\"", value.as_str().unwrap()))
                }
                _ => false,
            }),
            "appId" => letter.app == text,
            "contentType" => letter.content_type == Some(text),
            // What people paste has spaces around it.
            "find" => is_found(text.trim(), letter, all),
            "returned" => derived.redelivery_id.is_some() == value.as_bool().unwrap(),
            "minAttempt" => i64::from(derived.deaths) >= value.as_i64().unwrap(),
            other => panic!("{other} has no model"),
        }
    })
}

/// An id finds what has it; a text that is no id of any finds what has it somewhere.
fn is_found(text: &str, letter: &Letter, all: &[Letter]) -> bool {
    if all.iter().any(|other| is_id(text, other)) {
        return is_id(text, letter);
    }
    let headers = letter.header_texts.iter().any(|value| value.contains(text));
    headers || has_in_error(text, letter) || is_in_body(text, letter)
}

/// Whether it is an id of this dead letter.
fn is_id(text: &str, letter: &Letter) -> bool {
    let derived = &letter.derived;
    let id = letter.id.to_string();
    let ids = [&derived.message_id, &derived.correlation_id];
    id == text
        || text.strip_prefix('…').is_some_and(|end| id.ends_with(end))
        || derived.redelivery_id.is_some_and(|id| id.to_string() == text)
        || ids.into_iter().flatten().any(|id| id == text)
}

/// As it stands, too: a short text may be among compressed bytes.
fn is_in_body(text: &str, letter: &Letter) -> bool {
    letter.plain.contains(text) || holds(&letter.body, text.as_bytes())
}

fn has_in_error(text: &str, letter: &Letter) -> bool {
    let derived = &letter.derived;
    let errors = [&derived.error_type, &derived.error_message];
    errors.into_iter().flatten().any(|error| error.to_lowercase().contains(&text.to_lowercase()))
}
