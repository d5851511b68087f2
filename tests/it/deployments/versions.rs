//! In which version an error was first seen, and from which version on it is a regression.

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ago, tell};
use crate::cli::client_of;
use crate::support::{DeadMessage, World, id, until};

/// A message of the service that died at this time.
fn declined(service: &str, at: DateTime<Utc>) -> DeadMessage {
    let queue = format!("work_{service}");
    let seconds = u64::try_from(at.timestamp()).unwrap();
    DeadMessage::plain().id(&id()).died(&queue, "rejected", 1, seconds).error("PaymentDeclined", "declined")
}

async fn get(world: &World, path: &str) -> Value {
    world.api().get(path).await.assert(200).json
}

async fn the_group(world: &World) -> Value {
    get(world, "/dead-letters/error-groups?service=webshop&status=any").await["groups"][0].clone()
}

async fn change(world: &World, change: Value) -> crate::support::api::Answer {
    let group = the_group(world).await;
    let path = format!("/dead-letters/error-groups/{}", group["id"].as_str().unwrap());
    world.api().send(world.api().request(Method::PATCH, &path).json(&change)).await
}

/// A version that runs alone from now on.
async fn finish(world: &World, version: &str) {
    let now = clock::now();
    tell(world, json!({"service": "webshop", "version": version, "startedAt": now, "finishedAt": now})).await;
}

async fn state(world: &World) -> Value {
    the_group(world).await["state"].clone()
}

