//! Servers that die under traffic: nothing is lost, nothing is stored twice, and the service says what it waits for.

use std::time::{Duration, Instant};

use lapin::types::AMQPValue;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Broker, Database, DeadMessage, Servers, Service, World, free_address, id, until, until_eq, until_within,
};

async fn world(servers: &Servers, settings: &[(&str, &str)]) -> World {
    let broker = Broker::on(&servers.amqp_url).await;
    let database = Database::on(&servers.database_url).await;
    World::start_on(broker, database, settings).await
}

async fn publish(world: &World, ids: &[String]) {
    let messages = ids.iter().map(|id| DeadMessage::new(id, "outage_service"));
    world.broker.publish_all(&world.source.name, messages).await;
}

async fn assert_each_stored_once(world: &World, ids: &[String]) {
    until_within(Duration::from_mins(2), "all are stored", || async {
        (world.database.count("dead_letter").await >= ids.len() as i64).then_some(())
    })
    .await;
    let mut stored: Vec<String> = sqlx::query_scalar("SELECT message_id FROM dead_letter")
        .fetch_all(&world.database.pool)
        .await
        .unwrap();
    stored.sort();
    let mut expected = ids.to_vec();
    expected.sort();
    assert_eq!(stored, expected);
    world.assert_counters_exact().await;
}

/// R6, strictly: a source that drops a message which is given back even once loses none while the database is away.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "to be run alone: a connection that breaks as the machine stalls gives messages back too"]
async fn a_short_outage_gives_nothing_back() {
    let servers = Servers::start("strict").await;
    let broker = Broker::on(&servers.amqp_url).await;
    let source = broker.declare_source(&[("x-delivery-limit", AMQPValue::LongInt(0))]).await;
    let database = Database::on(&servers.database_url).await;
    let world = World::start_from(source, broker, database, &[]).await;
    let ids: Vec<String> = (0..2_000).map(|_| id()).collect();
    let killing = async {
        until("some are stored", || async {
            (world.database.count("dead_letter").await >= 200).then_some(())
        })
        .await;
        servers.kill("postgres");
    };
    tokio::join!(publish(&world, &ids), killing);
    until("it holds", || async { (!world.service.is_ready().await).then_some(()) }).await;
    servers.start_again("postgres");
    assert_each_stored_once(&world, &ids).await;
    world.until_source_empty().await;
}

/// R2, R6: the database dies while messages come in, three times; requests are answered with 503 meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_dies_under_traffic() {
    let servers = Servers::start("database").await;
    let world = world(&servers, &[]).await;
    let ids: Vec<String> = (0..6_000).map(|_| id()).collect();
    for (round, part) in ids.chunks(2_000).enumerate() {
        let killing = async {
            let at_least = round as i64 * 2_000 + 200;
            until("some are stored", || async {
                (world.database.count("dead_letter").await >= at_least).then_some(())
            })
            .await;
            servers.kill("postgres");
        };
        tokio::join!(publish(&world, part), killing);
        let begun = Instant::now();
        let answer = world.api().get_once("/dead-letters").await.assert(503);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(answer.headers["retry-after"], "2");
        assert_eq!(answer.json["error"]["name"], "ServiceUnavailableError");
        let post = world.api().post("/dead-letters/redeliver", &json!({"filter": {}, "all": true})).await;
        post.assert(503);
        for path in ["/dead-letters/squad-overview", "/dead-letters/service-overview", "/operations"] {
            world.api().get_once(path).await.assert(503);
        }
        let some = uuid::Uuid::nil();
        for path in [
            format!("/dead-letters/{some}"),
            format!("/dead-letters/{some}/body"),
            format!("/operations/{some}"),
            format!("/operations/{some}/items"),
        ] {
            world.api().get_once(&path).await.assert(503);
        }
        let ready = world.service.admin.get_once("/health/ready").await.assert(503);
        assert_ne!(ready.json["database"], "answers");
        world.service.admin.get("/health/live").await.assert(200);
        servers.start_again("postgres");
        until_within(Duration::from_secs(30), "ready again", || async {
            world.service.is_ready().await.then_some(())
        })
        .await;
    }
    assert_each_stored_once(&world, &ids).await;
    world.until_source_empty().await;
}

/// R6: held for longer than half of the consumer timeout, the messages go back to the queue once, and come again.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_gives_the_messages_back_once() {
    let servers = Servers::start("long").await;
    let world = world(&servers, &[("DEAD_LETTER_CONSUMER_TIMEOUT", "2s")]).await;
    servers.kill("postgres");
    let ids: Vec<String> = (0..20).map(|_| id()).collect();
    publish(&world, &ids).await;
    until_eq("given back to the queue", 20, || world.broker.depth(&world.source.name)).await;
    servers.start_again("postgres");
    assert_each_stored_once(&world, &ids).await;
    world.until_source_empty().await;
}

