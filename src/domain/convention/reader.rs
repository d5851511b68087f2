//! Reading the headers of a failed message: what is there but cannot be read is remembered by its name, for the dead letter's
//! warning, and never by its value, which may be anybody's secret.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Utc};

use crate::domain::message::{Message, Table, Value, storable_text};

/// Longest name of a queue, an exchange, a type.
const MAX_NAME: usize = 255;
/// Of an error text that is longer than both ends together, so much of each is kept beside the message for searching; the header
/// itself keeps all of it. What tells most often stands at the end: the innermost cause.
const ERROR_END: usize = 2048;

/// A message that is being read.
#[derive(Debug)]
pub struct Reader<'m> {
    /// The message.
    pub message: &'m Message,
    /// The dead-letter queue that it came from.
    pub source: &'m str,
    unread: Vec<String>,
    notes: Vec<&'static str>,
}

impl<'m> Reader<'m> {
    pub(super) fn new(message: &'m Message, source: &'m str) -> Self {
        Self { message, source, unread: Vec::new(), notes: Vec::new() }
    }

    /// Whether there is a header of that name, of whatever type.
    pub fn has(&self, name: &str) -> bool {
        self.message.properties.header(name).is_some()
    }

    /// The first header whose name ends so, and that name.
    pub fn ending(&self, end: &str) -> Option<(&'m [u8], &'m Value)> {
        let headers = self.message.properties.headers.as_ref()?;
        headers
            .0
            .iter()
            .find(|(name, _)| name.ends_with(end.as_bytes()))
            .map(|(name, value)| (&name[..], value))
    }

    /// A header that is text.
    pub fn header(&mut self, name: &str) -> Option<Cow<'m, str>> {
        match self.message.properties.header(name)? {
            // An empty header, as some clients write null.
            Value::Void => None,
            value => value.as_text().or_else(|| self.unreadable(name)),
        }
    }

    /// A header that names something.
    pub fn name(&mut self, name: &str) -> Option<String> {
        self.header(name).map(|text| storable_text(text.as_bytes(), MAX_NAME))
    }

    /// A header that names something, which is not nothing.
    pub fn filled(&mut self, name: &str) -> Option<String> {
        self.name(name).filter(|text| !text.is_empty())
    }

    /// A header with the text of an error.
    pub fn error_text(&mut self, name: &str) -> Option<String> {
        self.header(name).map(|text| error_text(&text))
    }

    /// A header with a stack trace.
    pub fn stack(&mut self, name: &str) -> Option<String> {
        self.header(name).map(|text| stack_text(&text))
    }

    /// A header that is a text which can be made something of.
    pub fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.header(name)?;
        parse(&text).or_else(|| self.unreadable(name))
    }

    /// A header that is a whole number, or one in digits.
    pub fn number(&mut self, name: &str) -> Option<i64> {
        let value = self.message.properties.header(name)?;
        value.as_i64().or_else(|| value.as_text()?.trim().parse().ok()).or_else(|| self.unreadable(name))
    }

    /// A header that is a table.
    pub fn table(&mut self, name: &str) -> Option<&'m Table> {
        self.message.properties.header(name)?.as_table().or_else(|| self.unreadable(name))
    }

    /// Remembers that this cannot be read.
    pub fn unreadable<T>(&mut self, what: &str) -> Option<T> {
        self.unread.push(what.to_owned());
        None
    }

    /// Remembers what can be read in two ways.
    pub fn note(&mut self, what: &'static str) {
        self.notes.push(what);
    }

    pub(super) fn warning(self, convention: &str) -> Option<String> {
        let unread = (!self.unread.is_empty()).then(|| format!("cannot be read: {}", self.unread.join(", ")));
        let warnings: Vec<&str> = unread.as_deref().into_iter().chain(self.notes).collect();
        (!warnings.is_empty()).then(|| format!("{convention}: {}", warnings.join("; ")))
    }
}

/// The name of something, as it may be stored.
pub(super) fn name(text: &str) -> String {
    storable_text(text.as_bytes(), MAX_NAME)
}

/// An error's text, as it may be stored: all of it, or its head and its tail with an ellipsis between them.
pub(super) fn error_text(text: &str) -> String {
    if text.len() <= 2 * ERROR_END {
        return storable_text(text.as_bytes(), usize::MAX);
    }
    let head = storable_text(text.as_bytes(), ERROR_END);
    let tail = &text.as_bytes()[text.ceil_char_boundary(text.len() - ERROR_END)..];
    format!("{head} … {}", storable_text(tail, usize::MAX))
}

/// A stack trace, as it may be stored: all of it.
pub(super) fn stack_text(text: &str) -> String {
    storable_text(text.as_bytes(), usize::MAX)
}

/// Whether a header has one of these names.
pub(super) fn is_one_of(name: &[u8], headers: &[&str]) -> bool {
    headers.iter().any(|header| header.as_bytes() == name)
}

/// A time as in RFC 3339. An offset may lead out of the years that RFC 3339 can show.
pub(super) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()).and_then(in_our_years)
}

/// Milliseconds since 1970.
pub(super) fn unix_milliseconds(milliseconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds).and_then(in_our_years)
}

/// A time, where it lies in the years that anyone can mean.
pub(super) fn in_our_years(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (0..=9999).contains(&time.year()).then_some(time)
}

/// The queue that an address names in the last part of its path: `rabbitmq://host/vhost/queue?durable=true`.
pub(super) fn queue_of_address(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    if scheme.is_empty() {
        return None;
    }
    let path = rest.split(['?', '#']).next()?;
    let (_, last) = path.rsplit_once('/')?;
    let queue = percent_encoding::percent_decode_str(last).decode_utf8().ok()?;
    (!queue.is_empty()).then(|| name(&queue))
}

/// Type and message of an exception that was printed as `Type: message`, with or without its stack below.
pub(super) fn printed_exception(text: &str) -> (Option<String>, String) {
    let first = text.lines().next().unwrap_or_default();
    match first.split_once(": ") {
        Some((kind, message)) if is_type(kind) => (Some(name(kind)), error_text(message)),
        _ => (None, error_text(first)),
    }
}

/// Whether this may be a type's name: one word, with a namespace or named as errors are.
fn is_type(text: &str) -> bool {
    text.len() <= MAX_NAME
        && !text.contains(char::is_whitespace)
        && (text.contains('.') || text.ends_with("Exception") || text.ends_with("Error"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_text as template;

    #[test]
    fn of_a_long_error_both_ends_are_kept() {
        let whole = format!("{}ORA-00001", "é".repeat(2000));
        assert_eq!(error_text(&whole), whole);
        let kept = error_text(&format!("head{}tail", "é".repeat(3000)));
        assert!(kept.starts_with("headéé") && kept.contains("é … é") && kept.ends_with("éétail"), "{kept}");
        assert!(kept.len() <= 2 * ERROR_END + " … ".len());
        // The group is that of the head alone, as before.
        let of = |text: &str| template::of(text).template;
        assert_eq!(of(&kept), of(&storable_text(kept.as_bytes(), ERROR_END)));
    }
}
