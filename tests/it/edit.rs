//! Edit and redeliver: other bodies and headers, copies, and the preview of both.

use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::support::{DeadMessage, TestQueue, World, id, text, until_eq};

/// A queue, and a dead letter of it for each body, stored in this order.
async fn dead(world: &World, bodies: &[&str]) -> (TestQueue, Vec<String>) {
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    for (body, n) in bodies.iter().zip(1..) {
        let message = DeadMessage::new(&id(), &queue.name)
            .body(*body)
            .header("x-short", AMQPValue::ShortInt(7))
            .header("x-keep", AMQPValue::LongInt(n))
            .header("x-old", text("old"))
            .properties(|p| p.with_content_type("application/json".into()));
        world.publish(message).await;
        world.until_stored(n.into()).await;
    }
    let all = world.api().all("service=orders&order=oldest", 200).await;
    (queue, all.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()).collect())
}

async fn redeliver(world: &World, request: Value) -> Value {
    world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json
}

async fn operation(world: &World, of: &Value) -> Value {
    world.api().get(&format!("/operations/{}", of["id"].as_str().unwrap())).await.assert(200).json
}

async fn items(world: &World, of: &Value) -> Vec<Value> {
    let path = format!("/operations/{}/items?limit=200", of["id"].as_str().unwrap());
    world.api().get(&path).await.assert(200).json["items"].as_array().unwrap().clone()
}

async fn letter(world: &World, id: &str) -> Value {
    world.api().get(&format!("/dead-letters/{id}")).await.assert(200).json
}

async fn take(world: &World, queue: &str) -> (String, FieldTable) {
    let taken = world.broker.take(queue).await;
    (String::from_utf8(taken.data.clone()).unwrap(), taken.properties.headers().clone().unwrap())
}

/// The record says what was sent, and the dead letter stays as it came.
#[tokio::test(flavor = "multi_thread")]
async fn one_message_goes_out_with_another_body() {
    let world = World::start().await;
    let (queue, ids) = dead(&world, &["{\"amount\": -1}"]).await;
    let edit = json!({"body": {"text": "{\"amount\":\u{0} 1e16}"}});
    let sent = redeliver(&world, json!({"ids": ids, "edit": edit})).await;
    assert_eq!(sent["outcomes"]["sent"], 1, "{sent}");
    let taken = world.broker.take(&queue.name).await;
    assert_eq!(taken.data, b"{\"amount\":\0 1e16}");
    assert_eq!(taken.properties.content_type().as_ref().unwrap().as_str(), "application/json");
    let record = operation(&world, &sent).await;
    assert_eq!(record["edit"], json!({"body": edit["body"], "headers": {"set": {}, "remove": []}}));
    let kept = letter(&world, &ids[0]).await;
    assert_eq!(
        (&kept["body"]["content"], &kept["status"]),
        (&json!("{\"amount\": -1}"), &json!("redelivered"))
    );
    let listed = world.api().get("/operations").await.assert(200).json;
    assert_eq!(listed["operations"][0].get("edit"), None, "a list is not the place for bodies");
    world.assert_counters_exact().await;

    world.publish(DeadMessage::new(&id(), &queue.name)).await;
    world.until_stored(2).await;
    let other = world.only("service=orders").await["id"].clone();
    redeliver(&world, json!({"ids": [other], "edit": {"body": {"base64": "AP8="}}})).await;
    assert_eq!(world.broker.take(&queue.name).await.data, [0, 255]);
}

