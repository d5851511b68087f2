//! Messages as each library makes them when a consumer fails, read and put back.

use std::time::{Duration, Instant};

use super::*;
use crate::domain::fingerprint;
use crate::domain::message::{Properties, Value};

mod dotnet;
mod others;

fn message(headers: &[(&str, Value)]) -> Message {
    let headers = headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone())).collect();
    let properties = Properties { headers: Some(Table(headers)), ..Properties::default() };
    Message { exchange: String::new(), routing_key: "k".into(), properties, body: b"{}".to_vec() }
}

fn texts(headers: &[(&str, &str)]) -> Message {
    message(&headers.iter().map(|(name, text)| (*name, Value::text(*text))).collect::<Vec<_>>())
}

fn recognise(source: &str, message: &Message) -> Recognised {
    Conventions::default().recognise(source, message)
}

fn put_back(message: &Message) -> (Message, Vec<String>) {
    let mut message = message.clone();
    Conventions::default().restore(&mut message, Decoding::Full);
    let headers = message.properties.headers.clone().unwrap_or_default();
    let names = headers.0.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    (message, names)
}

/// Convention, queue, error's type, error's text, milliseconds of its time, deaths.
fn summary(source: &str, message: &Message) -> (&'static str, String, String, String, i64, i64) {
    let read = recognise(source, message);
    assert_eq!(read.warning, None);
    (
        read.convention,
        read.origin.queue.unwrap_or_default(),
        read.failure.error_type.unwrap_or_default(),
        read.failure.error_message.unwrap_or_default(),
        read.died_at.map_or(0, |time| time.timestamp_millis()),
        read.deaths,
    )
}

fn is(
    name: &'static str,
    queue: &str,
    kind: &str,
    text: &str,
    time: i64,
    deaths: i64,
) -> (&'static str, String, String, String, i64, i64) {
    (name, queue.into(), kind.into(), text.into(), time, deaths)
}

const MOMENT: i64 = 1_795_392_000_500;

#[test]
fn native_headers_win_over_the_brokers() {
    let death = Value::Table(Table(vec![
        (b"queue".to_vec(), Value::text("parking")),
        (b"time".to_vec(), Value::Timestamp(u64::MAX)),
    ]));
    let failed = message(&[
        ("x-death", Value::Array(vec![death])),
        ("dead-letter-error-type", Value::text("Timeout")),
        ("dead-letter-origin-queue", Value::text("orders_webshop")),
        ("dead-letter-failed-at", Value::text("2026-11-23T00:00:00.5Z")),
        ("dead-letter-error-message", Value::Void),
        ("mine", Value::I8(1)),
    ]);
    assert_eq!(summary("dead-letter", &failed), is("native", "orders_webshop", "Timeout", "", MOMENT, 1));
    assert_eq!(put_back(&failed).1, ["x-death", "mine"]);
}

#[test]
fn what_cannot_be_read_is_named_and_its_value_is_not() {
    let failed = message(&[
        ("dead-letter-error-message", Value::I64(7)),
        ("dead-letter-failed-at", Value::text("secret")),
    ]);
    let read = recognise("dead-letter", &failed);
    let warning = "native: cannot be read: dead-letter-error-message, dead-letter-failed-at";
    assert_eq!(read.warning.as_deref(), Some(warning));
    assert_eq!(read.failure.error_message, None);
}

/// As RabbitMQ 4.3 shows the annotations of a `modified` outcome.
#[test]
fn an_amqp_1_0_consumer_says_why() {
    let outcome = [
        ("x-opt-dead-letter-reason", "not eligible"),
        ("x-opt-dead-letter-category", "business"),
        ("x-opt-mine", "1"),
    ];
    let read = recognise("dead", &texts(&outcome));
    assert_eq!(read.convention, "native");
    assert_eq!(read.failure.error_type.as_deref(), Some("business"));
    assert_eq!(read.failure.error_message.as_deref(), Some("not eligible"));
    assert_eq!(put_back(&texts(&outcome)).1, ["x-opt-mine"]);

    // With a convention that tells nothing of the failure, and with one that does.
    let celery = texts(&[&[("task", "shop.charge"), ("id", "1"), ("root_id", "1")], &outcome[..]].concat());
    let read = recognise("dead", &celery);
    assert_eq!((read.convention, read.failure.error_message.as_deref()), ("celery", Some("not eligible")));
    assert_eq!(put_back(&celery).1, ["task", "id", "root_id", "x-opt-mine"]);
    let spring = texts(&[&[("x-exception-message", "card expired")], &outcome[..]].concat());
    assert_eq!(recognise("dead", &spring).failure.error_message.as_deref(), Some("card expired"));

    let number = message(&[("x-opt-dead-letter-reason", Value::I64(7))]);
    let read = recognise("dead", &number);
    assert_eq!(read.failure.error_message, None);
    assert_eq!(read.warning.as_deref(), Some("native: cannot be read: x-opt-dead-letter-reason"));
}

