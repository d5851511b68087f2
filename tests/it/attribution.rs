//! Who did what, when, with which dead letters, and why.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id};

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} is a time")).parse().unwrap()
}

/// R13: an operation tells who asked for it, when, with which selection, why, and what became of each message; it stands in the list of
/// operations and in the history of each message that it was about.
#[tokio::test(flavor = "multi_thread")]
async fn destructive_acts_are_attributable() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("here-{}", id()), &[]).await;
    let message = |queue: &str| DeadMessage::new(&id(), queue).error("E", "50% of it failed");
    for _ in 0..2 {
        world.publish(message(&queue.name)).await;
        world.publish(message("gone_elsewhere")).await;
    }
    world.until_stored(4).await;
    let all: Vec<Value> = world.api().all("order=oldest", 200).await;
    let ids: Vec<&str> = all.iter().map(|letter| letter["id"].as_str().unwrap()).collect();

    let begun = dead_letter::clock::now();
    let filter = json!({"filter": {"error": "50% of", "reason": "rejected"}, "order": "oldest", "limit": 2, "note": "fixed in 42"});
    let redelivered = world.api().post("/dead-letters/redeliver?wait=30", &filter).await.assert(200).json;
    let by_ids = json!({"ids": ids, "note": "the rest is of no use"});
    let deleted = world.api().delete("/dead-letters?wait=30", &by_ids).await.assert(200).json;
    let ended = dead_letter::clock::now();

    let asked = json!({"filter": {"error": "50% of", "reason": "rejected"}, "all": false});
    assert_eq!(without_nulls(&redelivered["selection"]), asked);
    assert_eq!(deleted["selection"], json!({ "ids": ids }));
    let listed = world.api().get("/operations").await.assert(200).json["operations"].clone();
    assert_eq!(listed, json!([deleted, redelivered]));
    let expected = [
        (&redelivered, "redeliver", "fixed in 42", vec!["sent", "refused"]),
        (&deleted, "delete", "the rest is of no use", vec!["deleted", "deleted", "deleted", "skipped"]),
    ];
    for (operation, kind, note, outcomes) in expected {
        assert_eq!(operation["kind"], kind);
        assert_eq!(operation["requestedBy"], "anonymous at 127.0.0.1");
        assert_eq!(operation["note"], note);
        let times = ["createdAt", "startedAt", "endedAt"].map(|name| time(&operation[name]));
        assert!(begun <= times[0] && times.is_sorted() && times[2] <= ended, "{times:?}");
        let path = format!("/operations/{}/items", operation["id"].as_str().unwrap());
        let items = world.api().get(&path).await.assert(200).json["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), outcomes.len(), "{items:?}");
        for (item, outcome) in items.iter().zip(outcomes) {
            assert_eq!(item["outcome"], outcome, "{item}");
            assert!((begun..=ended).contains(&time(&item["settledAt"])), "{item}");
            let must_say_why = outcome == "refused" || outcome == "skipped";
            assert_eq!(item["detail"].is_string(), must_say_why, "{item}");
            assert_is_in_history(&world, operation, item).await;
        }
    }
}

/// Options that were not given may be absent or null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

/// The message tells the same of the operation as the operation does of the message.
async fn assert_is_in_history(world: &World, operation: &Value, item: &Value) {
    let letter = item["deadLetterId"].as_str().unwrap();
    let whole = world.api().get(&format!("/dead-letters/{letter}")).await.assert(200).json;
    let operations = whole["history"]["operations"].as_array().unwrap();
    let told = operations.iter().find(|told| told["operationId"] == operation["id"]);
    assert_eq!(
        told,
        Some(&json!({
            "operationId": operation["id"], "kind": operation["kind"], "requestedBy": operation["requestedBy"],
            "note": operation["note"], "requestedAt": operation["createdAt"], "deadLetterId": letter,
            "outcome": item["outcome"], "detail": item["detail"], "redeliveryId": item["redeliveryId"], "copy": false,
            "settledAt": item["settledAt"],
        })),
        "{whole}"
    );
}
