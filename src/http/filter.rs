//! The filter as clients write it, in a query or in JSON, and its translation.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::error::{ApiError, FieldError};
use crate::domain::body_path::BodyPath;
use crate::domain::dead_letter::Status;
use crate::domain::filter::{Filter, StatusFilter};
use crate::domain::needle::Needle;
use crate::ownership::same_squad;

/// Most headers, and most paths, of one filter.
const MAX_NAMED: usize = 20;
/// Longest name of a header.
const MAX_HEADER_NAME: usize = 255;

/// Every condition must hold; an absent one holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FilterInput {
    /// Squad that owns the service, with or without `squad-`; `unowned` for services that nobody owns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub squad: Option<String>,
    /// Service whose queue it died in; `unknown` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub service: Option<String>,
    /// Broker that it died on, by the name that the configuration gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub broker: Option<String>,
    /// Virtual host that it died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub vhost: Option<String>,
    /// Queue that it died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub queue: Option<String>,
    /// Exchange that it had been published to; empty for the default exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// Routing key that it had been published with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<String>,
    /// Message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_id: Option<String>,
    /// Correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub correlation_id: Option<String>,
    /// Type of the message.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_type: Option<String>,
    /// Text within the error's type or message, whatever its case. Of a message longer than 4 KiB, its first and its last 2 KiB are
    /// searched; `find` searches the headers, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub error: Option<String>,
    /// Error group, as a dead letter's `errorGroup` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = Uuid)]
    #[schema(format = Uuid)]
    pub error_group: Option<String>,
    /// The broker's reason: `rejected`, `expired`, `maxlen` or `delivery_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub reason: Option<String>,
    /// The failure convention, such as `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub convention: Option<String>,
    /// `dead` (the default), `redelivered`, `deleted` or `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline, value_type = Option<StatusName>)]
    #[schema(inline, value_type = Option<StatusName>)]
    pub status: Option<String>,
    /// Arrived at or after this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub from: Option<String>,
    /// Arrived before this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub to: Option<String>,
    /// Died at or after this time, as the message tells, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_from: Option<String>,
    /// Died before this time, as the message tells, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_to: Option<String>,
    /// Text within the body, or bytes as `hex:00ff`. A text is found whichever way JSON escapes it, and in bodies compressed by gzip,
    /// deflate or zstd, whose first 8 MiB are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub contains: Option<String>,
    /// Died at least so often.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<i32>, minimum = 1)]
    #[schema(value_type = Option<i32>, minimum = 1)]
    pub min_attempt: Option<String>,
    /// `true`: died again after a redelivery from here; `false`: did not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>)]
    pub returned: Option<String>,
    /// Whatever is at hand: the id of a dead letter, whole or its first or last 8 digits or more, of a message, a correlation, a
    /// redelivery or an operation. Where it is none that is known: a text within the error, the body, or a header's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub find: Option<String>,
    /// `header.tenant=acme`: the header `tenant` is the text `acme`. Also numbers, `true`, `false`, `null`, and times; a name may have
    /// dots. In JSON: `"headers": {"tenant": "acme"}`.
    #[serde(
        default,
        alias = "header.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "header.*", value_type = Option<String>)]
    pub headers: BTreeMap<String, String>,
    /// `body.order.id=4711`: the JSON body has the number 4711, or the text, at this path; `body.items.0.sku` is of the first of
    /// an array. In JSON: `"bodyPaths": {"order.id": "4711"}`.
    #[serde(
        default,
        alias = "body.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "body.*", value_type = Option<String>)]
    pub body_paths: BTreeMap<String, String>,
}

/// The statuses, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum StatusName {
    /// Nothing was done with it yet.
    Dead,
    /// Put back.
    Redelivered,
    /// Deleted.
    Deleted,
    /// All of them.
    Any,
}

/// JSON has numbers and booleans, and a query has text.
#[derive(Deserialize)]
#[serde(untagged)]
enum AsText {
    Bool(bool),
    Number(Number),
    Text(String),
}

impl From<AsText> for String {
    fn from(value: AsText) -> Self {
        match value {
            AsText::Bool(yes) => yes.to_string(),
            AsText::Number(number) => number.to_string(),
            AsText::Text(text) => text,
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<AsText>::deserialize(deserializer)?.map(String::from))
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let texts = BTreeMap::<String, AsText>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|(name, value)| (name, value.into())).collect())
}

