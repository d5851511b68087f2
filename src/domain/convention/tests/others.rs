//! Libraries of Java, Go, Node, Ruby, PHP and Python, and `CloudEvents`.

use super::*;

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