/// R2, R10: the broker dies while messages come in and while an operation runs; both go on by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn the_broker_dies_under_traffic_and_in_an_operation() {
    let servers = Servers::start("broker").await;
    let mut world = world(&servers, &[("DEAD_LETTER_CHUNK_ITEMS", "50")]).await;
    let queue = world.broker.declare_queue("outage_service", &[]).await;
    for name in [&queue.name, &world.source.name] {
        servers.until_registered(name).await;
    }
    let ids: Vec<String> = (0..3_000).map(|_| id()).collect();
    publish(&world, &ids).await;
    until("some are stored", || async { (world.database.count("dead_letter").await > 200).then_some(()) })
        .await;
    servers.kill("rabbitmq");
    until("it says so", || async { (!world.service.is_ready().await).then_some(()) }).await;
    servers.start_again("rabbitmq");
    world.broker = Broker::on(&servers.amqp_url).await;
    assert_each_stored_once(&world, &ids).await;

    // The queue may find its leader later than the source.
    until("the queue takes messages again", || async {
        world.broker.try_publish("", &queue.name, &DeadMessage::plain()).await.then_some(())
    })
    .await;
    world.broker.take(&queue.name).await;
    let body = json!({"filter": {}, "all": true});
    let operation = world.api().post("/dead-letters/redeliver", &body).await.assert(202).json;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    until("some are sent", || async {
        (world.api().get(&path).await.json["outcomes"]["sent"].as_i64()? > 100).then_some(())
    })
    .await;
    servers.kill("rabbitmq");
    until("it says what it waits for", || async {
        let operation = world.api().get(&path).await.json;
        (operation["lastError"].is_string() || operation["state"] == "completed").then_some(())
    })
    .await;
    servers.start_again("rabbitmq");
    world.broker = Broker::on(&servers.amqp_url).await;
    until_within(Duration::from_mins(1), "the operation is completed", || async {
        (world.api().get(&path).await.json["state"] == "completed").then_some(())
    })
    .await;
    let operation = world.api().get(&path).await.json;
    assert_eq!(operation["lastError"], serde_json::Value::Null);
    // A queue that has no leader yet nacks: what it refused is still dead, and goes with the next operation.
    let count = |outcome: &str| operation["outcomes"][outcome].as_i64().unwrap();
    assert_eq!(count("sent") + count("refused"), 3_000, "{operation}");
    let refused = world.api().get("/dead-letters?limit=1").await.json["total"]["value"].clone();
    assert_eq!(refused, count("refused"));
    until("the rest is sent", || async {
        let rest = world.api().post("/dead-letters/redeliver?wait=20", &body).await.json;
        (rest["outcomes"]["refused"] == 0).then_some(())
    })
    .await;
    let depth = world.broker.depth(&queue.name).await;
    let came = world.broker.drain(&queue.name, depth as usize).await;
    let distinct: std::collections::HashSet<_> =
        came.iter().map(|d| d.properties.message_id().clone()).collect();
    assert_eq!(distinct.len(), 3_000);
    world.assert_counters_exact().await;
}

/// It starts before its servers, says what it waits for, and then works.
#[tokio::test(flavor = "multi_thread")]
async fn it_starts_before_its_servers() {
    let servers = Servers::start("late").await;
    servers.kill("postgres");
    servers.kill("rabbitmq");
    let mut service = Service::start(&servers.database_url, &servers.amqp_url, "", &[]);
    let ready = until("it answers", || async {
        let admin = &service.admin;
        admin.try_send(admin.request(Method::GET, "/health/ready")).await
    })
    .await
    .assert(503);
    assert_eq!(ready.json["ready"], false);
    servers.start_again("postgres");
    until("the broker is what it waits for", || async {
        let ready = service.admin.get("/health/ready").await.json;
        (ready["database"] == "answers" && ready["sources"][0]["state"].as_str()?.contains("broker"))
            .then_some(())
    })
    .await;
    servers.start_again("rabbitmq");
    service.until_ready().await;
    // Without a source being named, its own exchange and queue are there.
    let broker = Broker::on(&servers.amqp_url).await;
    broker.publish("dead-letter", "any.key", &DeadMessage::new("first", "q_s")).await;
    until("it is found", || async {
        let page = service.api.get("/dead-letters?messageId=first").await.json;
        (page["messages"].as_array()?.len() == 1).then_some(())
    })
    .await;
    assert!(service.terminate().await.success());
}

/// Without authentication it listens to this machine only, unless that is wanted.
#[tokio::test]
async fn an_open_address_is_refused() {
    let port = free_address().rsplit_once(':').unwrap().1.to_owned();
    let serve = std::process::Command::new(env!("CARGO_BIN_EXE_dead-letter"))
        .arg("serve")
        .env("HTTP_ADDR", format!("0.0.0.0:{port}"))
        .output()
        .unwrap();
    assert!(!serve.status.success());
    let error = String::from_utf8(serve.stderr).unwrap();
    assert!(error.contains("DEAD_LETTER_UNAUTHENTICATED=yes"), "{error}");
}
