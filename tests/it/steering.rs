//! Plan, put back a few, watch, stop, go on, undo.

use serde_json::{Value, json};

use crate::support::{DeadMessage, TestQueue, World, id, until, until_eq};

/// Dead letters of one service, and the queue that they died in.
async fn dead_in_a_queue(world: &World, count: usize) -> TestQueue {
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    let messages = (0..count).map(|n| DeadMessage::new(&id(), &queue.name).error("E", &format!("no {n}")));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(i64::try_from(count).unwrap()).await;
    queue
}

async fn plan(world: &World, request: Value) -> Value {
    world.api().post("/operations/plan", &request).await.assert(201).json
}

async fn operation(world: &World, of: &Value) -> Value {
    world.api().get(&format!("/operations/{}", of["id"].as_str().unwrap())).await.assert(200).json
}

async fn steer(world: &World, of: &Value, how: &str) -> Value {
    let path = format!("/operations/{}/{how}", of["id"].as_str().unwrap());
    world.api().post(&path, &json!({})).await.assert(200).json
}

async fn until_state(world: &World, of: &Value, state: &str) -> Value {
    until_eq("state", json!(state), || async { operation(world, of).await["state"].clone() }).await;
    operation(world, of).await
}

fn codes(plan: &Value) -> Vec<&str> {
    let mut codes: Vec<_> = plan["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    codes
}

/// R9: a plan says exactly what would happen, and its run does exactly that, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_runs_what_it_froze_and_once() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 5).await;
    world.broker.publish_all(&world.source.name, [DeadMessage::new(&id(), "gone_orders")]).await;
    world.until_stored(6).await;
    let planned = plan(&world, json!({"kind": "redeliver", "filter": {"service": "orders"}})).await;
    assert_eq!(planned["total"], 6);
    assert_eq!(planned["services"], json!([{"value": "orders", "count": 6}]));
    let expected = json!({"value": queue.name, "broker": "default", "vhost": "/", "count": 5});
    assert_eq!(planned["queues"][0], expected);
    assert_eq!(
        codes(&planned),
        ["no_consumers", "queue_missing", "routing_key_changes", "still_failing", "still_failing"]
    );

    // What comes later is not in it; what another took is skipped.
    world.broker.publish_all(&world.source.name, [DeadMessage::new(&id(), &queue.name)]).await;
    world.until_stored(7).await;
    let one = world.api().get("/dead-letters?service=orders&order=oldest&limit=1").await.json["messages"][0]
        ["id"]
        .clone();
    world.api().delete("/dead-letters?wait=10", &json!({"ids": [one]})).await.assert(200);
    let run = json!({"planId": planned["id"], "note": "as planned"});
    let ran = world.api().post("/operations?wait=30", &run).await.assert(200).json;
    assert_eq!((&ran["id"], &ran["total"], &ran["note"]), (&planned["id"], &json!(6), &json!("as planned")));
    assert_eq!(
        ran["outcomes"],
        json!({"sent": 4, "returned": 0, "deleted": 0, "restored": 0, "refused": 1, "skipped": 1})
    );
    assert_eq!(world.broker.drain(&queue.name, 4).await.len(), 4);
    let again = world.api().post("/operations", &run).await.assert(409).json;
    assert!(again["detail"].as_str().unwrap().contains("was run before"), "{again}");
    assert_eq!(again["type"], "plan-already-run");
    world.assert_counters_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_expired_or_is_wrong_does_nothing() {
    let world = World::start().await;
    dead_in_a_queue(&world, 1).await;
    let planned = plan(&world, json!({"kind": "delete", "filter": {"service": "orders"}})).await;
    assert_eq!(codes(&planned), Vec::<&str>::new(), "nothing is published");
    sqlx::query("UPDATE operation_plan SET expires_at = now() - interval '1 s'")
        .execute(&world.database.pool)
        .await
        .unwrap();
    let late = world.api().post("/operations", &json!({"planId": planned["id"]})).await.assert(409).json;
    assert!(late["detail"].as_str().unwrap().contains("expired"), "{late}");
    assert_eq!(late["type"], "plan-expired");
    world.api().post("/operations", &json!({"planId": id()})).await.assert(404);
    let nowhere = json!({"kind": "redeliver", "all": true, "to": {"exchange": "nowhere", "routingKey": "k"}});
    assert!(codes(&plan(&world, nowhere).await).contains(&"exchange_missing"));
    let missing = plan(&world, json!({"kind": "redeliver", "ids": [id()]})).await;
    assert_eq!((&missing["total"], codes(&missing)), (&json!(0), vec!["not_selectable"]));
    for (request, part) in [
        (json!({"all": true}), "kind"),
        (json!({"kind": "redeliver"}), "is needed"),
        (json!({"kind": "redeliver", "all": true, "rate": 0}), "from 1 to"),
        (json!({"kind": "redeliver", "all": true, "canary": [10, 1]}), "that go up"),
        (json!({"kind": "redeliver", "all": true, "canary": []}), "that go up"),
        (json!({"kind": "redeliver", "all": true, "canaryWait": 3}), "is needed with"),
        (json!({"kind": "delete", "all": true, "canary": [1]}), "for redeliveries only"),
        (json!({"kind": "delete", "deletedBy": id()}), "for `restore` only"),
        (json!({"kind": "restore", "filter": {"status": "dead"}}), "must be deleted"),
    ] {
        let answer = world.api().post("/operations/plan", &request).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{request}: {answer}");
    }
    assert_eq!(world.database.count("operation").await, 0);
}

/// The canary stops by itself while the service is broken, and goes on by itself when it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_stops_what_comes_back() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 30).await;
    let request =
        json!({"filter": {"service": "orders"}, "canary": [1, 5], "canaryWait": 2, "order": "oldest"});
    let broken = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    world.broker.reject_next(&queue.name).await;
    let stopped = until_state(&world, &broken, "paused").await;
    assert_eq!((&stopped["outcomes"]["returned"], &stopped["outcomes"]["sent"]), (&json!(1), &json!(0)));
    assert_eq!(stopped["lastError"], "Paused by the canary: 1 of 1 died again (limit 0 %)");
    assert_eq!(stopped["verdict"], "running");
    let said = stopped["verdictText"].as_str().unwrap();
    assert!(said.starts_with("Paused by the canary: 1 of 1 died again (limit 0 %). 1 sent, "), "{said}");
    assert_eq!(world.broker.depth(&queue.name).await, 0, "nothing more was sent");
    let cancelled = steer(&world, &broken, "cancel").await;
    assert!(["cancelling", "cancelled"].contains(&cancelled["state"].as_str().unwrap()));
    let cancelled = until_state(&world, &broken, "cancelled").await;
    assert_eq!((&cancelled["outcomes"]["skipped"], &cancelled["remaining"]), (&json!(29), &json!(0)));
    assert_eq!((&cancelled["verdict"], &cancelled["notDone"]), (&json!("failed"), &json!(29)));
    let said = "Cancelled: 1 sent, 29 not sent (still dead). 1 of 1 died again: rejected, no error given.";
    assert_eq!(cancelled["verdictText"], said);

    let fixed = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    let path = format!("/operations/{}", fixed["id"].as_str().unwrap());
    let climbing = until("its first step is sent", || async {
        let operation = world.api().get(&path).await.json;
        (operation["outcomes"]["sent"] == 1).then_some(operation)
    })
    .await;
    assert_eq!(climbing["progress"]["etaSeconds"], Value::Null, "it waits, so nobody knows yet");
    let said = climbing["verdictText"].as_str().unwrap();
    assert!(said.starts_with("1 sent, none died again so far. Canary: sends the next 4 in "), "{said}");
    assert_eq!(world.broker.drain(&queue.name, 30).await.len(), 30);
    let done = until_state(&world, &fixed, "completed").await;
    assert_eq!((&done["outcomes"]["sent"], &done["canaryPassed"]), (&json!(30), &json!(5)));
    let found: Vec<_> = done["events"].as_array().unwrap().iter().map(|event| &event["detail"]).collect();
    assert_eq!(found, ["passed after 1", "passed after 5"]);
    world.assert_counters_exact().await;
}

