//! What people are told: whether a redelivery helped, which operations concern them, what is gone and can still be resolved.

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use lapin::options::BasicAckOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DeadMessage, TestQueue, World, id, until_eq};

/// Dead letters of the service `webshop`, and the queue that they died in.
async fn dead_in_a_queue(world: &World, count: usize) -> TestQueue {
    let queue = world.broker.declare_work_queue(&format!("work-{}_webshop", id()), &world.source.name).await;
    let declined = || DeadMessage::new(&id(), &queue.name).error("PaymentDeclined", "card declined");
    world.broker.publish_all(&world.source.name, (0..count).map(|_| declined())).await;
    world.until_stored(i64::try_from(count).unwrap()).await;
    queue
}

async fn get(world: &World, path: &str) -> Value {
    world.api().get(path).await.assert(200).json
}

async fn operation(world: &World, of: &Value) -> Value {
    get(world, &format!("/operations/{}", of["id"].as_str().unwrap())).await
}

async fn until_verdict(world: &World, of: &Value, verdict: &str) -> Value {
    until_eq("verdict", json!(verdict), || async { operation(world, of).await["verdict"].clone() }).await;
    operation(world, of).await
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// The night's green "3 dead letters redelivered": all three died again within milliseconds of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_of_which_all_died_again_has_failed() {
    // So long that only the returns can speak.
    let world = World::start_with(&[("DEAD_LETTER_WATCH_RETURNS", "1h")]).await;
    let queue = dead_in_a_queue(&world, 3).await;
    // A service that tells why it fails.
    let broken = world.broker.consume(&queue.name, 3, async |delivery| {
        let headers = delivery.properties.headers().clone().unwrap_or_default();
        let (properties, body) = (delivery.properties.clone(), delivery.data.clone());
        let message = DeadMessage { properties, headers, body };
        let message = message.died(&queue.name, "rejected", 1, 1).error("PaymentDeclined", "card declined");
        world.broker.publish(&world.source.name, "dead", &message).await;
        delivery.acker.ack(BasicAckOptions::default()).await.unwrap();
    });
    let request = json!({"filter": {"service": "webshop"}});
    let redelivering = world.api().post("/dead-letters/redeliver?wait=30", &request);
    let (answer, ()) = tokio::join!(redelivering, broken);
    let answer = answer.assert(200).json;
    assert_eq!(answer["state"], "completed", "to wait is to wait for the end of sending");
    let events =
        world.api().get(&format!("/operations/{}/events", answer["id"].as_str().unwrap())).await.assert(200);
    let events = String::from_utf8(events.bytes).unwrap();
    let last: Value = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .next_back()
        .unwrap();
    assert_eq!(last["verdict"], "failed", "events go on until the verdict: {events}");
    assert_eq!(last["verdictText"], "3 sent, all 3 died again: PaymentDeclined.");
    assert_eq!(time(&last["watchUntil"]), time(&last["endedAt"]) + TimeDelta::hours(1));
    let listed = get(&world, "/operations").await["operations"][0].clone();
    assert_eq!((&listed["verdict"], &listed["verdictText"]), (&last["verdict"], &last["verdictText"]));
    world.assert_counters_exact().await;
}

/// Nothing is said to have helped before it was watched; one that dies again after that still counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_is_watched_before_its_verdict() {
    let world = World::start_with(&[("DEAD_LETTER_WATCH_RETURNS", "3s")]).await;
    let queue = dead_in_a_queue(&world, 2).await;
    let request = json!({"filter": {"service": "webshop"}});
    let answer = world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json;
    assert_eq!(answer["verdict"], "watching", "{answer}");
    assert!(clock::now() < time(&answer["watchUntil"]));
    let done = until_verdict(&world, &answer, "completed").await;
    assert!(clock::now() >= time(&done["watchUntil"]));
    assert_eq!(done["verdictText"], "2 sent, none died again within 3 s.");

    world.broker.reject(&queue.name, 1).await;
    let worse = until_verdict(&world, &answer, "completedWithProblems").await;
    assert_eq!(worse["verdictText"], "2 sent, 1 of 2 died again: rejected, no error given.");
    world.assert_counters_exact().await;
}

