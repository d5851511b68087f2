//! Once more: what was redelivered, and lost by its consumer.

use serde_json::{Value, json};

use crate::support::{DeadMessage, TestQueue, World, id, until_eq};

/// A dead letter that was redelivered, and taken by a consumer that lost it.
async fn lost(world: &World) -> (TestQueue, String) {
    let queue = world.broker.declare_work_queue(&format!("lost-{}_shop", id()), &world.source.name).await;
    world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(1).await;
    let letter = world.only("status=dead").await["id"].as_str().unwrap().to_owned();
    assert_eq!(redeliver(world, json!({"ids": [letter]})).await["outcomes"]["sent"], 1);
    world.broker.take(&queue.name).await;
    (queue, letter)
}

async fn redeliver(world: &World, request: Value) -> Value {
    world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json
}

async fn detail(world: &World, operation: &Value) -> String {
    let path = format!("/operations/{}/items", operation["id"].as_str().unwrap());
    let items = world.api().get(&path).await.assert(200).json;
    items["items"][0]["detail"].as_str().unwrap_or_default().to_owned()
}

/// Only where it is asked for, by ids and by filter; the record says so, and the counters hold (R11).
#[tokio::test(flavor = "multi_thread")]
async fn what_its_consumer_lost_is_sent_once_more_when_asked_for() {
    let world = World::start().await;
    let (queue, letter) = lost(&world).await;
    let refused = redeliver(&world, json!({"ids": [letter]})).await;
    assert_eq!(refused["outcomes"]["skipped"], 1);
    let expected = "Not dead: already redelivered. Add `again: true` to redeliver it once more";
    assert_eq!(detail(&world, &refused).await, expected);
    let by_filter = json!({"filter": {"status": "redelivered"}});
    let answer = world.api().post("/dead-letters/redeliver", &by_filter).await.assert(400).json;
    assert!(answer["detail"].as_str().unwrap().contains("`again: true`"), "{answer}");
    let delete = json!({"ids": [letter], "again": true});
    world.api().delete("/dead-letters", &delete).await.assert(400);

    let mut marks = Vec::new();
    for request in [
        json!({"ids": [letter], "again": true}),
        json!({"filter": {"status": "redelivered"}, "all": true, "again": true}),
        json!({"filter": {"service": "shop"}, "again": true}),
    ] {
        let operation = redeliver(&world, request).await;
        assert_eq!((&operation["outcomes"]["sent"], &operation["again"]), (&json!(1), &json!(true)));
        let headers = world.broker.take(&queue.name).await.properties.headers().clone().unwrap();
        marks.push(format!("{:?}", headers.inner()["dead-letter-redelivery-id"]));
        world.assert_counters_exact().await;
    }
    marks.dedup();
    assert_eq!(marks.len(), 3, "an operation has redelivery ids of its own");
    assert_eq!(world.only("status=redelivered").await["id"], letter.as_str());
    let whole = world.api().get(&format!("/dead-letters/{letter}")).await.json;
    let outcomes: Vec<_> = whole["history"]["operations"].as_array().unwrap().iter().collect();
    let sent = outcomes.iter().filter(|operation| operation["outcome"] == "sent").count();
    assert_eq!(sent, 4, "{outcomes:?}");
}

/// As a copy, too; what is dead has no need of it; and a death after it is the return of the last operation.
#[tokio::test(flavor = "multi_thread")]
async fn once_more_is_for_what_was_redelivered_only() {
    let world = World::start().await;
    let (queue, letter) = lost(&world).await;
    let copies = world.broker.declare_queue(&format!("copies-{}", id()), &[]).await;
    let to = json!({"exchange": "", "routingKey": copies.name});
    let copy = redeliver(&world, json!({"ids": [letter], "again": true, "copy": true, "to": to})).await;
    assert_eq!(copy["outcomes"]["sent"], 1, "{copy}");
    let headers = world.broker.take(&copies.name).await.properties.headers().clone().unwrap();
    assert!(headers.contains_key("dead-letter-copy-id"), "{headers:?}");

    let again = redeliver(&world, json!({"ids": [letter], "again": true})).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(2).await;
    let path = format!("/operations/{}", again["id"].as_str().unwrap());
    until_eq("it is a return", json!(1), || async {
        world.api().get(&path).await.json["outcomes"]["returned"].clone()
    })
    .await;
    let dead = world.only("status=dead").await["id"].clone();
    let skipped = redeliver(&world, json!({"ids": [dead], "again": true})).await;
    assert_eq!(detail(&world, &skipped).await, "Not redelivered yet: leave out `again`");

    let request = json!({"kind": "redeliver", "ids": [letter], "again": true});
    let plan = world.api().post("/operations/plan", &request).await.assert(201).json;
    let codes: Vec<_> = plan["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert!(codes.contains(&&json!("again")) && codes.contains(&&json!("died_again")), "{plan}");
    world.assert_counters_exact().await;
}