/// Pause, another rate, resume, cancel: what was not sent stays dead, and another operation may have it.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_steered_while_it_runs() {
    let world = World::start().await;
    let queue = dead_in_a_queue(&world, 200).await;
    let request = json!({"filter": {"service": "orders"}, "rate": 20});
    let slow = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    until("some are sent", || async {
        (operation(&world, &slow).await["outcomes"]["sent"].as_i64() > Some(0)).then_some(())
    })
    .await;
    assert_eq!(steer(&world, &slow, "pause").await["state"], "paused");
    let paused = operation(&world, &slow).await;
    let faster =
        world.api().request(reqwest::Method::PATCH, &format!("/operations/{}", slow["id"].as_str().unwrap()));
    let faster = world.api().send(faster.json(&json!({"rate": 50}))).await.assert(200).json;
    assert_eq!((&faster["rate"], &faster["state"]), (&json!(50), &json!("paused")));
    // One chunk may have been under way.
    let sent = |operation: &Value| operation["outcomes"]["sent"].as_i64().unwrap();
    assert!(sent(&faster) - sent(&paused) <= 20 && sent(&faster) < 200);
    steer(&world, &slow, "resume").await;
    let before = sent(&faster);
    until("it goes on", || async { (sent(&operation(&world, &slow).await) > before).then_some(()) }).await;
    steer(&world, &slow, "cancel").await;
    let cancelled = until_state(&world, &slow, "cancelled").await;
    let actions: Vec<_> =
        cancelled["events"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["pause", "rate", "resume", "cancel"]);
    let outcomes = &cancelled["outcomes"];
    assert_eq!(sent(&cancelled) + outcomes["skipped"].as_i64().unwrap(), 200);
    for how in ["pause", "resume", "cancel"] {
        let path = format!("/operations/{}/{how}", slow["id"].as_str().unwrap());
        let refused = world.api().post(&path, &json!({})).await.assert(409).json;
        assert_eq!(refused["type"], "wrong-state");
        world.api().post(&format!("/operations/{}/{how}", id()), &json!({})).await.assert(404);
    }

    let rest = json!({"filter": {"service": "orders"}, "maxQueueDepth": 0});
    let rest = world.api().post("/dead-letters/redeliver?wait=30", &rest).await.assert(200).json;
    assert_eq!(sent(&rest), 200 - sent(&cancelled));
    assert_eq!(world.broker.drain(&queue.name, 200).await.len(), 200);
    world.assert_counters_exact().await;
}