/// All or nothing for each message: one that the patch does not apply to is refused, and says why without its content.
#[tokio::test(flavor = "multi_thread")]
async fn a_patch_goes_over_many_and_spares_those_that_it_does_not_fit() {
    let world = World::start().await;
    let bodies = [
        r#"{"state": "new", "price": 0.30000000000000004, "id": 18446744073709551615}"#,
        r#"{"state": "hunter2"}"#,
        "<state>hunter2</state>",
        r#"{"state": "new", "n": 1, "n": 2, "id": 18446744073709551616}"#,
        "\u{feff}{\"state\": \"new\"}",
    ];
    let (queue, _) = dead(&world, &bodies).await;
    let patch = json!([
        {"op": "add", "path": "/fixed", "value": true}, {"op": "test", "path": "/state", "value": "new"},
        {"op": "replace", "path": "/state", "value": "old"},
    ]);
    let request = json!({"filter": {"service": "orders"}, "order": "oldest", "edit": {"patch": patch}});
    // By way of a plan, which keeps the edit.
    let planned =
        json!({"kind": "redeliver", "filter": request["filter"], "order": "oldest", "edit": request["edit"]});
    let planned = world.api().post("/operations/plan", &planned).await.assert(201).json;
    let run = json!({"planId": planned["id"]});
    let done = world.api().post("/operations?wait=30", &run).await.assert(200).json;
    assert_eq!((&done["outcomes"]["sent"], &done["outcomes"]["refused"]), (&json!(3), &json!(2)));
    assert_eq!(operation(&world, &done).await["edit"]["patch"], patch);
    let details: Vec<_> = items(&world, &done).await.iter().map(|item| item["detail"].clone()).collect();
    let reasons = ["another value stands there", "it is not JSON (line 1, column 1)"];
    for (detail, reason) in details[1..3].iter().zip(reasons) {
        let detail = detail.as_str().unwrap();
        assert!(detail.contains(reason) && !detail.contains("hunter2"), "{detail}");
    }
    assert_eq!(world.broker.depth(&queue.name).await, 3);
    // Nothing is altered but what the patch names.
    for expected in [
        r#"{"state": "old", "price": 0.30000000000000004, "id": 18446744073709551615,"fixed":true}"#,
        r#"{"state": "old", "n": 1, "n": 2, "id": 18446744073709551616,"fixed":true}"#,
        "\u{feff}{\"state\": \"old\",\"fixed\":true}",
    ] {
        assert_eq!(take(&world, &queue.name).await.0, expected);
    }
    assert_eq!(world.api().all("service=orders", 200).await.len(), 2, "what was refused is dead");
    assert!(
        (world.service.metric("dead_letter_refused_total{reason=\"edit\"}").await - 2.0).abs() < f64::EPSILON
    );
    world.assert_counters_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_set_with_their_types_and_removed() {
    let world = World::start().await;
    let (queue, _) = dead(&world, &["{}"]).await;
    let set = json!({
        "x-short": {"t": "s", "v": 8}, "x-text": "t", "x-whole": 5, "x-float": 1.5, "x-yes": true,
        "x-list": {"t": "A", "v": [{"t": "I", "v": 1}]},
    });
    let edit = json!({"headers": {"set": set, "remove": ["x-old", "x-absent"]}});
    let sent = redeliver(&world, json!({"filter": {"service": "orders"}, "edit": edit})).await;
    let (body, headers) = take(&world, &queue.name).await;
    assert_eq!(body, "{}");
    let expected = [
        ("x-short", AMQPValue::ShortInt(8)),
        ("x-text", text("t")),
        ("x-whole", AMQPValue::LongLongInt(5)),
        ("x-float", AMQPValue::Double(1.5)),
        ("x-yes", AMQPValue::Boolean(true)),
        ("x-list", AMQPValue::FieldArray(vec![AMQPValue::LongInt(1)].into())),
        ("x-keep", AMQPValue::LongInt(1)),
        ("dead-letter-redelivery-count", text("1")),
    ];
    for (name, value) in &expected {
        assert_eq!(headers.inner().get(*name), Some(value), "{name}");
    }
    assert!(!headers.contains_key("x-old"), "{headers:?}");
    let record = operation(&world, &sent).await;
    assert_eq!(record["edit"]["headers"]["set"]["x-whole"], json!({"t": "l", "v": "5"}));
    assert_eq!(record["edit"]["headers"]["remove"], json!(["x-old", "x-absent"]));
}

/// A whole selection goes to another queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_redirected_with_its_edit() {
    let world = World::start().await;
    dead(&world, &["{}", "[]"]).await;
    let other = world.broker.declare_queue(&format!("other-{}", id()), &[]).await;
    let to = json!({"exchange": "", "routingKey": other.name});
    let edit = json!({"headers": {"set": {"x-from": "orders"}}});
    let done = redeliver(&world, json!({"filter": {"service": "orders"}, "to": to, "edit": edit})).await;
    assert_eq!(done["outcomes"]["sent"], 2);
    for taken in world.broker.drain(&other.name, 2).await {
        assert_eq!(taken.properties.headers().as_ref().unwrap().inner()["x-from"], text("orders"));
    }
}

