//! Until when a message is worth handling, as it says itself: its worker discards it, or fails it, once that has passed.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use super::message::{Message, Properties};

/// The time after which a worker of the message's library discards it. `None` if there is no known deadline.
pub fn of(message: &Message) -> Option<DateTime<Utc>> {
    let properties = &message.properties;
    by_headers(properties).or_else(|| by_body(properties, &message.body))
}

fn by_headers(properties: &Properties) -> Option<DateTime<Utc>> {
    let time = |name| properties.header_text(name).as_deref().and_then(time);
    // Celery's second protocol; Wolverine; CloudEvents in binary mode.
    let celery = || properties.header("task").and_then(|_| time("expires"));
    celery()
        .or_else(|| time("deliver-by"))
        .or_else(|| time("cloudEvents:expirytime"))
        .or_else(|| time("cloudEvents_expirytime"))
}

fn by_body(properties: &Properties, body: &[u8]) -> Option<DateTime<Utc>> {
    let is_structured = properties
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with(b"application/cloudevents"));
    if is_structured {
        let event: CloudEvent = serde_json::from_slice(body).ok()?;
        // The second is Dapr's.
        return event.expirytime.or(event.expiration).as_deref().and_then(time);
    }
    laravel(body).or_else(|| dramatiq(body)).or_else(|| celery_in_body(body))
}

#[derive(Deserialize)]
struct CloudEvent {
    expirytime: Option<String>,
    expiration: Option<String>,
}

/// Laravel fails a job that comes after its `retryUntil`, in seconds.
fn laravel(body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Job {
        #[serde(rename = "displayName")]
        _display_name: String,
        retry_until: i64,
    }
    let job: Job = serde_json::from_slice(body).ok()?;
    DateTime::from_timestamp(job.retry_until, 0)
}

/// Dramatiq fails a message that is older than its `max_age`, in milliseconds.
fn dramatiq(body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Task {
        #[serde(rename = "actor_name")]
        _actor_name: String,
        message_timestamp: i64,
        options: Options,
    }
    #[derive(Deserialize)]
    struct Options {
        max_age: i64,
    }
    let task: Task = serde_json::from_slice(body).ok()?;
    DateTime::from_timestamp_millis(task.message_timestamp.checked_add(task.options.max_age)?)
}

/// Celery's first protocol.
fn celery_in_body(body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Task {
        #[serde(rename = "task")]
        _task: String,
        expires: String,
    }
    time(&serde_json::from_slice::<Task>(body).ok()?.expires)
}

/// As in ISO 8601, in UTC where it says no offset, as Celery writes it.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    with_offset.or_else(|| text.parse::<NaiveDateTime>().ok().map(|time| time.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Table, Value};

    fn headers(pairs: &[(&str, &str)]) -> Message {
        let headers = pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), Value::text(*value)));
        let properties = Properties { headers: Some(Table(headers.collect())), ..Properties::default() };
        Message::at_rest(properties, b"not JSON".to_vec())
    }

    fn body(content_type: &str, body: &str) -> Message {
        let properties =
            Properties { content_type: Some(content_type.as_bytes().to_vec()), ..Properties::default() };
        Message::at_rest(properties, body.as_bytes().to_vec())
    }

    #[test]
    fn deadlines_are_read_where_each_library_writes_them() {
        let noon = DateTime::from_timestamp(1_700_000_000, 0);
        assert!(noon.is_some());
        let iso = "2023-11-14T22:13:20";
        let z = format!("{iso}+00:00");
        let json = "application/json";
        for message in [
            headers(&[("task", "shop.mail"), ("expires", &z)]),
            headers(&[("task", "shop.mail"), ("expires", iso)]),
            headers(&[("deliver-by", &z)]),
            headers(&[("cloudEvents:expirytime", &z)]),
            body("application/cloudevents+json; charset=utf-8", &format!(r#"{{"expiration":"{z}"}}"#)),
            body(json, r#"{"uuid":"1","displayName":"App\\Mail","retryUntil":1700000000,"data":{}}"#),
            body(
                json,
                r#"{"queue_name":"q","actor_name":"a","options":{"max_age":5000},"message_timestamp":1699999995000}"#,
            ),
            body(json, &format!(r#"{{"task":"shop.mail","id":"1","args":[],"expires":"{iso}"}}"#)),
        ] {
            assert_eq!(of(&message), noon, "{message:?}");
        }
        for message in [
            headers(&[("expires", &z)]),
            headers(&[("task", "shop.mail"), ("expires", "soon")]),
            body(json, r#"{"retryUntil":1700000000}"#),
            body(json, r#"{"displayName":"App\\Mail","retryUntil":null}"#),
            body(
                json,
                r#"{"actor_name":"a","options":{"max_age":9223372036854775807},"message_timestamp":1}"#,
            ),
        ] {
            assert_eq!(of(&message), None, "{message:?}");
        }
    }
}
