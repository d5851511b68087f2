//! What happens to a source: it is deleted, its consumer is cancelled or times out, its deliveries are counted.

use std::time::{Duration, Instant};

use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use rand::Rng;
use serde_json::Value;

use crate::proxy::{Deed, Trap, Way, cancel_consumer, consumer_cancelled, note_consumer};
use crate::stand::{At, Stand, repeat};
use crate::support::{
    Broker, Database, DeadMessage, Servers, Service, TestQueue, id, text, until, until_eq, until_within,
};
use crate::table::{Row, times};

const MESSAGES: usize = 60;
const CONSUMING_AGAIN: Duration = Duration::from_secs(10);
/// The service gives up half of the broker's, so that the broker never has to.
const CONSUMER_TIMEOUT: &str = "6s";
const BROKER_TIMEOUT: [&str; 2] = ["{consumer_timeout, 6000}", "{channel_tick_interval, 1000}"];

/// R2: a source that is deleted is consumed again as soon as it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_deleted_is_consumed_when_it_is_back() {
    let mut row = Row::new("a source deleted and declared again", times(10));
    let mut stand = Stand::start(&[]).await;
    let mut took = Vec::new();
    for _ in 0..times(10) {
        stand.publish(MESSAGES).await;
        stand.until_quiet("before the source is deleted").await;
        let (channel, name) = (stand.broker.channel.clone(), stand.source.name.clone());
        channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        until("it says so", || async { (!stand.service.is_ready().await).then_some(()) }).await;
        // How long it is away is part of the fault.
        tokio::time::sleep(Duration::from_millis(stand.random.random_range(0..6_000))).await;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
        let (exchange, options, none) =
            (name.as_str().into(), QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(name.as_str().into(), exchange, "".into(), options, none).await.unwrap();
        stand.publish(MESSAGES).await;
        took.push(stand.until_quiet("the source is back").await);
    }
    row.within("consuming again after", took, 1.0, CONSUMING_AGAIN);
    row.ledger(&stand.verdict().await);
    row.finish();
}

/// R1, R2: the broker cancels the consumer, as 4.3 does when it has waited too long for acknowledgements.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_cancelled_is_followed_by_another() {
    let mut row = Row::new("a consumer cancelled by the broker", times(10));
    let mut stand = Stand::start(&[]).await;
    let trap = |way, name, deed| Trap { way, name, after: None, skip: 0, deed };
    let mut took = Vec::new();
    for _ in 0..times(10) {
        let before = stand.proxy(At::Broker).sprung();
        stand.proxy(At::Broker).set_all(vec![
            trap(Way::ToClient, "basic.deliver", Deed::Inject(note_consumer)),
            trap(Way::ToServer, "basic.ack", Deed::Inject(cancel_consumer)),
            trap(Way::ToClient, "basic.cancel-ok", Deed::Replace(consumer_cancelled)),
        ]);
        stand.publish(MESSAGES).await;
        until("the consumer is cancelled", || async {
            (stand.proxy(At::Broker).sprung() == before + 3).then_some(())
        })
        .await;
        stand.publish(MESSAGES).await;
        took.push(stand.until_quiet("the consumer is cancelled").await);
        stand.proxy(At::Broker).heal();
    }
    row.within("consuming again after", took, 1.0, CONSUMING_AGAIN);
    row.ledger(&stand.verdict().await);
    row.finish();
}

/// The service on servers of its own, whose broker waits for acknowledgements no longer than it has to. Fields are dropped in this
/// order.
struct Alone {
    service: Service,
    source: TestQueue,
    database: Database,
    broker: Broker,
    servers: Servers,
    sent: i64,
}

impl Alone {
    async fn start(name: &str, arguments: &[(&str, AMQPValue)], settings: &[(&str, &str)]) -> Self {
        let servers = Servers::start_with(name, &BROKER_TIMEOUT).await;
        let broker = Broker::on(&servers.amqp_url).await;
        let source = broker.declare_source(arguments).await;
        let database = Database::on(&servers.database_url).await;
        let service = Service::start(&database.url, &servers.amqp_url, &source.name, settings);
        service.until_ready().await;
        Self { service, source, database, broker, servers, sent: 0 }
    }

    /// Returns the ids of what was sent.
    async fn publish(&mut self) -> Vec<String> {
        let ids: Vec<String> = (0..MESSAGES).map(|_| id()).collect();
        let messages = ids.iter().map(|id| DeadMessage::new(id, "sources_service"));
        self.broker.publish_all(&self.source.name, messages).await;
        self.sent += MESSAGES as i64;
        ids
    }

    /// How often the broker has closed a channel for it.
    fn timeouts(&self) -> usize {
        self.servers.broker_log().matches("delivery acknowledgement on channel").count()
    }

    async fn until_stored(&self) {
        until_within(Duration::from_mins(1), &format!("all are stored ({})", repeat()), || async {
            (self.database.count("dead_letter").await >= self.sent).then_some(())
        })
        .await;
    }