/// Waits until incidents have been looked for twice: then everything that was stored before has been seen.
async fn regressions(world: &World) -> usize {
    let looked = || async {
        let query = "SELECT looked_at::text FROM incident_watch";
        sqlx::query_scalar::<_, String>(query).fetch_one(&world.database.pool).await.unwrap()
    };
    for _ in 0..2 {
        let before = looked().await;
        until("incidents are looked for", || async { (looked().await != before).then_some(()) }).await;
    }
    let incidents = get(world, "/incidents?kind=regressedErrorGroup").await;
    incidents["incidents"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_resolved_in_a_version_regresses_in_that_one_or_a_later_one() {
    let world = World::start().await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(1).await;
    assert_eq!(the_group(&world).await["firstVersion"], Value::Null);
    let refused = change(&world, json!({"action": "resolve", "inNextVersion": true})).await.assert(400).json;
    assert!(refused["detail"].as_str().unwrap().contains("needs deployments of webshop"), "{refused}");

    tell(&world, json!({"service": "webshop", "version": "1.41", "startedAt": ago(7200)})).await;
    tell(&world, json!({"service": "webshop", "version": "1.42", "startedAt": ago(3600)})).await;
    tell(&world, json!({"service": "mailer", "version": "7", "startedAt": ago(60)})).await;
    assert_eq!(the_group(&world).await["firstVersion"], "1.42");
    let resolved = change(&world, json!({"action": "resolve", "inNextVersion": true})).await.assert(200).json;
    assert_eq!(resolved["resolvedIn"], json!({"version": null, "after": "1.42", "since": null}));
    assert_eq!(resolved["events"][0]["version"], "after 1.42");

    // The version without the fix goes on, and is deployed once more.
    world.publish(declined("webshop", ago(0))).await;
    tell(&world, json!({"service": "webshop", "version": "1.42", "startedAt": clock::now()})).await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(3).await;
    assert_eq!((state(&world).await, regressions(&world).await), (json!("resolved"), 0));

    // Both versions run.
    tell(&world, json!({"service": "webshop", "version": "1.43"})).await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(4).await;
    let group = the_group(&world).await;
    assert!(group["resolvedIn"]["since"].is_string(), "{group}");
    assert_eq!(group["state"], "resolved");

    // Only the version with the fix runs, and messages of the one before still drain. Their deaths are told in whole seconds.
    let since = clock::now();
    tell(&world, json!({"service": "webshop", "version": "1.43", "finishedAt": since})).await;
    world.publish(declined("webshop", since - TimeDelta::seconds(1))).await;
    world.until_stored(5).await;
    assert_eq!((state(&world).await, regressions(&world).await), (json!("resolved"), 0));
    let died = until("a death after it", || async {
        let now = clock::now();
        (now.timestamp() > since.timestamp()).then_some(now)
    })
    .await;
    world.publish(declined("webshop", died)).await;
    world.until_stored(6).await;
    assert_eq!((state(&world).await, regressions(&world).await), (json!("regressed"), 1));
    let log = get(&world, "/shift-log").await;
    assert_eq!(log["regressedGroups"].as_array().unwrap().len(), 1, "{log}");
    // It stays regressed, whatever becomes of its dead letters.
    world.api().delete("/dead-letters?wait=30", &json!({"filter": {"service": "webshop"}})).await.assert(200);
    assert_eq!(state(&world).await, "regressed");
    world.assert_counters_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_can_be_named_before_it_is_deployed() {
    let world = World::start().await;
    tell(
        &world,
        json!({"service": "webshop", "version": "1.42", "startedAt": ago(60), "finishedAt": ago(50)}),
    )
    .await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(1).await;
    for (change_to, part) in [
        (json!({"action": "mute", "mutedCount": 1, "inVersion": "1"}), "is for `resolve` only"),
        (json!({"action": "reopen", "inNextVersion": true}), "is for `resolve` only"),
        (json!({"action": "resolve", "inVersion": "1", "inNextVersion": true}), "exclude each other"),
        (json!({"action": "resolve", "inVersion": ""}), "must be 1 to 200 bytes"),
    ] {
        let answer = change(&world, change_to.clone()).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{change_to}: {answer}");
    }
    let group = the_group(&world).await["id"].as_str().unwrap().to_owned();
    let ran = client_of(world.api(), &["resolve", &group, "--in-version", "1.44"]).await.assert(0).out;
    assert!(ran.contains("1.44, not deployed yet") && ran.contains("resolve in version 1.44"), "{ran}");
    finish(&world, "1.43").await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(2).await;
    assert_eq!(state(&world).await, "resolved", "1.43 does not have the fix");
    finish(&world, "1.44").await;
    world.publish(declined("webshop", ago(-1))).await;
    world.until_stored(3).await;
    assert_eq!(state(&world).await, "regressed");
    let shown = client_of(world.api(), &["group", &group]).await.assert(0).out;
    assert!(shown.contains("first version  1.42"), "{shown}");
    change(&world, json!({"action": "reopen"})).await.assert(200);
    let group = the_group(&world).await;
    assert_eq!((&group["state"], &group["resolvedIn"]), (&json!("new"), &Value::Null));
    // A plain resolution is about whatever runs.
    change(&world, json!({"action": "resolve"})).await.assert(200);
    world.publish(declined("webshop", ago(600))).await;
    world.until_stored(4).await;
    assert_eq!(state(&world).await, "regressed");
}

/// The version is kept where groups become one, and where they become several again.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_survives_merging_and_splitting() {
    let world = World::start().await;
    world.publish(declined("webshop", ago(0))).await;
    world.until_stored(1).await;
    tell(&world, json!({"service": "webshop", "version": "1.42", "startedAt": ago(3600)})).await;
    change(&world, json!({"action": "resolve", "inVersion": "1.43"})).await.assert(200);
    let whole = the_group(&world).await["id"].as_str().unwrap().to_owned();
    world.publish(DeadMessage::new(&id(), "orders_webshop").error("Timeout", "too late")).await;
    world.until_stored(2).await;
    let groups = get(&world, "/dead-letters/error-groups?service=webshop").await;
    let part =
        groups["groups"].as_array().unwrap().iter().find(|group| group["id"] != whole.as_str()).unwrap();
    let part = part["id"].as_str().unwrap().to_owned();

    let patch = async |group: &str, change: Value| {
        let path = format!("/dead-letters/error-groups/{group}");
        let request = world.api().request(Method::PATCH, &path).json(&change);
        world.api().send(request).await.assert(200).json
    };
    let merged = patch(&whole, json!({"action": "merge", "groups": [part]})).await;
    assert_eq!(
        (&merged["state"], &merged["resolvedIn"]),
        (&json!("new"), &Value::Null),
        "one of them is open"
    );
    patch(&whole, json!({"action": "resolve", "inVersion": "1.44"})).await;
    patch(&whole, json!({"action": "split", "groups": [part]})).await;
    for group in [&whole, &part] {
        let group = get(&world, &format!("/dead-letters/error-groups/{group}")).await;
        assert_eq!((&group["state"], &group["resolvedIn"]["version"]), (&json!("resolved"), &json!("1.44")));
    }
    let merged = patch(&whole, json!({"action": "merge", "groups": [part]})).await;
    assert_eq!(merged["resolvedIn"]["version"], "1.44", "{merged}");
}
