//! What a filter means: each of its conditions is read, and every mistake is named.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::FilterInput;
use crate::domain::body_path::BodyPath;
use crate::domain::dead_letter::Status;
use crate::domain::filter::{Filter, StatusFilter};
use crate::domain::needle::Needle;
use crate::http::error::{ApiError, FieldError};
use crate::http::words::{self, Word};

/// Most headers, and most paths, of one filter.
const MAX_NAMED: usize = 20;
/// Longest name of a header.
const MAX_HEADER_NAME: usize = 255;
const NO_TIME: &str = "must be a time as in RFC 3339, such as 2026-11-23T03:00:00Z";

impl FilterInput {
    /// What it means, but for squad and service.
    pub fn check(&self) -> Result<Filter, ApiError> {
        let mut errors = Vec::new();
        let status = match self.status.as_deref() {
            None => StatusFilter::default(),
            Some(name) => words::StatusFilter::read("status", name).map_or_else(
                |wrong| {
                    errors.push(wrong);
                    StatusFilter::default()
                },
                StatusFilter::from,
            ),
        };
        let mut check = Check(&mut errors);
        for (field, value) in [("squad", &self.squad), ("service", &self.service)] {
            check.text(field, value.as_ref());
        }
        let filter = Filter {
            services: None,
            broker: check.text("broker", self.broker.as_ref()),
            vhost: check.text("vhost", self.vhost.as_ref()),
            queue: check.text("queue", self.queue.as_ref()),
            exchange: check.maybe_empty("exchange", self.exchange.as_ref()),
            routing_key: check.maybe_empty("routingKey", self.routing_key.as_ref()),
            message_id: check.text("messageId", self.message_id.as_ref()),
            correlation_id: check.text("correlationId", self.correlation_id.as_ref()),
            message_type: check.text("type", self.message_type.as_ref()),
            error: check.text("error", self.error.as_ref()),
            error_group: check.id("errorGroup", self.error_group.as_ref()),
            reason: check.text("reason", self.reason.as_ref()),
            convention: check.text("convention", self.convention.as_ref()),
            status,
            from: check.time("from", self.from.as_ref()),
            to: check.time("to", self.to.as_ref()),
            died_from: check.time("diedFrom", self.died_from.as_ref()),
            died_to: check.time("diedTo", self.died_to.as_ref()),
            contains: check.parsed(
                "contains",
                self.contains.as_ref(),
                "must be text, or bytes such as hex:00ff, and not empty",
                needle,
            ),
            min_attempt: check.parsed(
                "minAttempt",
                self.min_attempt.as_ref(),
                "must be a number of 1 or more",
                |text| text.parse().ok().filter(|number| *number >= 1),
            ),
            returned: check.parsed("returned", self.returned.as_ref(), "must be true or false", |text| {
                text.parse().ok()
            }),
            returned_from: check.id("returnedFrom", self.returned_from.as_ref()),
            find: check.parsed(
                "find",
                self.find.as_ref(),
                "must be text, without the character NUL",
                |text| {
                    let text = text.trim();
                    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
                },
            ),
            app_id: check.text("appId", self.app_id.as_ref()),
            user_id: check.text("userId", self.user_id.as_ref()),
            content_type: check.text("contentType", self.content_type.as_ref()),
            headers: check.headers(&self.headers),
            body_paths: check.body_paths(&self.body_paths),
        };
        check.ordered("from", filter.from, "to", filter.to);
        check.ordered("diedFrom", filter.died_from, "diedTo", filter.died_to);
        if errors.is_empty() { Ok(filter) } else { Err(ApiError::invalid(errors)) }
    }
}

impl From<words::StatusFilter> for StatusFilter {
    fn from(asked: words::StatusFilter) -> Self {
        match asked {
            words::StatusFilter::Dead => Self::Only(Status::Dead),
            words::StatusFilter::Redelivered => Self::Only(Status::Redelivered),
            words::StatusFilter::Deleted => Self::Only(Status::Deleted),
            words::StatusFilter::Any => Self::Any,
        }
    }
}

struct Check<'e>(&'e mut Vec<FieldError>);

