//! Messages that we redelivered and that died again: how often, and what they had been published with.

use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, text, until_eq};

async fn newest(world: &World, search: &str, stored: i64) -> Value {
    world.until_stored(stored).await;
    let answer = world.api().get(&format!("/dead-letters?{search}")).await.assert(200).json;
    answer["messages"][0].clone()
}

async fn redeliver(world: &World, found: &Value, to: &str) -> Value {
    let operation = json!({"ids": [found["id"]], "to": to});
    world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200).json["outcomes"].clone()
}

/// Poison goes round: each time its history is a new one for the broker.
#[tokio::test(flavor = "multi_thread")]
async fn deaths_are_counted_over_redeliveries() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("round-{}_shop", id()), &world.source.name).await;
    world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
    for death in 1..=4 {
        world.broker.reject_next(&queue.name).await;
        let found = newest(&world, "service=shop", death).await;
        assert_eq!((&found["attempts"], &found["redeliveries"]), (&json!(death), &json!(death - 1)));
        if death < 4 {
            let outcomes = redeliver(&world, &found, "queue").await;
            assert_eq!(outcomes["refused"], 0, "{outcomes}");
        }
    }
    assert_eq!(world.only("minAttempt=4").await["attempts"], 4);
    let whole = world.only("minAttempt=4").await;
    let whole = world.api().get(&format!("/dead-letters/{}", whole["id"].as_str().unwrap())).await.json;
    assert_eq!(whole["history"]["deaths"].as_array().unwrap().len(), 4);
    world.assert_counters_exact().await;
}

/// Those that came back of one operation are selected as such: listed, counted, charted, grouped and acted on.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_of_an_operation_is_a_selection() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("came-{}_shop", id()), &world.source.name).await;
    for number in 0..3 {
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&format!("came-{number}"))).await;
    }
    world.broker.reject(&queue.name, 3).await;
    world.until_stored(3).await;
    let sent =
        world.api().post("/dead-letters/redeliver?wait=30", &json!({"filter": {"service": "shop"}})).await;
    let operation = sent.assert(200).json["id"].as_str().unwrap().to_owned();
    world.broker.reject(&queue.name, 2).await;
    world.broker.drain(&queue.name, 1).await;
    world.until_stored(5).await;
    let of = format!("returnedFrom={operation}");
    until_eq("both are linked", json!(2), || async {
        world.api().get(&format!("/dead-letters?{of}")).await.assert(200).json["total"]["value"].clone()
    })
    .await;
    let page = world.api().get(&format!("/dead-letters?{of}&limit=1")).await.assert(200).json;
    let next = format!("{of}&limit=1&cursor={}", page["nextCursor"].as_str().unwrap());
    let rest = world.api().get(&format!("/dead-letters?{next}")).await.assert(200).json;
    assert_ne!(page["messages"][0]["id"], rest["messages"][0]["id"]);
    assert_eq!(rest["nextCursor"], Value::Null);
    for (also, count) in
        [("returned=true", 2), ("returned=false", 0), ("messageId=came-2", 1), ("service=nobody", 0)]
    {
        let found = world.api().get(&format!("/dead-letters?{of}&{also}")).await.assert(200).json;
        assert_eq!(found["total"]["value"].as_i64().unwrap().min(1), i64::from(count > 0), "{also}: {found}");
    }
    let groups = world.api().get(&format!("/dead-letters/error-groups?{of}")).await.assert(200).json;
    assert_eq!(groups["messages"], 2);
    let chart = world.api().get(&format!("/dead-letters/histogram?{of}")).await.assert(200).json;
    assert_eq!(chart["series"][0]["count"], 2);
    let again = json!({"filter": {"returnedFrom": operation}});
    let again = world.api().post("/dead-letters/redeliver?wait=30", &again).await.assert(200).json;
    assert_eq!((&again["total"], &again["outcomes"]["refused"]), (&json!(2), &json!(0)), "{again}");
    assert_eq!(world.api().get(&format!("/dead-letters?{of}&status=any")).await.json["total"]["value"], 2);
    world.api().get("/dead-letters?returnedFrom=last").await.assert(400);
    world.assert_counters_exact().await;
}

/// By its exchange it can be found and sent again, however often it went straight to its queue. What others write into our headers is not
/// taken for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_back_keeps_what_it_was_published_with() {
    let world = World::start().await;
    let events = world.broker.declare_source(&[]).await;
    let queue = world.broker.declare_work_queue(&format!("keep-{}_shop", id()), &world.source.name).await;
    let bind = lapin::options::QueueBindOptions::default();
    let binding = world.broker.channel.queue_bind(
        queue.name.as_str().into(),
        events.name.as_str().into(),
        "OrderPlaced".into(),
        bind,
        lapin::types::FieldTable::default(),
    );
    binding.await.unwrap();
    world.broker.publish(&events.name, "OrderPlaced", &DeadMessage::plain().id("kept")).await;
    for death in 1..=3 {
        world.broker.reject_next(&queue.name).await;
        let found = newest(&world, "service=shop&routingKey=OrderPlaced", death).await;
        assert_eq!(
            [&found["queue"], &found["exchange"], &found["routingKey"]],
            [&queue.name, &events.name, "OrderPlaced"]
        );
        assert_eq!((&found["originToldBy"], &found["attempts"]), (&json!("broker"), &json!(death)));
        let to = if death < 3 { "queue" } else { "exchange" };
        let outcomes = redeliver(&world, &found, to).await;
        assert_eq!(outcomes["refused"], 0, "{outcomes}");
    }
    // A consumer that has seen one of our ids forges the rest.
    let came = world.broker.take(&queue.name).await;
    let mut headers = came.properties.headers().clone().unwrap();
    for (name, value) in [
        ("dead-letter-queue", queue.name.as_str()),
        ("dead-letter-exchange", "payments"),
        ("dead-letter-routing-key", "execute"),
    ] {
        headers.insert(name.into(), text(value));
    }
    world
        .broker
        .publish("", &queue.name, &DeadMessage { headers, ..DeadMessage::plain().id("forged") })
        .await;
    world.broker.reject_next(&queue.name).await;
    let forged = newest(&world, "messageId=forged", 4).await;
    assert_eq!(forged["exchange"], "payments");
    assert_eq!(redeliver(&world, &forged, "exchange").await["refused"], 1, "{forged}");
    assert_eq!(redeliver(&world, &forged, "queue").await["refused"], 0);
    world.broker.reject_next(&queue.name).await;
    let forged = newest(&world, "messageId=forged", 5).await;
    assert_eq!(forged["exchange"], "", "it is not handed on");
    world.assert_counters_exact().await;
}