/// What did nothing is no success; what is not sent cannot die again.
#[tokio::test(flavor = "multi_thread")]
async fn what_did_nothing_is_no_success() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 2).await;
    let letters = world.api().all("service=webshop", 200).await;
    let ids = json!({"ids": [letters[0]["id"], letters[1]["id"]]});
    let deleted = world.api().delete("/dead-letters?wait=30", &ids).await.assert(200).json;
    assert_eq!((&deleted["verdict"], &deleted["verdictText"]), (&json!("completed"), &json!("2 deleted.")));
    assert_eq!(deleted["watchUntil"], Value::Null);
    let late = world.api().post("/dead-letters/redeliver?wait=30", &ids).await.assert(200).json;
    assert_eq!((&late["verdict"], &late["verdictText"]), (&json!("failed"), &json!("0 sent, 2 skipped.")));

    world.api().post("/dead-letters/restore?wait=30", &ids).await.assert(200);
    let nowhere = json!({"ids": ids["ids"], "to": {"exchange": "", "routingKey": "nobody"}});
    let refused = world.api().post("/dead-letters/redeliver?wait=30", &nowhere).await.assert(200).json;
    let said = "0 sent, 2 refused (still dead).";
    assert_eq!((&refused["verdict"], &refused["verdictText"]), (&json!("failed"), &json!(said)));
    let items = get(&world, &format!("/operations/{}/items", refused["id"].as_str().unwrap())).await;
    assert_eq!(items["items"][0]["detail"], "Queue nobody does not exist (312 NO_ROUTE)");
    let copy = json!({"ids": ids["ids"], "to": {"exchange": "", "routingKey": queue.name}, "copy": true});
    let copied = world.api().post("/dead-letters/redeliver?wait=30", &copy).await.assert(200).json;
    assert_eq!((&copied["verdict"], &copied["verdictText"]), (&json!("completed"), &json!("2 copied.")));
    world.assert_counters_exact().await;
}

/// Colleagues find what runs and what was forgotten: by service, by squad, by state; and a plan names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_operation_is_seen_by_others() {
    let world = World::start().await;
    let _queue = dead_in_a_queue(&world, 3).await;
    world.publish(DeadMessage::new(&id(), "work_mailer")).await;
    world.until_stored(4).await;
    // After the first it waits for an hour, so that nothing is under way.
    let request = json!({"filter": {"service": "webshop"}, "canary": [1], "canaryWait": 3600, "limit": 2});
    let slow = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    let path = format!("/operations/{}", slow["id"].as_str().unwrap());
    until_eq("one is sent", json!(1), || async { get(&world, &path).await["outcomes"]["sent"].clone() })
        .await;
    world.api().post(&format!("{path}/pause"), &json!({})).await.assert(200);
    let mail = json!({"filter": {"service": "mailer"}});
    let mail = world.api().delete("/dead-letters?wait=30", &mail).await.assert(200).json;
    assert_eq!((&slow["services"], &mail["services"]), (&json!(["webshop"]), &json!(["mailer"])));
    let both = json!({"filter": {"service": "webshop"}, "order": "oldest", "limit": 1});
    world.api().delete("/dead-letters?wait=30", &both).await.assert(200);

    let listed = async |query: &str| -> Vec<Value> {
        let page = get(&world, &format!("/operations?{query}")).await;
        page["operations"].as_array().unwrap().iter().map(|operation| operation["id"].clone()).collect()
    };
    assert_eq!(listed("service=mailer").await, [mail["id"].clone()]);
    assert_eq!(listed("service=webshop&state=pending,running,paused,cancelling").await, [slow["id"].clone()]);
    assert_eq!(listed("squad=unowned&state=paused").await, [slow["id"].clone()]);
    assert_eq!(listed("squad=nobody").await, Vec::<Value>::new());
    assert_eq!(listed("kind=redeliver").await, [slow["id"].clone()]);
    assert_eq!(listed("kind=delete&service=mailer&requestedBy=ANONYMOUS").await, [mail["id"].clone()]);
    assert_eq!(listed("requestedBy=nobody").await, Vec::<Value>::new());
    let of_mail = world.only("service=mailer&status=deleted").await["errorGroup"].clone();
    assert_eq!(listed(&format!("errorGroup={}", of_mail.as_str().unwrap())).await, [mail["id"].clone()]);
    assert_eq!(listed("to=2026-01-01T00:00:00Z").await, Vec::<Value>::new());
    assert_eq!(listed("from=2999-01-01T00:00:00Z").await, [slow["id"].clone()], "it has not ended");
    let page = get(&world, "/operations?service=webshop&limit=1").await;
    let next = format!("service=webshop&limit=1&cursor={}", page["nextCursor"].as_str().unwrap());
    assert_eq!(listed(&next).await, [slow["id"].clone()]);
    for (wrong, part) in [
        ("state=stuck", "must be one or more, separated by commas, of pending, running"),
        ("service=", "must not be empty"),
        ("kind=pause", "kind: must be one of redeliver"),
        ("errorGroup=x", "must be a UUID"),
        ("requestedBy=", "requestedBy: must be text"),
        ("service=webshop&squad=nobody", "belongs to unowned"),
        (&next.replace("webshop", "mailer"), "belongs to another search"),
    ] {
        let answer = world.api().get(&format!("/operations?{wrong}")).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{wrong}: {answer}");
    }

    let request = json!({"kind": "delete", "filter": {"service": "webshop"}});
    let planned = world.api().post("/operations/plan", &request).await.assert(201).json;
    let warning = planned["warnings"].as_array().unwrap().iter().find(|it| it["code"] == "in_operation");
    let warning = warning.unwrap_or_else(|| panic!("{planned}"));
    assert_eq!((&warning["count"], &warning["operation"]), (&json!(1), &slow["id"]));
    assert_eq!(warning["operationState"], "paused");
    let said = warning["message"].as_str().unwrap();
    assert!(
        said.contains(&format!("in paused operation {}, started by anonymous", slow["id"].as_str().unwrap())),
        "{said}"
    );
    world.assert_counters_exact().await;
}

