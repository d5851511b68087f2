//! Is it one bug or five, since when, and did it come back.

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, until, until_eq};

fn failed(service: &str, error_type: &str, message: &str) -> DeadMessage {
    DeadMessage::new(&id(), &format!("work_{service}")).error(error_type, message)
}

async fn groups(world: &World, query: &str) -> Vec<Value> {
    let answer = world.api().get(&format!("/dead-letters/error-groups?{query}")).await.assert(200).json;
    assert_eq!(answer["total"], answer["groups"].as_array().unwrap().len());
    answer["groups"].as_array().unwrap().clone()
}

async fn change(world: &World, group: &Value, change: Value) -> Value {
    let path = format!("/dead-letters/error-groups/{}", group["id"].as_str().unwrap());
    let request = world.api().request(Method::PATCH, &path).json(&change);
    world.api().send(request).await.assert(200).json
}

/// One bug and two stragglers, by fingerprint; found again by group, by text, by a number in it.
#[tokio::test(flavor = "multi_thread")]
async fn one_bug_and_two_stragglers_are_three_groups() {
    let world = World::start().await;
    for number in 0..40 {
        let text = format!("card issuer timed out after {number}00 ms (order 47{number})");
        world.publish(failed("webshop", "PaymentDeclined", &text)).await;
    }
    world.publish(failed("webshop", "NotFound", "customer 'Åse' does not exist")).await;
    world.publish(failed("webshop", "NotFound", "voucher XMAS24 does not exist")).await;
    world.publish(failed("mailer", "PaymentDeclined", "card issuer timed out after 7 ms (order 1)")).await;
    world.until_stored(43).await;

    let found = groups(&world, "service=webshop").await;
    assert_eq!(found.iter().map(|group| &group["count"]).collect::<Vec<_>>(), [40, 1, 1], "{found:?}");
    let bug = &found[0];
    assert_eq!(bug["title"], "card issuer timed out after <number> ms (order <number>)");
    assert_eq!((&bug["state"], &bug["errorType"]), (&json!("new"), &json!("PaymentDeclined")));
    assert!((bug["share"].as_f64().unwrap() - 40.0 / 42.0).abs() < 1e-9);
    let sparkline: i64 = bug["sparkline"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!((sparkline, bug["sparkline"].as_array().unwrap().len()), (40, 24));
    assert_eq!(bug["sample"]["errorGroup"], bug["id"]);
    assert_eq!(groups(&world, "").await.len(), 4);

    let total = async |query: &str| {
        let answer = world.api().get(&format!("/dead-letters?{query}&limit=5")).await.assert(200).json;
        assert_eq!(answer["total"]["relation"], "eq", "{query}");
        answer["total"]["value"].as_i64().unwrap()
    };
    assert_eq!(total(&format!("errorGroup={}", bug["id"].as_str().unwrap())).await, 40);
    assert_eq!(total("error=CARD+ISSUER").await, 41);
    assert_eq!(total("error=order+4711").await, 1);
    assert_eq!(total("error=order+471").await, 11, "a part of a number is found, too");
    assert_eq!(total("error=order+47115").await, 0);
    assert_eq!(total("error=notfound").await, 2);
    assert_eq!(total("error=%C3%A5se").await, 1, "whatever the case of letters that are not ASCII");
    assert_eq!(total("error=xmas24&service=webshop").await, 1);
    assert_eq!(total("error=voucher&service=mailer").await, 0);
    let narrowed = groups(&world, "error=order+4711").await;
    assert_eq!((narrowed.len(), &narrowed[0]["count"]), (1, &json!(1)));
    world.assert_counters_exact().await;
}

/// A group that was resolved and comes back is `regressed`; nothing is muted for ever; all of it is on record.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_resolved_and_comes_back_is_regressed() {
    let world = World::start().await;
    let die = async |count: i64| {
        world.publish(failed("webshop", "PaymentDeclined", "declined")).await;
        world.until_stored(count).await;
    };
    die(1).await;
    let group = groups(&world, "").await.remove(0);
    let state = async || groups(&world, "").await[0]["state"].as_str().unwrap().to_owned();

    let resolved = change(&world, &group, json!({"action": "resolve", "note": "fixed in 42"})).await;
    assert_eq!(resolved["state"], "resolved");
    assert_eq!(groups(&world, "state=resolved").await.len(), 1);
    assert_eq!(groups(&world, "state=new").await.len(), 0);
    die(2).await;
    assert_eq!(state().await, "regressed");

    change(&world, &group, json!({"action": "mute", "mutedCount": 2})).await;
    die(3).await;
    assert_eq!(state().await, "muted");
    die(4).await;
    assert_eq!(state().await, "regressed", "two more have come");
    let until = clock::now() + TimeDelta::milliseconds(300);
    change(&world, &group, json!({"action": "mute", "mutedUntil": until})).await;
    until_eq("not muted any longer", "regressed".to_owned(), state).await;
    change(&world, &group, json!({"action": "note", "note": "told the issuer"})).await;
    let reopened = change(&world, &group, json!({"action": "reopen"})).await;
    assert_eq!(reopened["state"], "new");
    assert_eq!(groups(&world, "").await[0]["notes"], 2, "the one of the resolution counts");

    let events = reopened["events"].as_array().unwrap();
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["reopen", "note", "mute", "mute", "resolve"]);
    assert_eq!(events[4]["note"], "fixed in 42");
    assert!(events.iter().all(|event| event["by"].as_str().unwrap().starts_with("anonymous at ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_change_of_a_group_says_what_to_do() {
    let world = World::start().await;
    world.publish(failed("webshop", "PaymentDeclined", "declined")).await;
    world.until_stored(1).await;
    let group = groups(&world, "").await.remove(0);
    let path = format!("/dead-letters/error-groups/{}", group["id"].as_str().unwrap());
    for (change, part) in [
        (json!({"action": "mute"}), "nothing is muted for ever"),
        (json!({"action": "mute", "mutedCount": 0}), "must be 1 or more"),
        (json!({"action": "mute", "mutedUntil": "2020-01-01T00:00:00Z"}), "must be in the future"),
        (json!({"action": "resolve", "mutedCount": 3}), "is for `mute` only"),
        (json!({"action": "note"}), "is needed"),
        (json!({"action": "note", "note": "x".repeat(1001)}), "1000 bytes at most"),
        (json!({"action": "close"}), "unknown variant"),
    ] {
        let answer =
            world.api().send(world.api().request(Method::PATCH, &path).json(&change)).await.assert(400);
        assert!(answer.json["detail"].as_str().unwrap().contains(part), "{change}: {}", answer.json);
    }
    let nobody = format!("/dead-letters/error-groups/{}", id());
    let request = world.api().request(Method::PATCH, &nobody).json(&json!({"action": "resolve"}));
    world.api().send(request).await.assert(404);
    world.api().get(&nobody).await.assert(404);
    for wrong in
        ["error-groups?state=old", "error-groups?limit=0", "histogram?interval=2m", "histogram?by=squad"]
    {
        world.api().get(&format!("/dead-letters/{wrong}")).await.assert(400);
    }
    let range = "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=1m";
    let answer = world.api().get(&format!("/dead-letters/histogram?{range}")).await.assert(400);
    assert!(answer.json["detail"].as_str().unwrap().contains("take a longer one"));
}

/// Did it help: a message that dies again is linked with the item that sent it, and its history shows both deaths and the
/// redelivery between them.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_dies_again_is_a_return() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    for _ in 0..3 {
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
        world.broker.reject_next(&queue.name).await;
    }
    world.until_stored(3).await;
    let selection = json!({"filter": {"service": "orders"}, "note": "try again"});
    let answer = world.api().post("/dead-letters/redeliver?wait=30", &selection).await.assert(200).json;
    assert_eq!((&answer["outcomes"]["sent"], &answer["outcomes"]["returned"]), (&json!(3), &json!(0)));
    let path = format!("/operations/{}", answer["id"].as_str().unwrap());

    world.broker.reject_next(&queue.name).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(5).await;
    until_eq(
        "returns",
        json!({"sent": 1, "returned": 2, "deleted": 0, "restored": 0, "refused": 0, "skipped": 0}),
        || async { world.api().get(&path).await.assert(200).json["outcomes"].clone() },
    )
    .await;
    let operation = world.api().get(&path).await.json;
    let returns = operation["returns"].as_array().unwrap();
    assert_eq!((returns.len(), &returns[0]["count"]), (1, &json!(2)));
    let seconds = |name: &str| returns[0][name].as_f64().unwrap();
    assert!(seconds("soonestSeconds") <= seconds("medianSeconds"));
    assert!(seconds("medianSeconds") <= seconds("latestSeconds") && seconds("latestSeconds") < 90.0);

    let items = world.api().get(&format!("{path}/items?outcome=returned")).await.assert(200).json;
    let items = items["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let again = items[0]["returnedAs"].as_str().unwrap();
    let history =
        world.api().get(&format!("/dead-letters/{again}")).await.assert(200).json["history"].clone();
    let deaths: Vec<_> = history["deaths"].as_array().unwrap().iter().map(|death| &death["id"]).collect();
    assert_eq!(deaths, [&items[0]["deadLetterId"], &json!(again)]);
    let between = &history["operations"][0];
    assert_eq!((&between["outcome"], &between["note"]), (&json!("returned"), &json!("try again")));
    assert_eq!(returns[0]["errorGroup"], history["deaths"][1]["errorGroup"]);
    until("no notes are left", || async {
        (world.database.count("dead_letter_return").await == 0).then_some(())
    })
    .await;
    world.assert_counters_exact().await;
}

/// The chart shows what the list lists: from the counters, and from the rows.
#[tokio::test(flavor = "multi_thread")]
async fn the_histogram_counts_what_the_list_lists() {
    let world = World::start().await;
    for (service, count) in [("webshop", 5), ("mailer", 2)] {
        for _ in 0..count {
            world.publish(failed(service, "PaymentDeclined", "declined")).await;
        }
    }
    world.until_stored(7).await;
    let histogram = async |query: &str| {
        world.api().get(&format!("/dead-letters/histogram?{query}")).await.assert(200).json
    };
    let counts = |answer: &Value| -> Vec<(Value, i64)> {
        let series = answer["series"].as_array().unwrap().iter();
        series.map(|one| (one["value"].clone(), one["count"].as_i64().unwrap())).collect()
    };
    for query in ["", "interval=1m", "interval=1d", "minAttempt=1"] {
        let answer = histogram(query).await;
        assert_eq!(counts(&answer), [(Value::Null, 7)], "{query}");
        let starts = answer["starts"].as_array().unwrap();
        assert_eq!(starts.len(), answer["series"][0]["counts"].as_array().unwrap().len());
        let time = |value: &Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert!(time(&answer["from"]) == time(&starts[0]) && time(&answer["to"]) >= clock::now());
    }
    for query in ["by=service", "by=service&interval=1m"] {
        let answer = histogram(query).await;
        assert_eq!(counts(&answer), [(json!("webshop"), 5), (json!("mailer"), 2)], "{query}");
    }
    assert_eq!(counts(&histogram("by=reason&service=mailer").await), [(json!("rejected"), 2)]);
    assert_eq!(counts(&histogram("service=nobody").await), [(Value::Null, 0)]);

    world.api().delete("/dead-letters?wait=10", &json!({"filter": {"service": "mailer"}})).await.assert(200);
    assert_eq!(counts(&histogram("").await), [(Value::Null, 5)]);
    assert_eq!(counts(&histogram("status=any").await), [(Value::Null, 7)]);
    let overview = world.api().get("/dead-letters/service-overview").await.assert(200).json;
    assert_eq!(overview[0]["trend"], json!({"lastHour": 5, "dayBefore": 0}));
}
