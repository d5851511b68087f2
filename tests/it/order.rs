//! The order in which an operation's messages reach a queue.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, until};

/// Dead letters that died in these queues in turn, each with its number for a message id.
async fn numbered(world: &World, queues: &[&str], count: usize) {
    let messages = (0..count).map(|n| DeadMessage::new(&n.to_string(), queues[n % queues.len()]));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(i64::try_from(count).unwrap()).await;
}

/// The numbers of the messages as they come out of a queue.
async fn came(world: &World, queue: &str, count: usize) -> Vec<usize> {
    let deliveries = world.broker.drain(queue, count).await;
    let number = |id: &Option<lapin::types::ShortString>| id.as_ref().unwrap().as_str().parse().unwrap();
    deliveries.iter().map(|delivery| number(delivery.properties.message_id())).collect()
}

async fn redelivered(world: &World, request: &Value) -> Value {
    world.api().post("/dead-letters/redeliver?wait=30", request).await.assert(200).json
}

/// The oldest first, with all defaults; the newest first, where nobody says how.
#[tokio::test(flavor = "multi_thread")]
async fn eleven_hundred_messages_come_out_in_order() {
    for (order, is_turned) in [(json!("oldest"), false), (Value::Null, true)] {
        let world = World::start().await;
        let queue = world.broker.declare_queue(&format!("order-{}", id()), &[]).await;
        numbered(&world, &[&queue.name], 1_100).await;
        let mut request = json!({"filter": {}, "all": true});
        if order != Value::Null {
            request["order"] = order;
        }
        let operation = redelivered(&world, &request).await;
        assert_eq!(operation["outcomes"]["sent"], 1_100, "{operation}");
        assert_eq!(operation["order"], if is_turned { "newest" } else { "oldest" });
        let mut expected: Vec<usize> = (0..1_100).collect();
        if is_turned {
            expected.reverse();
        }
        assert_eq!(came(&world, &queue.name, 1_100).await, expected);
    }
}

/// With small chunks and four workers; where messages go to several queues, in order at each; a refused one in between changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_four_workers_keep_the_order_at_each_queue() {
    let settings = [("DEAD_LETTER_CHUNK_ITEMS", "20"), ("DEAD_LETTER_OPERATION_WORKERS", "4")];
    let world = World::start_with(&settings).await;
    let [one, other] = ["one", "other"].map(|name| format!("{name}-{}", id()));
    let one = world.broker.declare_queue(&one, &[]).await;
    let other = world.broker.declare_queue(&other, &[]).await;
    numbered(&world, &[&one.name, &other.name, "gone_elsewhere"], 600).await;
    let operation = redelivered(&world, &json!({"filter": {}, "all": true, "order": "oldest"})).await;
    assert_eq!(
        (&operation["outcomes"]["sent"], &operation["outcomes"]["refused"]),
        (&json!(400), &json!(200))
    );
    for (first, queue) in [&one, &other].into_iter().enumerate() {
        let expected: Vec<usize> = (first..600).step_by(3).collect();
        assert_eq!(came(&world, &queue.name, 200).await, expected);
    }
    world.assert_counters_exact().await;
}

/// R10: what is published again after a kill comes after what was published before, and before what was not: first arrivals are in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_operation_goes_on_in_order() {
    let settings = [("DEAD_LETTER_CHUNK_ITEMS", "20"), ("DEAD_LETTER_OPERATION_WORKERS", "4")];
    let mut world = World::start_with(&settings).await;
    let queue = world.broker.declare_queue(&format!("resume-{}", id()), &[]).await;
    numbered(&world, &[&queue.name], 2_000).await;
    let request = json!({"filter": {}, "all": true, "order": "oldest"});
    let operation = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    for kill in 1..=3 {
        until("some are sent", || async {
            let sent = world.api().get(&path).await.json["outcomes"]["sent"].as_i64()?;
            (sent >= kill * 200).then_some(())
        })
        .await;
        world.service.restart();
        world.service.until_ready().await;
    }
    until("it is completed", || async {
        (world.api().get(&path).await.json["state"] == "completed").then_some(())
    })
    .await;
    let depth = world.broker.depth(&queue.name).await;
    let (mut seen, mut first) = (HashMap::new(), Vec::new());
    for number in came(&world, &queue.name, depth as usize).await {
        let times: &mut u32 = seen.entry(number).or_default();
        *times += 1;
        if *times == 1 {
            first.push(number);
        }
    }
    assert_eq!(first, (0..2_000).collect::<Vec<_>>());
    world.assert_counters_exact().await;
}

/// Whoever has no use for the order can say so; it is in the record, also of a plan that is run.
#[tokio::test(flavor = "multi_thread")]
async fn any_order_is_an_option() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("any-{}", id()), &[]).await;
    numbered(&world, &[&queue.name], 30).await;
    let request = json!({"kind": "redeliver", "filter": {}, "all": true, "order": "any", "limit": 10});
    let plan = world.api().post("/operations/plan", &request).await.assert(201).json;
    let run = json!({"planId": plan["id"]});
    let operation = world.api().post("/operations?wait=30", &run).await.assert(200).json;
    assert_eq!((&operation["order"], &operation["outcomes"]["sent"]), (&json!("any"), &json!(10)));
    let mut numbers = came(&world, &queue.name, 10).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (20..30).collect::<Vec<_>>(), "the newest are chosen");
    let wrong = json!({"ids": [id()], "order": "random"});
    let answer = world.api().post("/dead-letters/redeliver", &wrong).await.assert(400).json;
    assert_eq!(answer["errors"][0]["field"], "order", "{answer}");
}