impl FilterInput {
    /// What it means now. A squad stands for the services that it owns at this moment.
    pub async fn resolve(&self, api: &Api) -> Result<Filter, ApiError> {
        let mut filter = self.check()?;
        let owners = api.ownership.now();
        filter.services = match (&self.squad, &self.service) {
            (None, None) => None,
            (None, Some(service)) => Some(vec![service.clone()]),
            (Some(squad), Some(service)) if same_squad(owners.squad(service), squad) => {
                Some(vec![service.clone()])
            }
            (Some(_), Some(service)) => {
                let message =
                    format!("contradicts `service`: {service} belongs to {}", owners.squad(service));
                return Err(ApiError::field("squad", message));
            }
            (Some(squad), None) => Some(owners.of_squad(squad, api.store.services().await?)),
        };
        Ok(filter)
    }

    /// What it means, but for squad and service.
    pub fn check(&self) -> Result<Filter, ApiError> {
        let mut errors = Vec::new();
        let status = match self.status.as_deref() {
            None => StatusFilter::Dead,
            Some("any") => StatusFilter::Any,
            Some(name) => Status::parse(name).map_or_else(
                || {
                    errors.push(FieldError::new("status", "must be one of dead, redelivered, deleted, any"));
                    StatusFilter::Dead
                },
                StatusFilter::Only,
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
            error_group: check.parsed("errorGroup", self.error_group.as_ref(), "must be a UUID", |text| {
                Uuid::from_str(text).ok()
            }),
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
            find: check.parsed(
                "find",
                self.find.as_ref(),
                "must be text, without the character NUL",
                |text| {
                    let text = text.trim();
                    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
                },
            ),
            headers: check.headers(&self.headers),
            body_paths: check.body_paths(&self.body_paths),
        };
        check.ordered("from", filter.from, "to", filter.to);
        check.ordered("diedFrom", filter.died_from, "diedTo", filter.died_to);
        if errors.is_empty() { Ok(filter) } else { Err(ApiError::Invalid(errors)) }
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

    fn time(&mut self, field: &str, value: Option<&String>) -> Option<DateTime<Utc>> {
        self.parsed(field, value, "must be a time as in RFC 3339, such as 2026-11-23T03:00:00Z", |text| {
            // In a query, the + of an offset arrives as a space.
            DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|time| time.to_utc())
        })
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
    use crate::http::query::Query;

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
            ..FilterInput::default()
        };
        let Err(ApiError::Invalid(errors)) = input.check() else { panic!("it is wrong") };
        let text = format!("{errors:?}");
        for field in ["status", "queue", "messageId", "to", "contains", "minAttempt", "returned"] {
            assert!(text.contains(&format!("field: \"{field}\"")), "{field} in {text}");
        }
        assert_eq!(errors.len(), 7);
    }

    #[test]
    fn a_needle_is_text_or_hex() {
        assert_eq!(needle("hex:00fF"), Some(Needle::Bytes(vec![0, 255])));
        assert_eq!((needle("hex:"), needle("hex:0"), needle("")), (None, None, None));
        assert_eq!(needle("abc"), Some(Needle::Text("abc".into())));
    }

    #[test]
    fn headers_and_paths_are_texts_in_a_query_and_whatever_json_has() {
        let mut query = Query::parse("header.x.y=1&body.order.id=4711&header.tenant=a%20b").unwrap();
        let asked: FilterInput = query.take().unwrap();
        query.finish().unwrap();
        let json = r#"{"headers": {"x.y": 1, "tenant": "a b"}, "bodyPaths": {"order.id": 4711}}"#;
        assert_eq!(asked, serde_json::from_str(json).unwrap());
        assert_eq!(asked.check().unwrap().headers["x.y"], "1");
        assert!(Query::parse("header.a=1&header.a=2").unwrap().take::<FilterInput>().is_err());
        for wrong in ["header.=1", "body.=1", "body.a..b=1", &format!("header.{}=1", "a".repeat(256))] {
            let input: FilterInput = Query::parse(wrong).unwrap().take().unwrap();
            assert!(input.check().is_err(), "{wrong}");
        }
    }
}
