//! What a source may be: how ours is declared, what is said of one that may lose messages, and what is refused.

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;

use crate::support::{Broker, Database, DeadMessage, Service, Vhost, ctl, id, text, until, until_eq};

/// The name of the exchange and of the queue that we declare.
const OURS: &str = "dead-letter";

/// The first source, as readiness tells of it.
async fn source(service: &Service) -> Option<Value> {
    let request = service.admin.request(reqwest::Method::GET, "/health/ready");
    Some(service.admin.try_send(request).await?.json["sources"][0].clone())
}

async fn until_state(service: &Service, part: &str) {
    until(&format!("the source's state tells: {part}"), || async {
        source(service).await?["state"].as_str()?.contains(part).then_some(())
    })
    .await;
    assert!(!service.is_ready().await);
}

/// The warnings of a source that is consumed.
async fn warnings(service: &Service) -> Vec<String> {
    service.until_ready().await;
    let source = source(service).await.unwrap();
    source["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// R2: on RabbitMQ 4 a queue has a delivery limit, unless it is declared without one; on 3 it is the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn our_queue_has_no_delivery_limit() {
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    let service = Service::start(&database.url, &vhost.url, "", &[]);
    assert_eq!(warnings(&service).await, Vec::<String>::new());
    let none = [("x-delivery-limit", AMQPValue::LongInt(-1))];
    // The broker would refuse other arguments than the queue has.
    let _same = broker.declare_queue(OURS, if broker.major() >= 4 { &none } else { &[] }).await;
}

/// A queue that is there stays as it is, and the limit that is in force is said where people look.
#[tokio::test(flavor = "multi_thread")]
async fn a_default_delivery_limit_is_told() {
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    let _older = broker.declare_queue(OURS, &[]).await;
    let service = Service::start(&database.url, &vhost.url, "", &[]);
    let warnings = warnings(&service).await;
    let gauge = format!("dead_letter_source_warnings{{kind=\"default_delivery_limit\",source=\"{OURS}\"}}");
    let gauge = service.metric(&gauge).await;
    if broker.major() >= 4 {
        assert!(warnings.len() == 1 && warnings[0].contains("default of RabbitMQ 4 is 20"), "{warnings:?}");
        assert!((gauge - 1.0).abs() < f64::EPSILON, "{gauge}");
    } else {
        assert_eq!((warnings.len(), gauge.abs() < f64::EPSILON), (0, true), "{warnings:?}");
    }
}

/// On RabbitMQ 3 a negative limit is 0, and takes every message that comes back once.
#[tokio::test(flavor = "multi_thread")]
async fn a_negative_delivery_limit_is_told_where_it_is_one() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let source = broker.declare_source(&[("x-delivery-limit", AMQPValue::LongInt(-1))]).await;
    let service = Service::start(&database.url, &broker.url, &source.name, &[]);
    let warnings = warnings(&service).await;
    assert_eq!(warnings.len(), usize::from(broker.major() < 4), "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.contains("reads as 0")), "{warnings:?}");
}

/// T5: a stream gives only what is published while it is consumed.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_refused() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let arguments = [("x-queue-type", text("stream")), ("x-max-age", text("7D"))];
    let stream = broker.declare_queue(&format!("stream-{}", id()), &arguments).await;
    let service = Service::start(&database.url, &broker.url, &stream.name, &[]);
    until_state(&service, "is a stream").await;
}

/// The same without the right to configure the source, in which the broker tells no arguments.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_what_it_can_see() {
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    let reader = vhost.user(["", "", ".*"]);
    let stream = broker.declare_queue("stream", &[("x-queue-type", text("stream"))]).await;
    let refused = Service::start(&database.url, &reader, &stream.name, &[]);
    until_state(&refused, "is a stream").await;
    drop(refused);
    let quorum = broker.declare_queue("quorum", &[]).await;
    let service = Service::start(&database.url, &reader, &quorum.name, &[]);
    let warnings = warnings(&service).await;
    assert_eq!(warnings.len(), usize::from(broker.major() >= 4), "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.contains("no right to configure")), "{warnings:?}");
}

/// Whoever may not even look is told which right is missing: that to configure, on RabbitMQ 4.2.6 and 4.3.0.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_told() {
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    let nobody = vhost.user(["", "", ""]);
    let quorum = broker.declare_queue("quorum", &[]).await;
    let service = Service::start(&database.url, &nobody, &quorum.name, &[]);
    until_state(&service, "ACCESS_REFUSED").await;
    until_state(&service, "dead-letter needs the right to read its sources").await;
}

async fn declare_exchange(broker: &Broker, kind: ExchangeKind) {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    broker.channel.exchange_declare(OURS.into(), kind, options, FieldTable::default()).await.unwrap();
}

/// T4: an exchange of our name that is there already, and takes the key `#` literally.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_would_drop_messages_is_refused() {
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    declare_exchange(&broker, ExchangeKind::Direct).await;
    let service = Service::start(&database.url, &vhost.url, "", &[]);
    until_state(&service, "the exchange dead-letter is of type direct").await;
    // As it says.
    broker.channel.exchange_delete(OURS.into(), ExchangeDeleteOptions::default()).await.unwrap();
    service.until_ready().await;
    broker.publish(OURS, "any.key", &DeadMessage::new(&id(), "shop_orders")).await;
    until_eq("dead letters stored", 1, || database.count("dead_letter")).await;
}

/// Those of other types pass all messages on when they are bound in the same way.
#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_passes_all_messages_is_used() {
    for kind in [ExchangeKind::Fanout, ExchangeKind::Headers] {
        let Some(vhost) = Vhost::create() else { return };
        let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
        declare_exchange(&broker, kind).await;
        let service = Service::start(&database.url, &vhost.url, "", &[]);
        service.until_ready().await;
        let message = DeadMessage::new(&id(), "shop_orders").header("tenant", text("acme"));
        broker.publish(OURS, "any.key", &message).await;
        until_eq("dead letters stored", 1, || database.count("dead_letter")).await;
    }
}

/// T9: AMQP does not show what policies set; the commands that docs/queues.md names do.
#[tokio::test(flavor = "multi_thread")]
async fn a_policys_limits_are_seen_by_the_commands_that_are_documented() {
    const COLUMNS: [&str; 3] = ["name", "arguments", "policy"];
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queues.md")).unwrap();
    assert!(docs.contains(&format!("rabbitmqctl list_queues --vhost / {}", COLUMNS.join(" "))));
    assert!(docs.contains("rabbitmqctl list_policies --vhost /"));
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    let limits = r#"{"message-ttl": 86400000, "max-length": 1000000, "delivery-limit": 50}"#;
    ctl(&["set_policy", "-p", &vhost.name, "for-all", ".*", limits]).unwrap();
    let service = Service::start(&database.url, &vhost.url, "", &[]);
    service.until_ready().await;
    let _ours = broker.depth(OURS).await;
    let line =
        |listed: String, name: &str| listed.lines().find(|line| line.contains(name)).map(str::to_owned);
    let queues = ctl(&[&["list_queues", "--vhost", &vhost.name], &COLUMNS[..]].concat()).unwrap();
    assert!(line(queues.clone(), OURS).is_some_and(|line| line.contains("for-all")), "{queues}");
    let policies = ctl(&["list_policies", "--vhost", &vhost.name]).unwrap();
    let policy = line(policies.clone(), "for-all").unwrap_or_default();
    for limit in ["message-ttl", "max-length", "delivery-limit"] {
        assert!(policy.contains(limit), "{policies}");
    }
}