impl Check<'_> {
    fn text(&mut self, field: &str, value: Option<&String>) -> Option<String> {
        if value.is_some_and(String::is_empty) {
            self.0.push(FieldError::new(field, "must not be empty"));
        }
        self.maybe_empty(field, value)
    }

    fn maybe_empty(&mut self, field: &str, value: Option<&String>) -> Option<String> {
        if value.is_some_and(|text| text.contains('\0')) {
            self.0.push(FieldError::new(field, "must not hold the character NUL"));
        }
        value.cloned()
    }

    fn parsed<T>(
        &mut self,
        field: &str,
        value: Option<&String>,
        message: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(value?);
        if parsed.is_none() {
            self.0.push(FieldError::new(field, message));
        }
        parsed
    }

    fn id(&mut self, field: &str, value: Option<&String>) -> Option<Uuid> {
        self.parsed(field, value, "must be a UUID", |text| Uuid::from_str(text).ok())
    }

    fn time(&mut self, field: &str, value: Option<&String>) -> Option<DateTime<Utc>> {
        self.parsed(field, value, NO_TIME, time)
    }

    fn headers(&mut self, headers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.at_most("header", headers.len());
        for name in headers.keys().filter(|name| name.is_empty() || name.len() > MAX_HEADER_NAME) {
            let message = "must name a header in 255 bytes at most, such as header.tenant=acme";
            self.0.push(FieldError::new(format!("header.{name}"), message));
        }
        headers.clone()
    }

    fn body_paths(&mut self, paths: &BTreeMap<String, String>) -> BTreeMap<BodyPath, String> {
        self.at_most("body", paths.len());
        let mut parsed = BTreeMap::new();
        for (path, value) in paths {
            match BodyPath::parse(path) {
                Ok(path) => drop(parsed.insert(path, value.clone())),
                Err(message) => self.0.push(FieldError::new(format!("body.{path}"), message)),
            }
        }
        parsed
    }

    fn at_most(&mut self, field: &str, number: usize) {
        if number > MAX_NAMED {
            self.0.push(FieldError::new(field, format!("must be {MAX_NAMED} at most")));
        }
    }

    fn ordered(
        &mut self,
        from: &str,
        from_time: Option<DateTime<Utc>>,
        to: &str,
        to_time: Option<DateTime<Utc>>,
    ) {
        if let (Some(from_time), Some(to_time)) = (from_time, to_time)
            && from_time >= to_time
        {
            self.0.push(FieldError::new(to, format!("must be after `{from}`")));
        }
    }
}

/// A time of a query, where the + of an offset arrives as a space.
fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|time| time.to_utc())
}

/// The time that a parameter gives, if it is there.
pub fn parse_time(field: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, ApiError> {
    text.map(|text| time(text).ok_or_else(|| ApiError::field(field, NO_TIME))).transpose()
}

fn needle(text: &str) -> Option<Needle> {
    let Some(hex) = text.strip_prefix("hex:") else {
        return (!text.is_empty()).then(|| Needle::Text(text.to_owned()));
    };
    let digits = hex.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    let bytes = pairs.collect::<Option<Vec<_>>>()?;
    (!bytes.is_empty()).then_some(Needle::Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named() {
        let input = FilterInput {
            status: Some("gone".into()),
            queue: Some(String::new()),
            message_id: Some("a\0".into()),
            from: Some("2026-11-23T00:00:00Z".into()),
            to: Some("2026-11-22T00:00:00+01:00".into()),
            contains: Some("hex:0".into()),
            min_attempt: Some("0".into()),
            returned: Some("yes".into()),
            returned_from: Some("the last one".into()),
            ..FilterInput::default()
        };
        let error = input.check().unwrap_err();
        let errors = error.errors();
        let text = format!("{errors:?}");
        for field in
            ["status", "queue", "messageId", "to", "contains", "minAttempt", "returned", "returnedFrom"]
        {
            assert!(text.contains(&format!("field: \"{field}\"")), "{field} in {text}");
        }
        assert_eq!(errors.len(), 8);
    }

    #[test]
    fn a_needle_is_text_or_hex() {
        assert_eq!(needle("hex:00fF"), Some(Needle::Bytes(vec![0, 255])));
        assert_eq!((needle("hex:"), needle("hex:0"), needle("")), (None, None, None));
        assert_eq!(needle("abc"), Some(Needle::Text("abc".into())));
    }
}
