//! Which exchange and routing key the consumer of a redelivered message sees.

use lapin::ExchangeKind;
use lapin::message::Delivery;
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use serde_json::{Value, json};

use crate::support::{DeadMessage, TestQueue, World, id, text};

/// A topic exchange, with a queue whose consumer fails, and one whose consumer does not.
struct Topology {
    world: World,
    events: String,
    crm: TestQueue,
    audit: TestQueue,
}

impl Topology {
    async fn start(crm: &str) -> Self {
        let world = World::start().await;
        let events = format!("events-{}", id());
        let crm = world.broker.declare_work_queue(crm, &world.source.name).await;
        let audit = world.broker.declare_queue(&format!("audit-{}", id()), &[]).await;
        let channel = &world.broker.channel;
        let (options, none) = (ExchangeDeclareOptions::default(), FieldTable::default());
        channel.exchange_declare(events.as_str().into(), ExchangeKind::Topic, options, none).await.unwrap();
        for queue in [&crm, &audit] {
            let (queue, exchange) = (queue.name.as_str().into(), events.as_str().into());
            let options = QueueBindOptions::default();
            channel.queue_bind(queue, exchange, "#".into(), options, FieldTable::default()).await.unwrap();
        }
        Self { world, events, crm, audit }
    }

    /// Publishes with this key, and has it die in the first queue.
    async fn die(&self, key: &str) {
        self.die_as(key, DeadMessage::plain().id(&id())).await;
        self.world.until_stored(1).await;
    }

    async fn die_as(&self, key: &str, message: DeadMessage) {
        let broker = &self.world.broker;
        broker.publish(&self.events, key, &message).await;
        broker.reject_next(&self.crm.name).await;
        broker.take(&self.audit.name).await;
    }

    async fn redeliver(&self, routing_key: Option<&str>) -> Value {
        let mut request = json!({"filter": {}, "all": true});
        if let Some(which) = routing_key {
            request["routingKey"] = json!(which);
        }
        self.world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json
    }

    async fn plan(&self, routing_key: &str) -> Vec<Value> {
        let request = json!({"kind": "redeliver", "filter": {}, "all": true, "routingKey": routing_key});
        let plan = self.world.api().post("/operations/plan", &request).await.assert(201).json;
        let warnings = plan["warnings"].as_array().unwrap();
        warnings.iter().filter(|warning| warning["code"] == "routing_key_changes").cloned().collect()
    }

    async fn preview(&self, routing_key: &str) -> Value {
        let request = json!({"kind": "redeliver", "filter": {}, "all": true, "routingKey": routing_key});
        let preview = self.world.api().post("/operations/preview", &request).await.assert(200).json;
        preview["samples"][0].clone()
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        let channel = self.world.broker.channel.clone();
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = channel.exchange_delete(events.as_str().into(), ExchangeDeleteOptions::default()).await;
        });
    }
}

fn seen(delivery: &Delivery) -> (&str, &str) {
    (delivery.exchange.as_str(), delivery.routing_key.as_str())
}

/// One queue gets it with the key that it was published with: not the others of the exchange, and not a queue that is named like the key.
#[tokio::test(flavor = "multi_thread")]
async fn the_original_key_reaches_one_queue() {
    let crm = format!("crm-{}_events", id());
    let topology = Topology::start(&crm).await;
    let broker = &topology.world.broker;
    let key = format!("customer.created.{}", id());
    let named_like_the_key = broker.declare_queue(&key, &[]).await;
    topology.die(&key).await;

    let warnings = topology.plan("queue").await;
    assert_eq!(
        (&warnings[0]["count"], &warnings[0]["severity"]),
        (&json!(1), &json!("note")),
        "{warnings:?}"
    );
    assert!(warnings[0]["message"].as_str().unwrap().contains(&crm), "{warnings:?}");
    assert_eq!(topology.plan("original").await, Vec::<Value>::new());
    let lane = format!("dead-letter.to.{crm}");
    let before = topology.preview("original").await["before"].clone();
    assert_eq!((&before["exchange"], &before["routingKey"]), (&json!(topology.events), &json!(key)));
    for (which, exchange, sees) in [("queue", "", &crm), ("original", lane.as_str(), &key)] {
        let after = topology.preview(which).await["after"].clone();
        assert_eq!((&after["exchange"], &after["routingKey"]), (&json!(exchange), &json!(sees)));
    }

    let operation = topology.redeliver(Some("original")).await;
    assert_eq!((&operation["outcomes"]["sent"], &operation["routingKey"]), (&json!(1), &json!("original")));
    let delivery = broker.take(&crm).await;
    assert_eq!(seen(&delivery), (lane.as_str(), key.as_str()));
    for other in [&topology.audit, &named_like_the_key] {
        assert_eq!(broker.depth(&other.name).await, 0, "{}", other.name);
    }
    topology.world.assert_counters_exact().await;
}

/// Without the option the consumer sees the name of its queue.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_the_queue_is_the_default() {
    let crm = format!("crm-{}_events", id());
    let topology = Topology::start(&crm).await;
    topology.die("customer.created").await;
    assert_eq!(topology.redeliver(None).await["routingKey"], "queue");
    assert_eq!(seen(&topology.world.broker.take(&crm).await), ("", crm.as_str()));
}

