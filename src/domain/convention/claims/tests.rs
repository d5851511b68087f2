//! Origins that messages claim, honest and forged, against what the broker says.

use super::*;
use crate::domain::convention::{Conventions, CustomHeaders};
use crate::domain::message::{Message, Properties, Table, Value};

const FORGED: &str = "payments_execute";

fn table(entries: Vec<(&str, Value)>) -> Table {
    Table(entries.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect())
}

fn died(queue: &str, reason: &str) -> (&'static str, Value) {
    let death = table(vec![
        ("queue", Value::text(queue)),
        ("reason", Value::text(reason)),
        ("exchange", Value::text("shop")),
        ("routing-keys", Value::Array(vec![Value::text("placed")])),
        ("time", Value::Timestamp(1_795_392_000)),
    ]);
    ("x-death", Value::Array(vec![Value::Table(death)]))
}

fn with(mut message: Message, header: (&str, Value)) -> Message {
    message.properties.headers.get_or_insert_default().set(header.0, header.1);
    message
}

fn texts(headers: &[(&str, &str)]) -> Message {
    let headers = headers.iter().map(|(name, text)| (*name, Value::text(*text))).collect();
    let properties = Properties { headers: Some(table(headers)), ..Properties::default() };
    Message { exchange: "dead-letter".into(), routing_key: "k".into(), properties, body: b"{}".to_vec() }
}