/// The natural order: fix, redeliver, resolve. What has nothing left stays in sight for a day.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_redelivered_can_still_be_resolved() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 3).await;
    let webshop = json!({"filter": {"service": "webshop"}, "limit": 2});
    world.api().post("/dead-letters/redeliver?wait=30", &webshop).await.assert(200);
    world.broker.drain(&queue.name, 2).await;
    world.api().delete("/dead-letters?wait=30", &webshop).await.assert(200);

    let day = json!({"died": 3, "redelivered": 2, "deleted": 1});
    let services = get(&world, "/dead-letters/service-overview").await;
    let row = &services[0];
    assert_eq!((&row["service"], &row["count"], &row["lastDay"]), (&json!("webshop"), &json!(0), &day));
    assert_eq!((&row["oldest"], &row["newest"]), (&Value::Null, &Value::Null));
    let squads = get(&world, "/dead-letters/squad-overview").await;
    let row = &squads[0];
    assert_eq!(
        (&row["squad"], &row["messages"], &row["services"]),
        (&json!("unowned"), &json!(0), &json!(0))
    );
    assert_eq!(row["lastDay"], day);

    let groups = async |query: &str| get(&world, &format!("/dead-letters/error-groups?{query}")).await;
    let answer = groups("service=webshop").await;
    assert_eq!((&answer["total"], &answer["messages"]), (&json!(1), &json!(0)));
    let group = answer["groups"][0].clone();
    assert_eq!(
        (&group["count"], &group["state"], &group["sample"]),
        (&json!(0), &json!("new"), &Value::Null)
    );
    let path = format!("/dead-letters/error-groups/{}", group["id"].as_str().unwrap());
    let resolve = world.api().request(Method::PATCH, &path).json(&json!({"action": "resolve"}));
    world.api().send(resolve).await.assert(200);
    assert_eq!(groups("state=resolved").await["total"], 1);
    assert_eq!(groups("state=new").await["total"], 0);
    for query in ["service=mailer", "error=declined", "minAttempt=1", "status=redelivered&service=mailer"] {
        assert_eq!(groups(query).await["total"], 0, "{query}");
    }
    assert_eq!(groups("status=redelivered").await["groups"][0]["count"], 2);

    // A day later it is gone, and what has dead letters comes first all along.
    world.publish(DeadMessage::new(&id(), "work_mailer")).await;
    world.until_stored(4).await;
    assert_eq!(get(&world, "/dead-letters/service-overview").await[0]["service"], "mailer");
    for table in ["error_group_total", "error_group_change"] {
        let age = format!(
            "UPDATE {table} SET last_seen = last_seen - interval '25 hours' WHERE error_group = $1::text::uuid"
        );
        let group = group["id"].as_str().unwrap();
        sqlx::query(&age).bind(group).execute(&world.database.pool).await.unwrap();
    }
    assert_eq!(groups("service=webshop").await["total"], 0);
    assert_eq!(get(&world, "/dead-letters/service-overview").await.as_array().unwrap().len(), 1);
}

/// Warnings are data, to be rendered in one clock; what was fixed a while ago is not said to fail.
#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_a_plan_are_data() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 2).await;
    let request = json!({"kind": "redeliver", "filter": {"service": "webshop"}});
    let planned = world.api().post("/operations/plan", &request).await.assert(201).json;
    let warning = |code: &str| {
        let warnings = planned["warnings"].as_array().unwrap();
        warnings.iter().find(|warning| warning["code"] == code).unwrap_or_else(|| panic!("{code}: {planned}"))
    };
    let failing = warning("still_failing");
    assert_eq!(
        (&failing["service"], &failing["errorType"], &failing["count"]),
        (&json!("webshop"), &json!("PaymentDeclined"), &json!(2))
    );
    assert!(time(&failing["lastSeen"]) <= clock::now());
    let said = failing["message"].as_str().unwrap();
    assert!(
        said.starts_with("Still failing: 2 new PaymentDeclined in webshop within 5 min, the latest "),
        "{said}"
    );
    let idle = warning("no_consumers");
    assert_eq!((&idle["queue"], &idle["ready"]), (&json!(queue.name), &json!(0)));
    assert_eq!(
        idle["message"],
        format!("Queue {} has no consumers. Its messages will wait there.", queue.name)
    );
}
