//! Messages as each library makes them when a consumer fails, read and put back.

use std::time::{Duration, Instant};

use super::*;
use crate::domain::fingerprint;
use crate::domain::message::{Properties, Value};

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

#[test]
fn spring() {
    let stack = "org.springframework.ListenerExecutionFailedException: Listener threw exception\n\
        \tat org.springframework.Adapter.invoke(Adapter.java:1)\n\
        Caused by: com.example.PaymentDeclined: card expired\n\tat com.example.Main.main(Main.java:7)\n";
    let failed = texts(&[
        ("x-exception-stacktrace", stack),
        ("x-exception-message", "card expired"),
        ("x-original-exchange", ""),
        ("x-original-routingKey", "orders"),
        ("retry-count", "2"),
        ("mine", "1"),
    ]);
    let expected = is("spring", "orders", "com.example.PaymentDeclined", "card expired", 0, 2);
    assert_eq!(summary("errors", &failed), expected);
    assert_eq!(recognise("orders.billing.dlq", &failed).origin.queue.as_deref(), Some("orders.billing"));
    assert_eq!(recognise("errors", &failed).failure.error_stack.as_deref(), Some(stack));
    assert_eq!(put_back(&failed).1, ["mine"]);
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
fn masstransit() {
    let failed = texts(&[
        ("MT-Host-MachineName", "pod-1"),
        ("MT-Reason", "fault"),
        ("MT-Fault-ExceptionType", "Shop.PaymentDeclined"),
        ("MT-Fault-Message", "card expired"),
        ("MT-Fault-StackTrace", "at Shop.Main()"),
        ("MT-Fault-Timestamp", "2026-11-23T00:00:00.5000000Z"),
        ("MT-Fault-InputAddress", "rabbitmq://host/vhost/order%20queue?durable=true"),
        ("MT-Fault-RetryCount", "3"),
        ("MT-Activity-Id", "00-1-2-01"),
    ]);
    let expected = is("masstransit", "order queue", "Shop.PaymentDeclined", "card expired", MOMENT, 4);
    assert_eq!(summary("order queue_error", &failed), expected);
    assert_eq!(put_back(&failed).1, ["MT-Activity-Id"]);

    let skipped = texts(&[("MT-Reason", "dead-letter")]);
    let text = "no consumer took this type of message";
    assert_eq!(summary("orders_skipped", &skipped), is("masstransit", "orders", "", text, 0, 1));
}

#[test]
fn nservicebus() {
    let failed = texts(&[
        ("NServiceBus.FailedQ", "Shop.Orders"),
        ("NServiceBus.ExceptionInfo.ExceptionType", "Shop.PaymentDeclined"),
        ("NServiceBus.ExceptionInfo.Message", "card expired"),
        ("NServiceBus.ExceptionInfo.StackTrace", "Shop.PaymentDeclined: card expired\n   at Shop.Main()"),
        ("NServiceBus.TimeOfFailure", "2026-11-23 00:00:00:500000 Z"),
        ("NServiceBus.MessageId", "m-1"),
        ("NServiceBus.EnclosedMessageTypes", "Shop.OrderPlaced, Shop, Version=1.0.0.0"),
    ]);
    let expected = is("nservicebus", "Shop.Orders", "Shop.PaymentDeclined", "card expired", MOMENT, 1);
    assert_eq!(summary("error", &failed), expected);
    let read = recognise("error", &failed);
    assert_eq!(
        (read.message_id.as_deref(), read.message_type.as_deref()),
        (Some("m-1"), Some("Shop.OrderPlaced"))
    );
    assert_eq!(put_back(&failed).1, ["NServiceBus.MessageId", "NServiceBus.EnclosedMessageTypes"]);
}

#[test]
fn rebus() {
    let details = "2 unhandled exceptions: 11/23/2026 00:00:00 +00:00: System.TimeoutException: too late\n   at Shop.Main()";
    let failed =
        texts(&[("rbs2-source-queue", "orders"), ("rbs2-error-details", details), ("rbs2-msg-id", "m-1")]);
    let first = "2 unhandled exceptions: 11/23/2026 00:00:00 +00:00: System.TimeoutException: too late";
    assert_eq!(summary("error", &failed), is("rebus", "orders", "System.TimeoutException", first, 0, 1));
    assert_eq!(recognise("error", &failed).message_id.as_deref(), Some("m-1"));
    assert_eq!(put_back(&failed).1, ["rbs2-msg-id"]);
}

#[test]
fn easynetq_is_unwrapped() {
    let body = serde_json::json!({
        "RoutingKey": "orders.placed", "Exchange": "shop", "Queue": "orders_webshop",
        "Exception": "Shop.PaymentDeclined: card expired\n   at Shop.Main()",
        "Message": "{\"order\":7}", "DateTime": "2026-11-23T00:00:00.5Z",
        "BasicProperties": {
            "ContentType": "application/json", "DeliveryMode": 2, "Type": "Shop.OrderPlaced, Shop", "MessageId": "m-1",
            "Headers": {"dead-letter-redelivery-id": "cjE=", "dead-letter-redelivery-count": "MQ==", "number": 3, "x-death": []},
            "Timestamp": 0, "Priority": 0, "ReplyTo": null,
        },
    });
    let mut failed = texts(&[]);
    failed.properties.kind = Some(b"EasyNetQ.SystemMessages.Error, EasyNetQ".to_vec());
    failed.body = body.to_string().into_bytes();
    // It died before it was redelivered, and again.
    let expected = is("easynetq", "orders_webshop", "Shop.PaymentDeclined", "card expired", MOMENT, 2);
    assert_eq!(summary("EasyNetQ_Default_Error_Queue", &failed), expected);
    let read = recognise("", &failed);
    assert_eq!(
        (read.message_id.as_deref(), read.redelivered.as_ref().map(|redelivered| &redelivered.id[..])),
        (Some("m-1"), Some("r1"))
    );

    let (sent, names) = put_back(&failed);
    assert_eq!(sent.body, br#"{"order":7}"#);
    assert_eq!(sent.properties.message_id.as_deref(), Some(b"m-1".as_slice()));
    assert_eq!(sent.properties.timestamp, None);
    assert_eq!(names, ["dead-letter-redelivery-count", "dead-letter-redelivery-id", "number"]);

    failed.body = b"{}".to_vec();
    let read = recognise("", &failed);
    assert_eq!(read.warning.as_deref(), Some("easynetq: cannot be read: the envelope in the body"));
    assert_eq!(put_back(&failed).0.body, failed.body, "what cannot be unwrapped goes as it came");
}

/// Up to version 7 headers are text, of which some is base64 by accident.
#[test]
fn headers_in_the_envelope_of_easynetq_stay_text() {
    let wrapped = |headers: &serde_json::Value| {
        let body = serde_json::json!({"Queue": "q", "Message": "m", "BasicProperties": {"Headers": headers}});
        let mut failed = texts(&[]);
        failed.properties.kind = Some(b"EasyNetQ.SystemMessages.Error, EasyNetQ".to_vec());
        failed.body = [b"\xef\xbb\xbf", body.to_string().as_bytes()].concat();
        failed
    };
    let text = |message: &Message, name: &str| message.properties.header_text(name).unwrap().into_owned();
    let words = serde_json::json!({"when": "2026-11-23T00:00:00Z", "role": "USER", "tenant": "DEMO", "currency": "EURO"});
    let failed = wrapped(&words);
    assert_eq!(recognise("", &failed).warning, None);
    let (sent, _) = put_back(&failed);
    for (name, value) in words.as_object().unwrap() {
        assert_eq!(text(&sent, name), value.as_str().unwrap());
    }
    let eight = wrapped(&serde_json::json!({"role": "VVNFUg==", "tenant": "REVNTw=="}));
    assert_eq!(recognise("", &eight).warning, None);
    assert_eq!(
        (text(&put_back(&eight).0, "role"), text(&put_back(&eight).0, "tenant")),
        ("USER".into(), "DEMO".into())
    );
    let either = wrapped(&serde_json::json!({"role": "USER"}));
    let warning = recognise("", &either).warning.unwrap();
    assert!(warning.contains("may be text or base64, and are read as text"), "{warning}");
    assert_eq!(text(&put_back(&either).0, "role"), "USER");
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
fn wolverine() {
    let failed = texts(&[
        ("exception-type", "Shop.PaymentDeclined"),
        ("exception-message", "card expired"),
        ("exception-stack", "at Shop.Main()"),
        ("failed-at", "1795392000500"),
        ("original-destination", "rabbitmq://queue/orders"),
        ("attempts", "3"),
        ("id", "1"),
    ]);
    let expected = is("wolverine", "orders", "Shop.PaymentDeclined", "card expired", MOMENT, 3);
    assert_eq!(summary("wolverine-dead-letter-queue", &failed), expected);
    assert_eq!(put_back(&failed).1, ["id"]);
}

#[test]
fn watermill() {
    let failed = texts(&[
        ("reason_poisoned", "card expired"),
        ("topic_poisoned", "orders"),
        ("handler_poisoned", "h"),
        ("subscriber_poisoned", "s"),
        ("_watermill_message_uuid", "m-1"),
    ]);
    assert_eq!(summary("poison", &failed), is("watermill", "orders", "", "card expired", 0, 1));
    assert_eq!(put_back(&failed).1, ["_watermill_message_uuid"]);
}

#[test]
fn rascal_forgets_its_recovery() {
    let table = |entries: Vec<(&str, Value)>| {
        Value::Table(Table(
            entries.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect(),
        ))
    };
    let notes = table(vec![("republished", Value::I8(2)), ("immediateNack", Value::Bool(true))]);
    let rascal = table(vec![
        ("originalQueue", Value::text("orders")),
        ("originalExchange", Value::text("shop")),
        ("originalRoutingKey", Value::text("placed")),
        ("error", table(vec![("message", Value::text("card expired")), ("code", Value::text("E_CARD"))])),
        ("recovery", table(vec![("orders", notes)])),
    ]);
    let failed = message(&[("rascal", rascal)]);
    assert_eq!(summary("dead", &failed), is("rascal", "orders", "E_CARD", "card expired", 0, 3));
    let sent = put_back(&failed).0;
    let rest = sent.properties.header("rascal").and_then(Value::as_table).expect("a table");
    assert!(
        rest.get("recovery").is_none() && rest.get("error").is_none() && rest.get("originalQueue").is_some()
    );
}

#[test]
fn sneakers_gets_its_properties_back() {
    let info = serde_json::json!([{
        "error": "reject", "error_class": "PaymentDeclined", "error_message": "card expired",
        "backtrace": ["a.rb:1", "b.rb:2"], "num_attempts": 5, "failed_at": "2026-11-23T00:00:00.500Z",
        "properties": {
            "content_type": "application/json", "delivery_mode": 2, "message_id": "m-1",
            "headers": {"dead-letter-redelivery-id": "r1", "mine": 1, "x-death": [{}]},
        },
    }]);
    let failed = texts(&[("retry_info", &info.to_string())]);
    // Five deaths since it was redelivered, and one before.
    let expected = is("sneakers", "orders", "PaymentDeclined", "card expired", MOMENT, 6);
    assert_eq!(summary("orders-error", &failed), expected);
    let read = recognise("orders-error", &failed);
    assert_eq!(
        (read.message_id.as_deref(), read.redelivered.as_ref().map(|redelivered| &redelivered.id[..])),
        (Some("m-1"), Some("r1"))
    );
    assert_eq!(read.failure.error_stack.as_deref(), Some("a.rb:1\nb.rb:2"));
    let (sent, names) = put_back(&failed);
    assert_eq!(sent.properties.message_id.as_deref(), Some(b"m-1".as_slice()));
    assert_eq!(names, ["dead-letter-redelivery-id", "mine"]);

    let half = texts(&[("retry_info", "{")]);
    assert!(recognise("", &half).warning.is_some_and(|warning| warning.ends_with("retry_info")));
}

#[test]
fn symfony() {
    let stamp = |class: &str| format!("X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\{class}");
    let failed = texts(&[
        (&stamp("SentToFailureTransportStamp"), r#"[{"originalReceiverName":"orders"}]"#),
        (
            &stamp("ErrorDetailsStamp"),
            r##"[{"exceptionClass":"Old","exceptionMessage":"old"},{"exceptionClass":"App\\PaymentDeclined","exceptionCode":0,"exceptionMessage":"card expired","flattenException":{"traceAsString":"#0 main"}}]"##,
        ),
        (&stamp("RedeliveryStamp"), r#"[{"retryCount":2,"redeliveredAt":"2026-11-23T00:00:00.5+00:00"}]"#),
        (&stamp("BusNameStamp"), "[]"),
        ("type", "App\\OrderPlaced"),
    ]);
    let expected = is("symfony", "orders", "App\\PaymentDeclined", "card expired", MOMENT, 3);
    assert_eq!(summary("failed", &failed), expected);
    assert_eq!(recognise("failed", &failed).failure.error_stack.as_deref(), Some("#0 main"));
    assert_eq!(put_back(&failed).1, [stamp("BusNameStamp"), "type".into()]);
}

#[test]
fn cap() {
    let failed = texts(&[
        ("cap-msg-id", "m-1"),
        ("cap-msg-group", "orders.v1"),
        ("cap-msg-name", "order.placed"),
        ("cap-exception", "PaymentDeclined-->card expired"),
    ]);
    assert_eq!(summary("dead", &failed), is("cap", "orders.v1", "PaymentDeclined", "card expired", 0, 1));
    assert_eq!(put_back(&failed).1, ["cap-msg-id", "cap-msg-group", "cap-msg-name"]);
}

#[test]
fn laravel_counts_afresh() {
    let attempts = Value::Table(Table(vec![(b"attempts".to_vec(), Value::I32(3))]));
    let mut failed = message(&[("laravel", attempts)]);
    failed.body = br#"{"uuid":"1","displayName":"App\\Jobs\\Charge"}"#.to_vec();
    assert_eq!(summary("dead", &failed), is("laravel", "", "", "", 0, 3));
    assert_eq!(recognise("dead", &failed).message_type.as_deref(), Some("App\\Jobs\\Charge"));
    let sent = put_back(&failed).0;
    let counts = sent.properties.header("laravel").and_then(Value::as_table).expect("a table");
    assert_eq!(counts.get("attempts"), Some(&Value::I32(0)));
}

#[test]
fn celery() {
    let failed = texts(&[("task", "shop.charge"), ("id", "m-1"), ("root_id", "m-1"), ("retries", "2")]);
    assert_eq!(summary("dead", &failed), is("celery", "", "", "", 0, 3));
    let read = recognise("dead", &failed);
    assert_eq!(
        (read.message_id.as_deref(), read.message_type.as_deref()),
        (Some("m-1"), Some("shop.charge"))
    );
}

#[test]
fn dramatiq() {
    let mut failed = texts(&[]);
    failed.body = br#"{"queue_name":"orders","actor_name":"charge","args":[],"kwargs":{},"options":{"retries":2,"traceback":"Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: card expired\n"},"message_id":"m-1","message_timestamp":1}"#.to_vec();
    assert_eq!(summary("orders.XQ", &failed), is("dramatiq", "orders", "ValueError", "card expired", 0, 3));
    assert_eq!(put_back(&failed).0, failed, "as it is");
    for order in [
        r#"{"actor_name":"charge","args":[],"message_id":"m-1","queue_name":"orders"}"#,
        "\u{feff}{ \"args\" : [1], \"queue_name\": \"orders\", \"actor_name\": \"charge\", \"message_id\": \"m-1\"}",
    ] {
        failed.body = order.as_bytes().to_vec();
        let read = recognise("orders.XQ", &failed);
        assert_eq!((read.convention, read.message_id.as_deref()), ("dramatiq", Some("m-1")), "{order}");
    }
    failed.body.truncate(20);
    assert_eq!(recognise("", &failed).convention, "native", "half a body is nobody's");
}

#[test]
fn brighter() {
    let failed = texts(&[("HandledCount", "3"), ("MessageType", "MT_COMMAND"), ("Topic", "order.placed")]);
    assert_eq!(summary("dead", &failed), is("brighter", "", "", "", 0, 3));
    assert_eq!(recognise("dead", &failed).origin.routing_key.as_deref(), Some("order.placed"));
    assert_eq!(put_back(&failed).1, ["MessageType", "Topic"]);
}

#[test]
fn cloudevents() {
    let binary =
        texts(&[("cloudEvents_specversion", "1.0"), ("cloudEvents_id", "m-1"), ("cloudEvents_type", "t")]);
    let mut structured = texts(&[]);
    structured.properties.content_type = Some(b"Application/CloudEvents+json; charset=utf-8".to_vec());
    structured.body = br#"{"specversion":"1.0","id":"m-1","type":"t","data":{}}"#.to_vec();
    for event in [binary, structured] {
        assert_eq!(summary("dead", &event).0, "cloudevents");
        let read = recognise("dead", &event);
        assert_eq!((read.message_id.as_deref(), read.message_type.as_deref()), (Some("m-1"), Some("t")));
    }
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