#[test]
fn what_costs_too_much_to_read_is_a_native_message_with_a_warning() {
    let mut failed = texts(&[("x-first-death-queue", "orders")]);
    failed.properties.kind = Some(b"EasyNetQ.SystemMessages.Error, EasyNetQ".to_vec());
    failed.body = format!(r#"{{"Message":"m","Headers":[{}0]}}"#, "0,".repeat(1_000_000)).into_bytes();
    let read = recognise("", &failed);
    assert_eq!(read.convention, "native");
    let warning = read.warning.unwrap();
    assert_eq!(
        warning,
        "native: cannot be read: the envelope of easynetq, as it has more than 1000000 values"
    );
    failed.properties.kind = None;
    failed.properties.content_type = Some(b"application/cloudevents+json".to_vec());
    assert_eq!(recognise("", &failed).convention, "native");
    assert_eq!(put_back(&failed).0.body, failed.body);
}

#[test]
fn headers_of_ones_own_come_first() {
    let setting = "queue=x-queue, errorType=x-class,errorMessage=x-error,failedAt=x-at,attempts=x-tries";
    let conventions = Conventions::new(Some(CustomHeaders::new(setting).expect("valid")), Claims::default());
    let failed = message(&[
        ("x-queue", Value::text("orders")),
        ("x-class", Value::text("PaymentDeclined")),
        ("x-error", Value::text("card expired")),
        ("x-at", Value::I64(MOMENT)),
        ("x-tries", Value::I8(4)),
        ("dead-letter-error-type", Value::text("Other")),
        ("mine", Value::I8(1)),
    ]);
    let read = conventions.recognise("dead", &failed);
    assert_eq!((read.convention, read.deaths), ("own", 4));
    assert_eq!(read.origin.queue.as_deref(), Some("orders"));
    assert_eq!(read.failure.error_type.as_deref(), Some("PaymentDeclined"));
    assert_eq!(read.died_at.map(|time| time.timestamp_millis()), Some(MOMENT));
    let mut sent = failed;
    conventions.restore(&mut sent, Decoding::Full);
    assert_eq!(sent.properties.headers, message(&[("mine", Value::I8(1))]).properties.headers);
    assert_eq!(conventions.recognise("dead", &sent).convention, "native");

    for wrong in ["", "queue", "queue=", "queues=x", "queue=a,queue=b"] {
        assert!(CustomHeaders::new(wrong).is_err(), "{wrong}");
    }
}

fn time_to_read(message: &Message) -> Duration {
    let begun = Instant::now();
    let read = recognise("source", message);
    std::hint::black_box(fingerprint::of("service", &read.failure));
    begun.elapsed()
}

#[test]
fn a_long_stack_takes_as_much_longer_as_it_is_longer() {
    const LONGER: u32 = 16;
    const STACKS: [&[&str]; 7] = [
        &NATIVE_HEADERS,
        &["x-exception-stacktrace", "x-exception-message"],
        &["MT-Fault-ExceptionType", "MT-Fault-StackTrace", "MT-Fault-InputAddress"],
        &["NServiceBus.FailedQ", "NServiceBus.ExceptionInfo.StackTrace"],
        &["rbs2-error-details"],
        &["exception-type", "exception-stack", "original-destination"],
        &["cap-exception"],
    ];
    let line = "at com.example.Main.main(Main.java:7)\n";
    for headers in STACKS {
        for part in ["x", "\0", "'", "Caused by: a.b: ", line] {
            let failed = |length: usize| {
                let text = part.repeat(length / part.len());
                texts(&headers.iter().map(|name| (*name, text.as_str())).collect::<Vec<_>>())
            };
            let [short, long] = [1 << 16, LONGER << 16].map(|length| failed(length as usize));
            // What else runs on the machine only makes times longer: the shortest count, of as many as it takes. By the square it
            // would be 256 times as long.
            let (mut shortest, mut longest) = (Duration::ZERO, Duration::MAX);
            let begun = Instant::now();
            while longest > shortest * LONGER * 5 + Duration::from_millis(1) {
                assert!(
                    begun.elapsed() < Duration::from_mins(1),
                    "{headers:?} {part:?}: {shortest:?}, then {longest:?}"
                );
                shortest = match shortest {
                    Duration::ZERO => time_to_read(&short),
                    known => known.min(time_to_read(&short)),
                };
                longest = longest.min(time_to_read(&long));
            }
        }
    }
}
