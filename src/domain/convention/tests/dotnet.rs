//! Libraries of .NET.

use super::*;

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
fn brighter() {
    let failed = texts(&[("HandledCount", "3"), ("MessageType", "MT_COMMAND"), ("Topic", "order.placed")]);
    assert_eq!(summary("dead", &failed), is("brighter", "", "", "", 0, 3));
    assert_eq!(recognise("dead", &failed).origin.routing_key.as_deref(), Some("order.placed"));
    assert_eq!(put_back(&failed).1, ["MessageType", "Topic"]);
}