/// A copy is nobody's redelivery: its dead letter stays dead, and when it dies itself, nothing came back.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_leaves_the_dead_letter_dead_and_its_death_is_no_return() {
    let world = World::start().await;
    let (queue, ids) = dead(&world, &["{}", "[]"]).await;
    // Redelivered once, and back: it bears our headers.
    redeliver(&world, json!({"ids": [ids[0]]})).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(3).await;
    let sandbox = world.broker.declare_work_queue(&format!("{}_sandbox", id()), &world.source.name).await;
    let before = world.api().get("/dead-letters/service-overview").await.json;
    let request = json!({
        "kind": "redeliver", "filter": {"service": "orders"}, "copy": true,
        "to": {"exchange": "", "routingKey": sandbox.name},
    });
    let mut copies = Vec::new();
    for _ in 0..2 {
        let copied = world.api().post("/operations?wait=30", &request).await.assert(200).json;
        assert_eq!((&copied["outcomes"]["sent"], &copied["copy"]), (&json!(2), &json!(true)), "{copied}");
        copies.push(copied);
    }
    assert_eq!(world.api().get("/dead-letters/service-overview").await.json, before);
    assert_eq!(letter(&world, &ids[1]).await["history"]["operations"][0]["copy"], true);
    // Rejected at the same moment, they are four dead letters.
    for _ in 0..4 {
        world.broker.reject_next(&sandbox.name).await;
    }
    until_eq("copies are stored", 4, || async { world.api().all("service=sandbox", 200).await.len() }).await;
    for died in world.api().all("service=sandbox", 200).await {
        assert_eq!(died["redeliveryId"], Value::Null);
        let headers = letter(&world, died["id"].as_str().unwrap()).await["headers"].clone();
        assert!(headers.get("dead-letter-redelivery-count").is_none(), "{headers}");
        let copy = headers["dead-letter-copy-id"].clone();
        let all = [items(&world, &copies[0]).await, items(&world, &copies[1]).await].concat();
        assert!(all.iter().any(|item| item["redeliveryId"] == copy && item["outcome"] == "sent"), "{copy}");
    }
    assert_eq!(operation(&world, &copies[0]).await["outcomes"]["returned"], 0);
    // A copy that cannot go is refused by itself, and not tried for ever.
    let mut nowhere = request;
    nowhere["to"]["routingKey"] = json!(id());
    let refused = world.api().post("/operations?wait=30", &nowhere).await.assert(200).json;
    assert_eq!(refused["outcomes"]["refused"], 2, "{refused}");
    assert_eq!(world.api().all("service=orders", 200).await.len(), 2);
    world.assert_counters_exact().await;
}

/// What the preview shows is what goes out, and looking does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_what_is_sent() {
    let world = World::start().await;
    let bodies: Vec<String> = (1..=12).map(|n| format!("{{\"n\": {n}}}")).collect();
    let mut bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    bodies[1] = "\u{0}no json";
    let (_, ids) = dead(&world, &bodies).await;
    let sink = world.broker.declare_work_queue(&format!("{}_sink", id()), &world.source.name).await;
    let request = json!({
        "kind": "redeliver", "filter": {"service": "orders"}, "order": "oldest", "limit": 11,
        "to": {"exchange": "", "routingKey": sink.name},
        "edit": {
            "patch": [{"op": "move", "from": "/n", "path": "/m"}],
            "headers": {"set": {"x-new": {"t": "b", "v": 1}}, "remove": ["x-old"]},
        },
    });
    let preview = world.api().post("/operations/preview", &request).await.assert(200).json;
    assert_eq!(world.database.count("operation").await + world.database.count("operation_plan").await, 0);
    let samples = preview["samples"].as_array().unwrap();
    assert_eq!((samples.len(), &preview["total"]), (10, &json!(11)));
    for (sample, id) in samples.iter().zip(&ids) {
        let stored = letter(&world, id).await;
        assert_eq!(sample["deadLetterId"], **id);
        assert_eq!(
            sample["before"],
            json!({
                "exchange": stored["exchange"], "routingKey": stored["routingKey"],
                "body": stored["body"], "headers": stored["typedHeaders"],
            })
        );
    }
    assert_eq!(samples[1]["after"], Value::Null);
    assert!(samples[1]["error"].as_str().unwrap().contains("not JSON"), "{preview}");

    let done = world.api().post("/operations?wait=30", &request).await.assert(200).json;
    assert_eq!((&done["outcomes"]["sent"], &done["outcomes"]["refused"]), (&json!(10), &json!(1)));
    assert_eq!(items(&world, &done).await[1]["detail"], samples[1]["error"]);
    // What dies again is shown as a preview shows it.
    for _ in 0..10 {
        world.broker.reject_next(&sink.name).await;
    }
    until_eq("all are back", 10, || async { world.api().all("service=sink", 200).await.len() }).await;
    let mut back = Vec::new();
    for died in world.api().all("service=sink", 200).await {
        let whole = letter(&world, died["id"].as_str().unwrap()).await;
        let mut headers = whole["typedHeaders"].as_object().unwrap().clone();
        headers.retain(|name, _| !name.starts_with("x-death") && !name.starts_with("x-first-death"));
        headers.retain(|name, _| !name.starts_with("x-last-death") && name != "x-delivery-count");
        headers.remove("x-acquired-count"); // of RabbitMQ 4.3
        headers.remove("dead-letter-redelivery-id");
        back.push(json!({
            "exchange": "", "routingKey": sink.name, "body": whole["body"], "headers": headers,
        }));
    }
    for sample in samples.iter().filter(|sample| sample["error"].is_null()) {
        assert!(back.contains(&sample["after"]), "{sample} is not among {back:?}");
    }
    let none = json!({"kind": "redeliver", "filter": {"service": "nobody"}});
    let none = world.api().post("/operations/preview", &none).await.assert(200).json;
    assert_eq!(none, json!({"samples": [], "total": 0}));
}