    async fn finish(self, mut row: Row) {
        self.broker.until_empty(&self.source.name).await;
        row.figure("stored", self.sent);
        row.must(self.database.count("dead_letter").await == self.sent, "each stored once");
        self.database.assert_counters_exact().await;
        row.finish();
    }
}

/// R2, R3: the broker closes the channel, as it has waited too long for acknowledgements: for rows that a lock keeps back.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_times_out_is_followed_by_another() {
    let mut row = Row::new("the consumer timeout, 406 by the broker", times(10));
    // It does not know how little the broker waits.
    let mut alone = Alone::start("consumer-timeout", &[], &[]).await;
    let mut took = Vec::new();
    for _ in 0..times(10) {
        let before = alone.timeouts();
        // The writer of the last round may have stored all while the source was not consumed yet.
        alone.service.until_ready().await;
        let mut locking = alone.database.pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE dead_letter IN EXCLUSIVE MODE").execute(&mut *locking).await.unwrap();
        alone.publish().await;
        until("the broker has waited too long", || async { (alone.timeouts() > before).then_some(()) }).await;
        locking.rollback().await.unwrap();
        let begun = Instant::now();
        alone.until_stored().await;
        alone.service.until_ready().await;
        took.push(begun.elapsed());
    }
    row.within("consuming again after", took, 1.0, CONSUMING_AGAIN);
    alone.finish(row).await;
}

/// R6: a source that counts deliveries, and a database that is away for longer than the consumer timeout.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_costs_one_delivery() {
    let fault = "x-delivery-limit 20, and a database away for longer than the consumer timeout";
    let mut row = Row::new(fault, times(10));
    let limit = [("x-delivery-limit", AMQPValue::LongInt(20))];
    let settings = [("DEAD_LETTER_CONSUMER_TIMEOUT", CONSUMER_TIMEOUT)];
    let mut alone = Alone::start("delivery-limit", &limit, &settings).await;
    let mut most = 0;
    for _ in 0..times(10) {
        alone.servers.kill("postgres");
        let ids = alone.publish().await;
        until_eq("given back to the queue", MESSAGES as u32, || alone.broker.depth(&alone.source.name)).await;
        // Longer than the broker waits, which looks every few seconds only.
        tokio::time::sleep(Duration::from_secs(20)).await;
        alone.servers.start_again("postgres");
        alone.until_stored().await;
        for id in ids {
            most = most.max(deliveries(&alone.service, &id).await);
        }
    }
    row.figure("most deliveries that failed, of a message in an outage:", most);
    row.must(most == 1, format!("delivery count {most}, where it rises by 1"));
    alone.finish(row).await;
}

/// How often it was delivered in vain, as the message itself tells.
async fn deliveries(service: &Service, message_id: &str) -> i64 {
    let page = service.api.get(&format!("/dead-letters?messageId={message_id}")).await.assert(200).json;
    let id = page["messages"][0]["id"].as_str().unwrap();
    let whole: Value = service.api.get(&format!("/dead-letters/{id}")).await.assert(200).json;
    whole["headers"]["x-delivery-count"].as_i64().unwrap_or(0)
}

/// The broker's own ways to lose messages are said in readiness: what it tells of the source, and never makes one.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_how_the_broker_would_lose_messages() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let safe = broker.declare_source(&[]).await;
    let limited = broker.declare_source(&[("x-delivery-limit", AMQPValue::LongInt(3))]).await;
    let arguments = [
        ("x-delivery-limit", AMQPValue::LongInt(3)),
        ("x-dead-letter-exchange", text("parking")),
        ("x-dead-letter-strategy", text("at-most-once")),
        ("x-max-length", AMQPValue::LongLongInt(1_000_000)),
        ("x-overflow", text("reject-publish")),
    ];
    let once = broker.declare_source(&arguments).await;
    let sources = [&safe.name, &limited.name, &once.name].map(String::as_str).join(",");
    let service = Service::start(&database.url, &broker.url, &sources, &[]);
    service.until_ready().await;
    let ready = service.admin.get("/health/ready").await.assert(200).json;
    let warnings = |index: usize| ready["sources"][index]["warnings"].as_array().unwrap().clone();
    assert_eq!(warnings(0), Vec::<Value>::new());
    assert_eq!(warnings(1).len(), 1, "{ready}");
    assert!(warnings(1)[0].as_str().unwrap().starts_with("x-delivery-limit 3"), "{ready}");
    assert!(warnings(1)[0].as_str().unwrap().contains("are dropped"), "{ready}");
    assert_eq!(warnings(2).len(), 1, "{ready}");
    assert!(warnings(2)[0].as_str().unwrap().contains("at most once"), "{ready}");
    // Delivered before, ten times: as the broker itself writes it.
    let often =
        DeadMessage::new(&id(), "sources_service").header("x-delivery-count", AMQPValue::LongLongInt(10));
    broker.publish(&safe.name, "dead", &often).await;
    until("it warns of deliveries", || async {
        let ready = service.admin.get("/health/ready").await.json;
        ready["sources"][0]["warnings"][0].as_str()?.contains("delivered 10 times").then_some(())
    })
    .await;
}