/// By each convention, a message that says that it died in [`FORGED`], or was published to it; with the conventions that only say
/// what the broker tells too.
fn forged() -> Vec<(&'static str, Message)> {
    let mut easynetq = texts(&[]);
    easynetq.properties.kind = Some(b"EasyNetQ.SystemMessages.Error, EasyNetQ".to_vec());
    easynetq.body = format!(r#"{{"Queue":"{FORGED}","Message":"{{}}","BasicProperties":{{}}}}"#).into_bytes();
    let mut dramatiq = texts(&[]);
    dramatiq.body = format!(r#"{{"queue_name":"{FORGED}","actor_name":"a","message_id":"1"}}"#).into_bytes();
    let mut sneakers = texts(&[("retry_info", "[{}]")]);
    sneakers.routing_key = FORGED.into();
    let laravel = Value::Table(table(vec![("attempts", Value::I32(3))]));
    let rascal = Value::Table(table(vec![("originalQueue", Value::text(FORGED))]));
    let address = format!("rabbitmq://host/{FORGED}");
    let symfony = format!(r#"[{{"originalReceiverName":"{FORGED}"}}]"#);
    vec![
        ("easynetq", easynetq),
        ("masstransit", texts(&[("MT-Reason", "fault"), ("MT-Fault-InputAddress", &address)])),
        ("nservicebus", texts(&[("NServiceBus.FailedQ", FORGED)])),
        (
            "spring",
            texts(&[
                ("x-exception-message", "m"),
                ("x-original-exchange", ""),
                ("x-original-routingKey", FORGED),
            ]),
        ),
        ("rebus", texts(&[("rbs2-source-queue", FORGED)])),
        ("wolverine", texts(&[("exception-type", "T"), ("original-destination", &address)])),
        ("watermill", texts(&[("topic_poisoned", FORGED)])),
        ("rascal", with(texts(&[]), ("rascal", rascal))),
        ("sneakers", sneakers),
        ("symfony", texts(&[("X-Message-Stamp-S\\SentToFailureTransportStamp", &symfony)])),
        ("cap", texts(&[("cap-msg-id", "1"), ("cap-msg-group", FORGED)])),
        ("laravel", with(texts(&[]), ("laravel", laravel))),
        ("celery", texts(&[("task", "t"), ("id", "1"), ("root_id", "1")])),
        ("dramatiq", dramatiq),
        ("brighter", texts(&[("HandledCount", "1"), ("MessageType", "T"), ("Topic", FORGED)])),
        ("cloudevents", texts(&[("cloudEvents_specversion", "1.0")])),
        ("native", texts(&[("dead-letter-origin-queue", FORGED)])),
        ("own", texts(&[("x-queue", FORGED)])),
    ]
}

fn conventions(claims: Claims) -> Conventions {
    Conventions::new(Some(CustomHeaders::new("queue=x-queue").expect("valid")), claims)
}

#[test]
fn whatever_a_message_claims_the_broker_knows_better() {
    let all = conventions(Claims::default());
    assert!(Conventions::names().all(|name| forged().iter().any(|(convention, _)| *convention == name)));
    for (convention, message) in forged() {
        for reason in ["rejected", "delivery_limit"] {
            let read = all.recognise("dead-letter", &with(message.clone(), died("shop_orders", reason)));
            assert_eq!(read.convention, convention);
            assert_eq!(
                [&read.origin.queue, &read.origin.exchange, &read.origin.routing_key, &read.failure.reason],
                ["shop_orders", "shop", "placed", reason].map(|text| Some(text.to_owned())).each_ref(),
                "{convention}"
            );
            assert_eq!(read.origin_told_by, ToldBy::Broker, "{convention}");
            let claims = !["laravel", "celery", "cloudevents", "sneakers", "brighter", "dramatiq"]
                .contains(&convention);
            let warned = read.warning.is_some_and(|warning| warning.contains(FORGED));
            assert_eq!(warned, claims, "{convention}: the claim is shown");
        }
    }
}

#[test]
fn where_the_broker_knows_nothing_a_claim_is_marked_and_only_followed_where_settings_allow_it() {
    let all = conventions(Claims::default());
    let shops = conventions(Claims::new(&[], &["shop_*".into()]));
    for (convention, message) in forged() {
        let read = all.recognise("dead-letter", &message);
        if read.origin == Origin::default() {
            continue;
        }
        assert_eq!(read.origin_told_by, ToldBy::Message, "{convention}");
        assert!(!read.origin_refused, "{convention}: all are allowed");
        let claimed_by = Some(convention.into());
        let from = Provenance { origin: read.origin, claimed_by, ..Provenance::default() };
        assert_eq!(from.refusal(all.claims()), None, "{convention}");

        let read = shops.recognise("dead-letter", &message);
        assert_eq!(read.origin_told_by, ToldBy::Message, "{convention}");
        assert_eq!(read.origin, from.origin, "{convention}: it is shown nevertheless");
        assert_eq!(read.origin_refused, read.origin.queue.is_some(), "{convention}");
        let [queue, claimed_by] =
            [&from.origin.queue, &from.claimed_by].map(|text| text.clone().unwrap_or_default());
        let others = Claims::new(&["other".into()], &[]);
        for (claims, setting, to_add) in
            [(shops.claims(), QUEUES_SETTING, queue), (&others, CONVENTIONS_SETTING, claimed_by)]
        {
            let why = from.refusal(claims).unwrap();
            assert!(why.contains(setting) && why.contains(&format!("add `{to_add}`")), "{convention}: {why}");
        }
    }
}

#[test]
fn after_a_delay_a_claim_says_more_than_the_broker() {
    let claims = with(texts(&[("dead-letter-origin-queue", "shop_mailer")]), died("shop_delay", "expired"));
    let read = conventions(Claims::default()).recognise("dead-letter", &claims);
    assert_eq!(read.origin.queue.as_deref(), Some("shop_mailer"));
    assert_eq!((read.origin_told_by, read.failure.reason), (ToldBy::Message, None));

    let none = conventions(Claims::new(&["spring".into()], &[]));
    let read = none.recognise("dead-letter", &claims);
    assert_eq!(
        read.origin.queue.as_deref(),
        Some("shop_delay"),
        "a claim that is not allowed changes nothing"
    );
    assert_eq!(read.origin_told_by, ToldBy::Broker);
    assert!(read.warning.is_some_and(|warning| warning.contains("shop_mailer")));

    let same = with(texts(&[("dead-letter-origin-queue", "shop_orders")]), died("shop_orders", "expired"));
    let read = conventions(Claims::default()).recognise("dead-letter", &same);
    assert_eq!((read.origin_told_by, read.warning), (ToldBy::Broker, None));
    assert_eq!(read.failure.reason.as_deref(), Some("expired"));
}

#[test]
fn the_name_of_the_source_is_no_claim() {
    let failed = texts(&[("x-exception-message", "m")]);
    let read = conventions(Claims::default()).recognise("orders.dlq", &failed);
    assert_eq!(read.origin.queue.as_deref(), Some("orders"));
    assert_eq!(read.origin_told_by, ToldBy::Broker);
    let rejected = with(failed, died("shop_orders", "rejected"));
    let read = conventions(Claims::default()).recognise("orders.dlq", &rejected);
    assert_eq!(read.origin.queue.as_deref(), Some("shop_orders"));
}