/// R7: where its queue is gone it is refused, also where the broker could route its key; and the lane goes with the queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_gone_gets_nothing_and_nobody_else_does() {
    let crm = format!("crm-{}_events", id());
    let topology = Topology::start(&crm).await;
    let (world, key) = (&topology.world, format!("customer.created.{}", id()));
    let named_like_the_key = world.broker.declare_queue(&key, &[]).await;
    topology.die(&key).await;
    assert_eq!(topology.redeliver(Some("original")).await["outcomes"]["sent"], 1);
    world.broker.reject_next(&crm).await;
    world.until_stored(2).await;
    world.broker.delete_queue(&crm).await;
    let lane = format!("dead-letter.to.{crm}");
    assert!(!exists(world, &lane).await, "the broker deletes it with its queue");

    let operation = topology.redeliver(Some("original")).await;
    assert_eq!((&operation["outcomes"]["sent"], &operation["outcomes"]["refused"]), (&json!(0), &json!(1)));
    let path = format!("/operations/{}/items", operation["id"].as_str().unwrap());
    let items = world.api().get(&path).await.json["items"].clone();
    assert!(items[0]["detail"].as_str().unwrap().contains("404"), "{items}");
    assert_eq!(world.broker.depth(&named_like_the_key.name).await, 0);
    assert!(!exists(world, &lane).await, "and none is made for a queue that is not there");
    world.assert_counters_exact().await;
}

async fn exists(world: &World, exchange: &str) -> bool {
    let channel = world.broker.connection.create_channel().await.unwrap();
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let declaring =
        channel.exchange_declare(exchange.into(), ExchangeKind::Fanout, options, FieldTable::default());
    declaring.await.is_ok()
}

/// The longest key and the longest name of a queue that there can be.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_255_bytes_are_kept() {
    let crm = format!("{:-<255}", format!("crm-{}_events", id()));
    let topology = Topology::start(&crm).await;
    let key = format!("{}{}k", id(), "é".repeat(109));
    assert_eq!((crm.len(), key.len()), (255, 255));
    topology.die(&key).await;
    assert_eq!(topology.redeliver(Some("original")).await["outcomes"]["sent"], 1);
    let delivery = topology.world.broker.take(&crm).await;
    assert_eq!(delivery.routing_key.as_str(), key);
    assert!(delivery.exchange.as_str().starts_with("dead-letter.to."));
}

/// A key that is not text is kept as a text that it was not: nothing is published with that. A key that is not known is not made up.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_known_is_refused() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("odd-{}", id()), &[]).await;
    let death = |keys: Vec<AMQPValue>| {
        let mut death = FieldTable::default();
        for name in ["queue", "exchange"] {
            death.insert(name.into(), text(&queue.name));
        }
        death.insert("reason".into(), text("rejected"));
        death.insert("count".into(), AMQPValue::LongLongInt(1));
        death.insert("routing-keys".into(), AMQPValue::FieldArray(FieldArray::from(keys)));
        let deaths = FieldArray::from(vec![AMQPValue::FieldTable(death)]);
        DeadMessage::plain().id(&id()).header("x-death", AMQPValue::FieldArray(deaths))
    };
    world.publish(death(vec![AMQPValue::LongString(vec![b'k', 0xff].into())])).await;
    world.publish(death(vec![])).await;
    world.until_stored(2).await;
    let request = json!({"filter": {}, "all": true, "routingKey": "original"});
    let operation = world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json;
    assert_eq!(operation["outcomes"]["refused"], 2, "{operation}");
    let path = format!("/operations/{}/items", operation["id"].as_str().unwrap());
    let items = world.api().get(&path).await.json["items"].clone();
    let mut details: Vec<_> =
        items.as_array().unwrap().iter().map(|item| item["detail"].as_str().unwrap()).collect();
    details.sort_unstable();
    assert!(details[0].contains("is not UTF-8") || details[1].contains("is not UTF-8"), "{details:?}");
    assert!(details.iter().any(|detail| detail.contains("is not known")), "{details:?}");

    for wrong in [
        json!({"filter": {}, "all": true, "routingKey": "mine"}),
        json!({"filter": {}, "all": true, "routingKey": "original", "to": "exchange"}),
    ] {
        let answer = world.api().post("/dead-letters/redeliver", &wrong).await.assert(400).json;
        assert_eq!(answer["errors"][0]["field"], "routingKey", "{answer}");
    }
}

/// Whoever cannot notice another routing key is not spoken of: a worker of Celery finds its task by a header.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_looks_at_is_no_matter() {
    let topology = Topology::start(&format!("tasks-{}_billing", id())).await;
    let task = ["task", "id", "root_id"]
        .into_iter()
        .fold(DeadMessage::plain().id(&id()), |message, name| message.header(name, text("billing.invoice")));
    topology.die_as("invoice", task).await;
    topology.world.until_stored(1).await;
    assert_eq!(topology.world.only("service=billing").await["convention"], "celery");
    assert_eq!(topology.plan("queue").await, Vec::<Value>::new());
    topology.die_as("invoice", DeadMessage::plain().id(&id())).await;
    topology.world.until_stored(2).await;
    assert_eq!(topology.plan("queue").await[0]["count"], 1);
}
