//! Links from a dead letter to the logs of its moment: a template that the operator sets, filled in for each.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::dead_letter::{DeadLetter, received_at};

/// What a URL takes as it stands anywhere (RFC 3986, "unreserved"); all else is escaped, so that no value can add a parameter.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A year: more is a slip of the pen.
const LONGEST_OFFSET: TimeDelta = TimeDelta::days(366);

/// A template such as `https://logs.example.com/?q={correlationId}&from={diedAt-5m}&to={diedAt+5m}`.
///
/// | placeholder | what |
/// |---|---|
/// | `{id}`, `{service}`, `{queue}`, `{exchange}`, `{routingKey}`, `{messageId}`, `{correlationId}`, `{type}`, `{errorType}` | as in the API |
/// | `{diedAt}`, `{receivedAt}` | RFC 3339; the arrival stands in for a death whose time is not known |
/// | `{diedAt-5m}`, `{diedAt+1h}` | so long before or after: `s`, `m`, `h`, `d` |
/// | `{diedAt-5m:ms}`, `{diedAt:s}` | milliseconds or seconds since 1970 |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLink(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
    Time { of_death: bool, offset: TimeDelta, format: Format },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Service,
    Queue,
    Exchange,
    RoutingKey,
    MessageId,
    CorrelationId,
    Type,
    ErrorType,
}

const FIELDS: [(&str, Field); 9] = [
    ("id", Field::Id),
    ("service", Field::Service),
    ("queue", Field::Queue),
    ("exchange", Field::Exchange),
    ("routingKey", Field::RoutingKey),
    ("messageId", Field::MessageId),
    ("correlationId", Field::CorrelationId),
    ("type", Field::Type),
    ("errorType", Field::ErrorType),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Rfc3339,
    Milliseconds,
    Seconds,
}

impl LogLink {
    /// Takes the template, or says what is wrong with it.
    pub fn new(template: &str) -> Result<Self, String> {
        if !template.starts_with("https://") && !template.starts_with("http://") {
            return Err("it must begin with https:// or http://".into());
        }
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a { is not closed")?;
            parts.extend([Part::Text(text.to_owned()), placeholder(name)?]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The link of this dead letter; none where it lacks something that the template names.
    pub fn of(&self, letter: &DeadLetter) -> Option<String> {
        let mut link = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => link.push_str(text),
                Part::Field(field) => link.extend(utf8_percent_encode(&field.of(letter)?, ESCAPED)),
                Part::Time { of_death, offset, format } => {
                    let received = received_at(letter.id);
                    let died = letter.derived.died_at.filter(|_| *of_death).unwrap_or(received);
                    let time = format.of(died.checked_add_signed(*offset)?);
                    link.extend(utf8_percent_encode(&time, ESCAPED));
                }
            }
        }
        Some(link)
    }
}

impl Field {
    fn of(self, letter: &DeadLetter) -> Option<String> {
        let derived = &letter.derived;
        match self {
            Self::Id => Some(letter.id.to_string()),
            Self::Service => Some(derived.service.clone()),
            Self::Queue => derived.origin.queue.clone(),
            Self::Exchange => derived.origin.exchange.clone(),
            Self::RoutingKey => derived.origin.routing_key.clone(),
            Self::MessageId => derived.message_id.clone(),
            Self::CorrelationId => derived.correlation_id.clone(),
            Self::Type => derived.message_type.clone(),
            Self::ErrorType => derived.error_type.clone(),
        }
    }
}

impl Format {
    fn of(self, time: DateTime<Utc>) -> String {
        match self {
            Self::Rfc3339 => time.to_rfc3339_opts(SecondsFormat::Millis, true),
            Self::Milliseconds => time.timestamp_millis().to_string(),
            Self::Seconds => time.timestamp().to_string(),
        }
    }
}

fn placeholder(name: &str) -> Result<Part, String> {
    if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
        return Ok(Part::Field(*field));
    }
    let (time, format) = match name.rsplit_once(':') {
        None => (name, Format::Rfc3339),
        Some((time, "ms")) => (time, Format::Milliseconds),
        Some((time, "s")) => (time, Format::Seconds),
        Some(_) => return Err(format!("{{{name}}}: after the colon, ms or s is needed")),
    };
    let times = [("diedAt", true), ("receivedAt", false)];
    let (rest, of_death) = times
        .into_iter()
        .find_map(|(known, of_death)| Some((time.strip_prefix(known)?, of_death)))
        .ok_or_else(|| {
            let known = FIELDS.map(|(known, _)| known).join(", ");
            format!("{{{name}}} is not known: take one of {known}, diedAt, receivedAt")
        })?;
    let offset = offset(rest).ok_or_else(|| {
        format!("{{{name}}}: a time before or after is needed, such as {{diedAt-5m}}, a year at most")
    })?;
    Ok(Part::Time { of_death, offset, format })
}

/// Nothing, or `-5m`, `+1h`.
fn offset(text: &str) -> Option<TimeDelta> {
    if text.is_empty() {
        return Some(TimeDelta::zero());
    }
    let sign = match text.as_bytes().first()? {
        b'-' => -1,
        b'+' => 1,
        _ => return None,
    };
    let (number, unit) = text.get(1..)?.split_at_checked(text.len().checked_sub(2)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    let offset = TimeDelta::try_seconds(i64::from(number) * seconds * sign)?;
    (offset.abs() <= LONGEST_OFFSET).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dead_letter::{Derived, Status, floor_id};

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    fn letter() -> DeadLetter {
        DeadLetter {
            id: floor_id(time("2026-11-24T03:00:01Z")),
            status: Status::Dead,
            place: None,
            source: "dead-letter".into(),
            derived: Derived {
                service: "webshop".into(),
                correlation_id: Some("a&b=\"é\" {id}".into()),
                died_at: Some(time("2026-11-24T03:00:00.5Z")),
                ..Derived::default()
            },
            error_group: None,
            warning: None,
            body_size: 0,
        }
    }

    #[test]
    fn values_are_escaped_and_times_are_moved() {
        let template =
            "https://logs/{service}?q={correlationId}&from={diedAt-5m}&to={diedAt+1h:ms}&at={receivedAt:s}";
        let link = LogLink::new(template).expect("valid");
        assert_eq!(
            link.of(&letter()).expect("all is known"),
            "https://logs/webshop?q=a%26b%3D%22%C3%A9%22%20%7Bid%7D&from=2026-11-24T02%3A55%3A00.500Z\
             &to=1795492800500&at=1795489201"
        );
        let by_arrival = DeadLetter { derived: Derived::default(), ..letter() };
        assert_eq!(
            LogLink::new("http://l/{diedAt:s}").expect("valid").of(&by_arrival).as_deref(),
            Some("http://l/1795489201")
        );
        assert_eq!(link.of(&by_arrival), None, "without a correlation id there is nothing to look for");
    }

    #[test]
    fn mistakes_are_told() {
        for wrong in [
            "javascript:alert(1)",
            "https://logs/{correlation}",
            "https://logs/{id",
            "https://logs/{diedAt-5}",
            "https://logs/{diedAt-é}",
            "https://logs/{diedAt5m}",
            "https://logs/{diedAt-400d}",
            "https://logs/{diedAt:us}",
        ] {
            assert!(LogLink::new(wrong).is_err(), "{wrong}");
        }
    }
}
