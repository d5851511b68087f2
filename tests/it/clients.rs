//! Failure conventions, fed by the libraries themselves: a consumer fails, the message is put back, and the consumer has it.
//!
//! They need Python, Node and the libraries: `make clients` installs these and runs the tests, which are ignored otherwise.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Broker, Database, Service, World, id, text};

/// Runs one of `tests/clients`, and returns what it printed.
async fn client(broker: &Broker, program: &str, script: &str, arguments: &[&str]) -> String {
    let installed = PathBuf::from(std::env::var("CLIENTS").expect("make clients"));
    let program = match program {
        "python" => installed.join("venv/bin/python"),
        other => PathBuf::from(other),
    };
    let mut command = Command::new(program);
    command
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .args(arguments)
        .env("AMQP_URL", &broker.url)
        .env("NODE_PATH", installed.join("node_modules"))
        .stderr(Stdio::inherit());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{script} {arguments:?}: {}: {printed}", ended.status);
    printed
}

/// Lets the client fail a message and puts that back; the same client takes it then. Returns the dead letter.
async fn fails_and_takes_it_back(program: &str, script: &str) -> Value {
    let world = World::start().await;
    let queue = format!("{}_shop", id());
    let arguments = [queue.as_str(), &world.source.name, "again"];
    client(&world.broker, program, script, &arguments[..2]).await;
    world.until_stored(1).await;
    let found = world.only("").await;
    let operation = json!({"ids": [found["id"]]});
    let ended = world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200).json;
    assert_eq!(ended["outcomes"]["sent"], 1, "{ended}");
    let printed = client(&world.broker, program, script, &arguments).await;
    assert_eq!(printed.lines().last(), Some("charged 4711"));
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its library: make clients"]
async fn dramatiq() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let queue = format!("orders-{}", id());
    client(&broker, "python", "dramatiq_fails.py", &[&queue]).await;
    let service = Service::start(&database.url, &broker.served_url(), &format!("{queue}.XQ"), &[]);
    service.until_ready().await;
    crate::support::until_eq("dead letters stored", 1, || database.count("dead_letter")).await;
    let page = service.api.get("/dead-letters").await.assert(200).json;
    let found = &page["messages"][0];
    assert_eq!(found["convention"], "dramatiq", "{page}");
    assert_eq!(found["queue"], queue);
    assert_eq!(found["type"], "charge");
    assert_eq!(found["errorType"], "ValueError");
    assert_eq!(found["errorMessage"], "card of order 4711 expired");
    let operation = json!({"ids": [found["id"]]});
    service.api.post("/dead-letters/redeliver?wait=30", &operation).await.assert(200);
    let printed = client(&broker, "python", "dramatiq_fails.py", &[&queue, "again"]).await;
    assert_eq!(printed.lines().last(), Some("charged 4711"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its library: make clients"]
async fn celery() {
    let found = fails_and_takes_it_back("python", "celery_fails.py").await;
    assert_eq!(found["convention"], "celery", "{found}");
    assert_eq!(found["service"], "shop");
    assert_eq!(found["type"], "shop.charge");
    assert_eq!(found["reason"], "rejected");
}

/// RabbitMQ 4 shows the annotations of a `modified` outcome as headers.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its library: make clients"]
async fn amqp_1_0() {
    let world = World::start().await;
    if world.broker.major() < 4 {
        println!("skipped: AMQP 1.0: RabbitMQ 3 has it in a plugin only; RABBITMQ=4.3 make clients");
        return;
    }
    let queue = format!("{}_shop", id());
    let dead_letters = [("x-dead-letter-exchange", text(&world.source.name))];
    let _work = world.broker.declare_queue(&queue, &dead_letters).await;
    let arguments = [queue.as_str(), "again"];
    client(&world.broker, "python", "amqp10_rejects.py", &arguments[..1]).await;
    world.until_stored(1).await;
    let found = world.only("").await;
    assert_eq!((&found["service"], &found["reason"]), (&json!("shop"), &json!("rejected")), "{found}");
    assert_eq!(found["errorType"], "business");
    assert_eq!(found["errorMessage"], "card of order 4711 expired");
    let operation = json!({"ids": [found["id"]]});
    let ended = world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200).json;
    assert_eq!(ended["outcomes"]["sent"], 1, "{ended}");
    let printed = client(&world.broker, "python", "amqp10_rejects.py", &arguments).await;
    assert_eq!(printed.lines().last(), Some("charged 4711"));
}

/// With what Rascal had noted left in, the message would be rejected unseen when it is put back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its library: make clients"]
async fn rascal() {
    let found = fails_and_takes_it_back("node", "rascal_fails.js").await;
    assert_eq!(found["convention"], "rascal", "{found}");
    assert_eq!(found["service"], "shop");
    assert_eq!(found["errorType"], "E_CARD");
    assert_eq!(found["errorMessage"], "card of order 4711 expired");
}