/// Each bad input is refused before anything is done, and the answer says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn bad_edits_are_refused() {
    let world = World::start().await;
    let many = json!(vec![json!({"op": "remove", "path": "/a"}); 101]);
    let set = |name: &str, value: Value| json!({"all": true, "edit": {"headers": {"set": {name: value}}}});
    let plain = "text, a whole number of 64 bits";
    for (request, part) in [
        (json!({"all": true, "edit": {}}), "changes nothing: give `body`"),
        (
            json!({"all": true, "edit": {"patch": [{"op": "test", "path": "/a", "value": 1}]}}),
            "changes nothing",
        ),
        (json!({"all": true, "edit": {"body": {"text": "x"}}}), "give its id as the only one of `ids`"),
        (json!({"ids": [id(), id()], "edit": {"body": {"text": "x"}}}), "or a `patch` for several"),
        (
            json!({"ids": [id()], "edit": {"body": {"text": "x"}, "patch": [{"op": "remove", "path": "/a"}]}}),
            "give one of the two",
        ),
        (json!({"ids": [id()], "edit": {"body": {"base64": "?"}}}), "must be base64"),
        (json!({"ids": [id()], "edit": {"body": {"bytes": "?"}}}), "expected `text` or `base64`"),
        (
            json!({"all": true, "edit": {"patch": [{"op": "frob", "path": "/a"}]}}),
            "edit.patch[0]: must be an operation of RFC 6902",
        ),
        (json!({"all": true, "edit": {"patch": [{"op": "remove", "path": "a"}]}}), "edit.patch[0]"),
        (json!({"all": true, "edit": {"patch": many}}), "100 operations at most"),
        (json!({"all": true, "edit": {"bodies": 1}}), "unknown field"),
        (set("x", json!(null)), plain),
        (set("x", json!([1])), plain),
        (set("x", json!(u64::MAX)), plain),
        (set("x", json!({"t": "b", "v": 128})), plain),
        (set("", json!("v")), "1 to 255 bytes"),
        (set(&"x".repeat(256), json!("v")), "1 to 255 bytes"),
        (set("dead-letter-redelivery-id", json!("v")), "cannot be edited"),
        (set("dead-letter-redelivery-count", json!("v")), "cannot be edited"),
        (set("dead-letter-copy-id", json!("v")), "cannot be edited"),
        (set("CC", json!("v")), "which is `to`"),
        (
            json!({"all": true, "edit": {"headers": {"remove": ["dead-letter-redelivery-id"]}}}),
            "cannot be edited",
        ),
        (json!({"all": true, "edit": {"headers": {"set": {"a": 1}, "remove": ["a"]}}}), "leave it out here"),
        (json!({"all": true, "copy": true}), "needs `to` with the `exchange`"),
        (json!({"all": true, "copy": true, "to": "exchange"}), "needs `to` with the `exchange`"),
    ] {
        for path in ["/operations", "/operations/plan", "/operations/preview"] {
            let mut request = request.clone();
            request["kind"] = json!("redeliver");
            let answer = world.api().post(path, &request).await.assert(400).json;
            assert!(answer["detail"].as_str().unwrap().contains(part), "{request}: {answer}");
        }
        let answer = world.api().post("/dead-letters/redeliver", &request).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{request}: {answer}");
    }
    for field in ["edit", "copy"] {
        let mut request = json!({"kind": "delete", "all": true});
        request[field] = if field == "copy" { json!(true) } else { set("x", json!(1))["edit"].clone() };
        let answer = world.api().post("/operations", &request).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains("for redeliveries only"), "{answer}");
    }
    let answer = world.api().post("/operations/preview", &json!({"kind": "delete", "all": true})).await;
    assert!(answer.assert(400).json["detail"].as_str().unwrap().contains("must be redeliver"));
    // As text, since `json!` would make a double of it.
    let long = |edit: &str| {
        let post = world.api().request(reqwest::Method::POST, "/dead-letters/redeliver");
        let body = format!(r#"{{"ids": ["{}"], "edit": {edit}}}"#, id());
        world.api().send(post.header("content-type", "application/json").body(body))
    };
    let answer = long(r#"{"headers": {"set": {"n": {"t": "d", "v": 18446744073709551616}}}}"#).await;
    let answer = answer.assert(400).json;
    assert!(answer["detail"].as_str().unwrap().contains("more digits than can be kept"), "{answer}");
    assert_eq!(world.database.count("operation").await + world.database.count("operation_plan").await, 0);
}
