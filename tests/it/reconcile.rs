//! Dead letters that do not arrive are seen, with their number and age, and are gone from sight when they arrive.

use std::time::{Duration, Instant};

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};
use tokio::time::interval;

use crate::support::{Broker, Database, DeadMessage, Servers, Service, TestQueue, id, until, until_within};

/// Two looks of the service, and a renewal of the broker's statistics between them.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

/// Dead letters in a second, if the machine is fast enough: a bank's busiest.
const EACH_SECOND: usize = 1_300;
/// Dead letters between two kills.
const KILLED_AFTER: usize = 20 * EACH_SECOND;

/// How long there is traffic. `RECONCILE_MINUTES` says another number.
fn minutes() -> u64 {
    std::env::var("RECONCILE_MINUTES").ok().and_then(|number| number.parse().ok()).unwrap_or(1)
}

struct Stand {
    service: Service,
    source: TestQueue,
    database: Database,
    broker: Broker,
    _servers: Servers,
}

async fn start(name: &str) -> Stand {
    // By default the broker tries again after three minutes.
    let servers =
        Servers::start_managed(name, &["{dead_letter_worker_publisher_confirm_timeout, 2000}"]).await;
    let broker = Broker::on(&servers.amqp_url).await;
    let database = Database::on(&servers.database_url).await.served().await;
    let source = broker.declare_source(&[]).await;
    let management = [("DEAD_LETTER_MANAGEMENT_URL", servers.management_url.as_str())];
    let service = Service::start(&database.url, &servers.amqp_url, &source.name, &management);
    service.until_ready().await;
    Stand { service, source, database, broker, _servers: servers }
}

impl Stand {
    /// What does not arrive, as readiness shows it.
    async fn undelivered(&self) -> Vec<Value> {
        let answer = self.service.admin.get("/health/ready").await;
        answer.json["undelivered"].as_array().cloned().unwrap_or_default()
    }

    async fn metric(&self, name: &str, queue: &str, reason: &str) -> f64 {
        let labels = format!("broker=\"default\",queue=\"{queue}\",reason=\"{reason}\",vhost=\"/\"");
        self.service.metric(&format!("{name}{{{labels}}}")).await
    }

    async fn exchange(&self, name: &str) {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let channel = &self.broker.channel;
        let declared =
            channel.exchange_declare(name.into(), ExchangeKind::Fanout, options, FieldTable::default());
        declared.await.unwrap();
    }

    async fn bind(&self, queue: &str, exchange: &str) {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        self.broker
            .channel
            .queue_bind(queue.into(), exchange.into(), "".into(), options, none)
            .await
            .unwrap();
    }

    /// Publishes messages to a queue, and rejects them.
    async fn let_die(&self, queue: &str, count: usize) {
        let messages = (0..count).map(|_| DeadMessage::new(&id(), queue));
        for message in messages {
            self.broker.publish("", queue, &message).await;
        }
        self.broker.reject(queue, count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_without_a_binding_are_seen_until_it_is_made() {
    let stand = start("reconcile-unbound").await;
    stand.exchange("lonely").await;
    let work = stand.broker.declare_work_queue("shop_orders", "lonely").await;
    stand.let_die(&work.name, 5).await;
    let seen = until_within(SHOWN_WITHIN, "five dead letters wait", || async {
        let found = stand.undelivered().await;
        found.into_iter().find(|one| one["messages"] == 5)
    })
    .await;
    assert_eq!((&seen["queue"], &seen["reason"]), (&json!("shop_orders"), &json!("unroutable")), "{seen}");
    let age = |seen: &Value| seen["ageSeconds"].as_i64().unwrap();
    assert!((0..=60).contains(&age(&seen)), "{seen}");
    let messages = stand.metric("dead_letter_undelivered_messages", "shop_orders", "unroutable").await;
    assert!((messages - 5.0).abs() < f64::EPSILON, "{messages}");
    until("its age grows", || async { (age(&stand.undelivered().await[0]) > age(&seen)).then_some(()) })
        .await;

    stand.bind(&stand.source.name, "lonely").await;
    until("they arrive", || async { (stand.database.count("dead_letter").await == 5).then_some(()) }).await;
    until_within(SHOWN_WITHIN, "nothing is shown any more", || async {
        stand.undelivered().await.is_empty().then_some(())
    })
    .await;
    let messages = stand.metric("dead_letter_undelivered_messages", "shop_orders", "unroutable").await;
    assert!(messages.abs() < f64::EPSILON, "{messages}");
}

/// While dead letters arrive all the time, some are always on their way, and more of them wait while the service is away. None of them is
/// stuck.
#[tokio::test(flavor = "multi_thread")]
async fn traffic_and_kills_raise_no_alarm() {
    let mut stand = start("reconcile-traffic").await;
    let work = stand.broker.declare_work_queue("shop_orders", &stand.source.name).await;
    stand.exchange("orders").await;
    stand.bind(&work.name, "orders").await;
    let (mut died, mut kills, begun) = (0, 0, Instant::now());
    let mut seconds = interval(Duration::from_secs(1));
    while begun.elapsed() < Duration::from_mins(minutes()) {
        seconds.tick().await;
        let messages = (0..EACH_SECOND).map(|_| DeadMessage::new(&id(), &work.name));
        stand.broker.publish_all("orders", messages).await;
        stand.broker.reject(&work.name, EACH_SECOND).await;
        died += EACH_SECOND;
        if died % KILLED_AFTER == 0 {
            stand.service.kill();
            kills += 1;
            stand.service.restart();
            stand.service.until_ready().await;
        }
        let shown = stand.undelivered().await;
        assert!(shown.is_empty(), "{shown:?}");
    }
    let died = i64::try_from(died).unwrap();
    until("all arrive", || async { (stand.database.count("dead_letter").await == died).then_some(()) }).await;
    let answers = stand.service.metric("dead_letter_management_answers{broker=\"default\"}").await;
    assert!((answers - 1.0).abs() < f64::EPSILON, "the management API was read");
    println!("{died} dead letters in {:?}, {kills} kills, no alarm", begun.elapsed());
}
