//! Rechecks candidates of a search, for conditions that SQL cannot decide: the values of headers, and texts in bodies that are
//! escaped, compressed or JSON. The database rules out what cannot match; the recheck decides on the rest (rule R9).

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};

use super::body_path::BodyPath;
use super::coding::Coding;
use super::exact;
use super::filter::Filter;
use super::message::{Properties, Table, Value};
use super::needle::{Needle, holds};

/// Longest part of a compressed body that is decoded and searched, in bytes.
pub const MAX_DECODED: usize = 8 << 20;
/// Longest body that is rechecked, in bytes. In a longer one the database finds a text only as it stands.
pub const MAX_BODY: usize = 16 << 20;

/// The conditions to recheck.
#[derive(Clone, Debug, PartialEq)]
pub struct Recheck {
    /// Within the body.
    pub contains: Option<Needle>,
    /// Within the body, a header's value, or the error's text.
    pub find: Option<Needle>,
    /// The properties `app-id`, `user-id` and `content-type`.
    pub properties: [Option<String>; 3],
    /// Headers and their values.
    pub headers: BTreeMap<String, String>,
    /// Paths in the body and the values there.
    pub body_paths: BTreeMap<BodyPath, String>,
}

/// The conditions that the database found to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseMatch {
    /// The body contains the text as it stands.
    pub contains: bool,
    /// The body or the error contains the text to find.
    pub finds: bool,
}

impl Recheck {
    /// The conditions of the filter that need a recheck, if any. `find` counts only if it is a text.
    pub fn of(filter: &Filter) -> Option<Self> {
        let recheck = Self {
            contains: filter.contains.clone(),
            find: filter.find.clone().map(Needle::Text),
            properties: [&filter.app_id, &filter.user_id, &filter.content_type].map(Clone::clone),
            headers: filter.headers.clone(),
            body_paths: filter.body_paths.clone(),
        };
        let is_needed = recheck.needs_body() || recheck.needs_properties();
        is_needed.then_some(recheck)
    }

    /// Whether the body is needed.
    pub fn needs_body(&self) -> bool {
        self.contains.is_some() || self.find.is_some() || !self.body_paths.is_empty()
    }

    fn needs_properties(&self) -> bool {
        !self.headers.is_empty() || self.properties.iter().any(Option::is_some)
    }

    /// Whether the database has found that all conditions hold.
    pub fn is_decided_by(&self, known: DatabaseMatch) -> bool {
        !self.needs_properties()
            && self.body_paths.is_empty()
            && (known.contains || self.contains.is_none())
            && (known.finds || self.find.is_none())
    }

    /// Whether all conditions hold for a message.
    pub fn matches(&self, known: DatabaseMatch, properties: &Properties, body: &[u8]) -> bool {
        let headers = properties.headers.as_ref();
        let has_headers = self.headers.iter().all(|(name, value)| {
            headers.is_some_and(|headers| {
                headers.0.iter().any(|(other, held)| other == name.as_bytes() && is_value(held, value))
            })
        });
        let held = [&properties.app_id, &properties.user_id, &properties.content_type];
        let mut wanted = self.properties.iter().zip(held);
        let has_properties = wanted.all(|(wanted, held)| {
            wanted.as_ref().is_none_or(|wanted| held.as_deref() == Some(wanted.as_bytes()))
        });
        if !has_headers || !has_properties {
            return false;
        }
        let in_header = |needle: &Needle| headers.is_some_and(|headers| has_text(headers, needle.bytes()));
        let finds = known.finds || self.find.as_ref().is_none_or(in_header);
        let contains = known.contains || self.contains.is_none();
        if finds && contains && self.body_paths.is_empty() {
            return true;
        }
        let body = readable(properties, body);
        (contains || self.contains.as_ref().is_some_and(|needle| needle.is_in(&body)))
            && (finds || self.find.as_ref().is_some_and(|needle| needle.is_in(&body)))
            && self.body_paths.iter().all(|(path, value)| path.finds(&body, value))
    }
}

/// Whether a value can only be a text, and no number, no time and no word of JSON.
pub fn is_text_only(value: &str) -> bool {
    let is_word = matches!(value, "true" | "false" | "null");
    !is_word && !exact::are_equal_numbers(value, value) && DateTime::parse_from_rfc3339(value).is_err()
}

/// The body, decompressed if it is compressed.
fn readable<'b>(properties: &Properties, body: &'b [u8]) -> Cow<'b, [u8]> {
    let decoded = Coding::of(properties).and_then(|coding| coding.decode(body, MAX_DECODED));
    decoded.map_or(Cow::Borrowed(body), |decoded| Cow::Owned(decoded.bytes))
}

