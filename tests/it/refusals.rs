//! What the broker does not take stays dead, and says why.

use std::collections::HashSet;

use lapin::types::AMQPValue;
use serde_json::json;

use crate::operations::{ids, items, redeliver};
use crate::support::{DeadMessage, World, id, text, until};
/// R7: unroutable is confirmed by the broker, and is no success.
#[tokio::test(flavor = "multi_thread")]
async fn an_unroutable_redelivery_leaves_it_dead_with_the_reason() {
    let world = World::start().await;
    world.publish(DeadMessage::new(&id(), &format!("gone-{}", id()))).await;
    world.publish(DeadMessage::plain()).await;
    world.until_stored(2).await;
    let operation = redeliver(&world, json!({"filter": {}, "all": true})).await;
    assert_eq!(operation["outcomes"]["refused"], 2);
    let details: Vec<_> = items(&world, &operation)
        .await
        .iter()
        .map(|item| item["detail"].as_str().unwrap().to_owned())
        .collect();
    for part in ["does not exist (312 NO_ROUTE)", "Its queue is not known"] {
        assert!(details.iter().any(|detail| detail.contains(part)), "{part}: {details:?}");
    }
    assert_eq!(ids(&world, "status=dead").await.len(), 2);
    assert!(world.service.metric("dead_letter_refused_total{reason=\"returned\"}").await >= 1.0);
    world.assert_counters_exact().await;
}

/// R7: a return does not say of which message it is, and comes with any confirm: it counts for its own message all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_unroutable_message_among_others_is_the_one_that_is_refused() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("here-{}", id()), &[]).await;
    let messages = (0..200).map(|n| match n % 5 {
        0 => DeadMessage::new(&format!("lost-{n}"), "gone_elsewhere"),
        _ => DeadMessage::new(&format!("fine-{n}"), &queue.name),
    });
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(200).await;
    let operation = redeliver(&world, json!({"filter": {}, "all": true})).await;
    assert_eq!(
        operation["outcomes"],
        json!({"sent": 160, "returned": 0, "deleted": 0, "restored": 0, "refused": 40, "skipped": 0}),
        "{operation}"
    );
    for (status, expected) in [("dead", "lost-"), ("redelivered", "fine-")] {
        let found = world.api().all(&format!("status={status}"), 200).await;
        let wrong = found.iter().find(|letter| !letter["messageId"].as_str().unwrap().starts_with(expected));
        assert_eq!(wrong, None, "{status}");
    }
    world.assert_counters_exact().await;
}

/// R7: one exchange that does not exist closes the channel; the others still get a definite answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_exchange_refuses_its_own_messages_only() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("here-{}", id()), &world.source.name).await;
    // One half was published to an exchange that is gone, the other to the queue itself: as the broker tells.
    for n in 0..5 {
        world.publish(DeadMessage::new(&id(), &queue.name)).await;
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&format!("fine-{n}"))).await;
    }
    world.broker.reject(&queue.name, 5).await;
    world.until_stored(10).await;
    let operation = redeliver(&world, json!({"filter": {}, "all": true, "to": "exchange"})).await;
    assert_eq!(
        operation["outcomes"],
        json!({"sent": 5, "returned": 0, "deleted": 0, "restored": 0, "refused": 5, "skipped": 0}),
        "{operation}"
    );
    let refused: Vec<_> =
        items(&world, &operation).await.into_iter().filter(|item| item["outcome"] == "refused").collect();
    assert!(refused.iter().all(|item| item["detail"].as_str().unwrap().contains("404")), "{refused:?}");
    let came: HashSet<_> = world
        .broker
        .drain(&queue.name, 5)
        .await
        .into_iter()
        .map(|d| d.properties.message_id().clone())
        .collect();
    assert_eq!(came.len(), 5);
    world.assert_counters_exact().await;
}

/// Headers over the frame limit would make the broker close the connection: refused before they are sent.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_fit_a_frame_are_refused() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("big-{}", id()), &[]).await;
    world.publish(DeadMessage::new("small", &queue.name)).await;
    world.until_stored(1).await;
    let database = &world.database.pool;
    // As a broker with another limit might have delivered it.
    let mut big = dead_letter::domain::message::Properties::default();
    let mut headers = dead_letter::domain::message::Table::default();
    headers.set("big", dead_letter::domain::message::Value::LongString(vec![b'x'; 131_072]));
    big.headers = Some(headers);
    let bytes = dead_letter::domain::wire::encode(&big).unwrap();
    sqlx::query("UPDATE dead_letter SET properties = $1").bind(bytes).execute(database).await.unwrap();
    let operation = redeliver(&world, json!({"filter": {}, "all": true})).await;
    assert_eq!(operation["outcomes"]["refused"], 1);
    assert!(items(&world, &operation).await[0]["detail"].as_str().unwrap().contains("131"), "{operation}");
    assert!(world.service.metric("dead_letter_refused_total{reason=\"headers_too_large\"}").await >= 1.0);
}

/// While the broker is away an operation waits, says why, and goes on by itself: see `outages`. Here its queue is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_the_rest_goes_on() {
    let world = World::start().await;
    let arguments = [("x-max-length", AMQPValue::LongInt(3)), ("x-overflow", text("reject-publish"))];
    let queue = world.broker.declare_queue(&format!("full-{}", id()), &arguments).await;
    world
        .broker
        .publish_all(&world.source.name, (0..200).map(|_| DeadMessage::new(&id(), &queue.name)))
        .await;
    world.until_stored(200).await;
    // The broker stops publishers a little late: not before the queue has told them that it is full.
    until("the queue refuses", || async {
        (!world.broker.try_publish("", &queue.name, &DeadMessage::plain()).await).then_some(())
    })
    .await;
    let before = i64::from(world.broker.depth(&queue.name).await);
    let operation = redeliver(&world, json!({"filter": {}, "all": true, "note": "too many"})).await;
    let sent = operation["outcomes"]["sent"].as_i64().unwrap();
    let refused = operation["outcomes"]["refused"].as_i64().unwrap();
    assert_eq!(sent + refused, 200);
    assert!(refused >= 1, "{operation}");
    assert_eq!(i64::from(world.broker.depth(&queue.name).await), before + sent);
    let path = format!("/operations/{}/items?outcome=refused&limit=1", operation["id"].as_str().unwrap());
    let item = world.api().get(&path).await.json["items"][0].clone();
    assert!(item["detail"].as_str().unwrap().contains("Nacked by a target queue"), "{item}");
    world.broker.delete_queue(&queue.name).await;
    world.assert_counters_exact().await;
}
