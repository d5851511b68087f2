//! Messages with a time after which nobody wants them, and queues from which they would vanish.

use lapin::types::AMQPValue;
use serde_json::{Value, json};

use crate::support::{Broker, DeadMessage, World, id, text};

async fn warnings(world: &World, code: &str) -> Vec<Value> {
    let request = json!({"kind": "redeliver", "filter": {}, "all": true});
    let plan = world.api().post("/operations/plan", &request).await.assert(201).json;
    plan["warnings"].as_array().unwrap().iter().filter(|it| it["code"] == code).cloned().collect()
}

/// A message that its service published again, with the expiration that it had, is still there when that has passed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_does_not_expire() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("shop-{}_ttl", id()), &[]).await;
    for expiration in ["300", "2592000000"] {
        let message = DeadMessage::new(&id(), &queue.name);
        world.publish(message.properties(|it| it.with_expiration(expiration.into()))).await;
    }
    world.publish(DeadMessage::new(&id(), &queue.name)).await;
    world.until_stored(3).await;
    assert_eq!(warnings(&world, "expires").await[0]["count"], 2);
    let request = json!({"filter": {}, "all": true});
    let operation = world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json;
    assert_eq!(operation["outcomes"]["sent"], 3);
    for delivery in world.broker.drain(&queue.name, 3).await {
        assert_eq!(delivery.properties.expiration(), &None);
    }
}

/// A queue that nobody consumes, with arguments by which messages vanish from it: the plan says so of each.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_from_which_messages_vanish_is_said() {
    // Only who may configure a queue is told its arguments.
    let world = World::start_with(&[("AMQP_URL", &Broker::shared_url())]).await;
    let limits = [("x-message-ttl", 1000), ("x-expires", 60_000), ("x-max-length", 1)];
    let mut queues = Vec::new();
    for (argument, value) in limits {
        let arguments = [(argument, AMQPValue::LongInt(value))];
        let queue = world.broker.declare_queue(&format!("delay-{}", id()), &arguments).await;
        for _ in 0..2 {
            world.publish(DeadMessage::new(&id(), &queue.name)).await;
        }
        queues.push(queue);
    }
    let plain = world.broker.declare_queue(&format!("plain-{}", id()), &[]).await;
    world.publish(DeadMessage::new(&id(), &plain.name)).await;
    world.until_stored(7).await;
    for (code, argument, queue) in [
        ("expires", "x-message-ttl", &queues[0]),
        ("expires", "x-expires", &queues[1]),
        ("queue_drops", "x-max-length", &queues[2]),
    ] {
        let found = warnings(&world, code).await;
        let said = |text: &str| text.contains(&queue.name) && text.contains(argument);
        let one = found.iter().find(|warning| said(warning["message"].as_str().unwrap()));
        assert_eq!(one.unwrap_or_else(|| panic!("{argument}: {found:?}"))["count"], 2);
        assert!(!found.iter().any(|warning| warning["message"].as_str().unwrap().contains(&plain.name)));
    }
}

/// What says of itself that it is too late is counted, whichever library it is of.
#[tokio::test(flavor = "multi_thread")]
async fn what_workers_would_discard_is_counted() {
    let world = World::start().await;
    let celery = |expires: &str| {
        DeadMessage::new(&id(), "payments").header("task", text("pay")).header("expires", text(expires))
    };
    let laravel = |until: i64| {
        DeadMessage::new(&id(), "mails").body(json!({"displayName": "Mail", "retryUntil": until}).to_string())
    };
    for message in [
        celery("2026-01-01T00:00:00+00:00"),
        celery("2999-01-01T00:00:00+00:00"),
        laravel(1_700_000_000),
        laravel(32_000_000_000),
        DeadMessage::new(&id(), "orders"),
    ] {
        world.publish(message).await;
    }
    world.until_stored(5).await;
    let found = warnings(&world, "discards").await;
    assert_eq!(found[0]["count"], 2, "{found:?}");
    assert!(found[0]["message"].as_str().unwrap().starts_with("2 messages past a deadline"), "{found:?}");
}