/// Whether a header has this value: the same text, an equal number, or the same time.
fn is_value(held: &Value, value: &str) -> bool {
    match held {
        Value::LongString(bytes) | Value::Bytes(bytes) => bytes == value.as_bytes(),
        Value::Bool(yes) => value == if *yes { "true" } else { "false" },
        Value::F32(number) => exact::are_equal_numbers(&number.to_string(), value),
        Value::F64(number) => exact::are_equal_numbers(&number.to_string(), value),
        Value::Decimal { scale, value: digits } => {
            exact::are_equal_numbers(&format!("{digits}e-{scale}"), value)
        }
        Value::Timestamp(seconds) => {
            seconds.to_string() == value || shown(*seconds).is_some_and(|time| time == value)
        }
        Value::Void => value == "null",
        Value::Array(_) | Value::Table(_) => false,
        whole => whole.as_i64().is_some_and(|number| exact::are_equal_numbers(&number.to_string(), value)),
    }
}

/// A time as it is shown.
fn shown(seconds: u64) -> Option<String> {
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Whether some text in the headers, however deep, holds this. Headers are 512 levels deep at most.
fn has_text(table: &Table, wanted: &[u8]) -> bool {
    table.0.iter().any(|(_, value)| value_has_text(value, wanted))
}

fn value_has_text(value: &Value, wanted: &[u8]) -> bool {
    match value {
        Value::LongString(bytes) | Value::Bytes(bytes) => holds(bytes, wanted),
        Value::Array(values) => values.iter().any(|value| value_has_text(value, wanted)),
        Value::Table(table) => has_text(table, wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &Filter, headers: &[(&str, Value)], body: &[u8]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone())).collect();
        let properties = Properties { headers: Some(Table(headers)), ..Properties::default() };
        Recheck::of(filter).unwrap().matches(DatabaseMatch::default(), &properties, body)
    }

    #[test]
    fn a_header_is_compared_by_its_type() {
        let is = |value: Value, text: &str| {
            let headers = BTreeMap::from([("x.y".to_owned(), text.to_owned())]);
            matches(&Filter { headers, ..Filter::default() }, &[("x.y", value)], b"")
        };
        for (value, text) in [
            (Value::text("acme"), "acme"),
            (Value::Bytes(b"acme".to_vec()), "acme"),
            (Value::text("3"), "3"),
            (Value::I8(-3), "-3"),
            (Value::I64(3), "3"),
            (Value::F64(0.5), "0.50"),
            (Value::F32(0.1), "0.1"),
            (Value::Decimal { scale: 2, value: 150 }, "1.5"),
            (Value::Bool(true), "true"),
            (Value::Timestamp(0), "1970-01-01T00:00:00Z"),
            (Value::Timestamp(7), "7"),
            (Value::Void, "null"),
            (Value::text(""), ""),
        ] {
            assert!(is(value.clone(), text), "{value:?} {text}");
            assert!(!is(value.clone(), "other") && !is(value.clone(), "33"), "{value:?}");
        }
        let table = Value::Table(Table(vec![(b"x.y".to_vec(), Value::text("acme"))]));
        let headers = BTreeMap::from([("x.y".to_owned(), "acme".to_owned())]);
        assert!(!matches(&Filter { headers, ..Filter::default() }, &[("other", table)], b""));
    }

    #[test]
    fn a_property_is_compared_as_a_whole() {
        let properties = Properties { app_id: Some(b"shop".to_vec()), ..Properties::default() };
        for (app, user, is_match) in
            [(Some("shop"), None, true), (Some("sho"), None, false), (Some("shop"), Some("shop"), false)]
        {
            let (app_id, user_id) = (app.map(str::to_owned), user.map(str::to_owned));
            let recheck = Recheck::of(&Filter { app_id, user_id, ..Filter::default() }).unwrap();
            assert_eq!(
                recheck.matches(DatabaseMatch::default(), &properties, b""),
                is_match,
                "{app:?} {user:?}"
            );
        }
    }

    #[test]
    fn a_text_is_found_in_headers_however_deep_and_in_the_body() {
        let filter = Filter { find: Some("ac/me".into()), ..Filter::default() };
        let deep = Value::Array(vec![Value::Table(Table(vec![(b"a".to_vec(), Value::text("an ac/me b"))]))]);
        assert!(matches(&filter, &[("h", deep)], b""));
        assert!(matches(&filter, &[], br#"{"a":"ac\/me"}"#));
        assert!(!matches(&filter, &[("ac/me", Value::Void)], b"{}"), "a header's name is no value");
    }
}