/// Undo: what was deleted is dead again, by ids, by filter, or all that one operation deleted; and another deletion cannot take it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_delete_is_undone() {
    let world = World::start().await;
    dead_in_a_queue(&world, 6).await;
    let filter = json!({"filter": {"service": "orders"}});
    let deleted = world.api().delete("/dead-letters?wait=10", &filter).await.assert(200).json;
    let listed = world.api().all("service=orders&status=deleted", 200).await;
    assert_eq!(listed.len(), 6);
    let restore = async |request: Value| {
        let answer = world.api().post("/dead-letters/restore?wait=10", &request).await.assert(200).json;
        (answer["outcomes"]["restored"].as_i64().unwrap(), answer["outcomes"]["skipped"].as_i64().unwrap())
    };
    assert_eq!(restore(json!({"ids": [listed[0]["id"], listed[1]["id"]]})).await, (2, 0));
    assert_eq!(restore(json!({"deletedBy": deleted["id"]})).await, (4, 2));
    assert_eq!(world.api().all("service=orders", 200).await.len(), 6);
    world.assert_counters_exact().await;
    world.api().delete("/dead-letters?wait=10", &filter).await.assert(200);
    assert_eq!(restore(filter).await, (6, 0));
    let history = world.api().get(&format!("/dead-letters/{}", listed[0]["id"].as_str().unwrap())).await.json;
    let kinds: Vec<_> = history["history"]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["outcome"].clone())
        .collect();
    assert_eq!(kinds, ["deleted", "restored", "skipped", "deleted", "restored"]);
    world.assert_counters_exact().await;
}

/// Progress comes as it happens, and the stream ends with the verdict.
#[tokio::test(flavor = "multi_thread")]
async fn events_follow_an_operation_to_its_verdict() {
    let world = World::start_with(&[("DEAD_LETTER_WATCH_RETURNS", "2s")]).await;
    let queue = dead_in_a_queue(&world, 30).await;
    let request = json!({"filter": {"service": "orders"}, "rate": 20});
    let operation = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    let events = world
        .api()
        .get(&format!("/operations/{}/events", operation["id"].as_str().unwrap()))
        .await
        .assert(200);
    assert!(events.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = String::from_utf8(events.bytes).unwrap();
    let states: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(states.len() > 1, "{text}");
    let last = states.last().unwrap();
    assert_eq!((&last["state"], &last["verdict"]), (&json!("completed"), &json!("completed")));
    assert_eq!(last["verdictText"], "30 sent, none died again within 2 s.");
    assert!(states.iter().any(|state| state["verdict"] == "watching"), "{text}");
    assert!(
        states
            .windows(2)
            .all(|pair| pair[0]["outcomes"]["sent"].as_i64() <= pair[1]["outcomes"]["sent"].as_i64())
    );
    world.broker.delete_queue(&queue.name).await;
}
