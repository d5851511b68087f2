//! The shift log: what happened within a time, for whoever takes over; and what mute takes out of sight.

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::client_of;
use crate::support::{DeadMessage, World, id};

async fn get(world: &World, path: &str) -> Value {
    world.api().get(path).await.assert(200).json
}

async fn change(world: &World, group: &str, change: Value) {
    let path = format!("/dead-letters/error-groups/{group}");
    world.api().send(world.api().request(Method::PATCH, &path).json(&change)).await.assert(200);
}

fn declined(service: &str) -> DeadMessage {
    DeadMessage::new(&id(), &format!("work_{service}")).error("PaymentDeclined", "card *4711* declined")
}

/// The group of the service's dead letters.
async fn group_of(world: &World, service: &str) -> String {
    let groups = get(world, &format!("/dead-letters/error-groups?service={service}")).await;
    groups["groups"][0]["id"].as_str().unwrap().to_owned()
}

fn ids(list: &Value, pointer: &str) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one.pointer(pointer).unwrap().as_str().unwrap().to_owned())
        .collect()
}

/// A time as a query has it.
fn text(time: DateTime<Utc>) -> String {
    time.format("%FT%T%.3fZ").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_is_told_as_lists_and_as_markdown() {
    let world = World::start().await;
    for service in ["webshop", "webshop", "mailer"] {
        world.publish(declined(service)).await;
    }
    world.until_stored(3).await;
    let (shop, mail) = (group_of(&world, "webshop").await, group_of(&world, "mailer").await);
    change(&world, &shop, json!({"action": "resolve", "note": "fixed in *42*"})).await;
    change(&world, &mail, json!({"action": "mute", "mutedCount": 5})).await;
    world.publish(declined("webshop")).await;
    world.until_stored(4).await;
    let request = json!({"filter": {"service": "webshop"}, "note": "not needed", "limit": 1});
    let deleted = world.api().delete("/dead-letters?wait=30", &request).await.assert(200).json;

    let log = get(&world, "/shift-log?offset=%2B01:00").await;
    assert_eq!((&log["arrived"], &log["dead"], &log["truncated"]), (&json!(4), &json!(3), &json!(false)));
    let mut new = ids(&log["newGroups"], "/id");
    new.sort();
    let mut both = vec![shop.clone(), mail.clone()];
    both.sort();
    assert_eq!(new, both);
    assert_eq!(ids(&log["regressedGroups"], "/id"), [shop.as_str()], "{log}");
    assert_eq!(ids(&log["triage"], "/event/action"), ["mute", "resolve"]);
    assert_eq!(ids(&log["operations"], "/id"), [deleted["id"].as_str().unwrap()]);
    let markdown = log["markdown"].as_str().unwrap();
    for part in [
        "(+01:00)\n\n4 dead letters arrived. 3 are dead now.\n",
        "\n## New error groups (2)\n",
        "\n## Regressed error groups (1)\n",
        "resolved: **webshop** PaymentDeclined",
        "Note: “fixed in \\*42\\*”",
        "muted until 5 more arrive: **mailer**",
        "1 dead letter of webshop. 1 deleted. Note: “not needed”",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }

    // One that begins later knows nothing of it; one of another service only of that.
    let later = text(clock::now() + TimeDelta::hours(1));
    let empty = get(&world, &format!("/shift-log?since={}&until={later}", text(clock::now()))).await;
    for list in ["newGroups", "regressedGroups", "triage", "operations"] {
        assert_eq!(empty[list], json!([]), "{list}");
    }
    let of_mail = get(&world, "/shift-log?service=mailer").await;
    assert_eq!((&of_mail["arrived"], &of_mail["operations"]), (&json!(1), &json!([])));
    assert_eq!(ids(&of_mail["triage"], "/group/id"), [mail]);
    for (wrong, part) in [
        ("since=yesterday", "since: must be a time"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "must be before `until`"),
        ("offset=here", "such as +01:00"),
    ] {
        let answer = world.api().get(&format!("/shift-log?{wrong}")).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{wrong}: {answer}");
    }

    let shown = client_of(world.api(), &["shift-log", "--since", "8h"]).await.assert(0).out;
    assert!(
        shown.contains("4 dead letters arrived, 3 dead now") && shown.contains("fixed in *42*"),
        "{shown}"
    );
    let pasted = client_of(world.api(), &["shift-log", "--markdown", "--utc"]).await.assert(0).out;
    assert!(pasted.starts_with("# Shift log, ") && pasted.contains("(+00:00)"), "{pasted}");
}

/// A group that came back before the shift began is no news of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_before_is_not_told_again() {
    let world = World::start().await;
    world.publish(declined("webshop")).await;
    world.until_stored(1).await;
    let group = group_of(&world, "webshop").await;
    change(&world, &group, json!({"action": "resolve"})).await;
    world.publish(declined("webshop")).await;
    world.until_stored(2).await;
    let regressed =
        async || get(&world, "/shift-log?since=2026-01-01T00:00:00Z").await["regressedGroups"].clone();
    assert_eq!(ids(&regressed().await, "/id"), [group.as_str()]);
    // Resolved, and back, a day before.
    let earlier =
        "UPDATE error_group SET resolved_at = resolved_at - interval '1 day' WHERE id = $1::text::uuid";
    sqlx::query(earlier).bind(&group).execute(&world.database.pool).await.unwrap();
    let before = "INSERT INTO error_group_change (error_group, start, arrived, dead, redelivered, deleted) \
         SELECT id, date_bin('5 minutes', resolved_at, 'epoch') + interval '1 hour', 0, 1, 0, 0 FROM error_group WHERE id = $1::text::uuid";
    sqlx::query(before).bind(&group).execute(&world.database.pool).await.unwrap();
    let since = text(clock::now() - TimeDelta::hours(8));
    let log = get(&world, &format!("/shift-log?since={since}")).await;
    assert_eq!(log["regressedGroups"], json!([]));
    assert_eq!(ids(&regressed().await, "/id"), [group], "a longer time has it");
}

/// A muted group comes last, is counted apart, and is in no trend.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_muted_is_out_of_sight() {
    let world = World::start().await;
    for service in ["webshop", "webshop", "webshop", "mailer"] {
        world.publish(declined(service)).await;
    }
    world.until_stored(4).await;
    let shop = group_of(&world, "webshop").await;
    let overview = async |of: &str| {
        let found = get(&world, "/dead-letters/service-overview").await;
        let row = found.as_array().unwrap().iter().find(|row| row["service"] == of).unwrap().clone();
        (row["count"].clone(), row["muted"].clone(), row["trend"]["lastHour"].clone())
    };
    assert_eq!(overview("webshop").await, (json!(3), json!(0), json!(3)));
    let soon = clock::now() + TimeDelta::hours(1);
    for mute in
        [json!({"mutedUntil": soon}), json!({"mutedCount": 2}), json!({"mutedUntil": soon, "mutedCount": 2})]
    {
        let mut mute = mute;
        mute["action"] = json!("mute");
        change(&world, &shop, mute).await;
        assert_eq!(overview("webshop").await, (json!(3), json!(3), json!(0)));
        assert_eq!(overview("mailer").await, (json!(1), json!(0), json!(1)));
        let squads = get(&world, "/dead-letters/squad-overview").await;
        assert_eq!((&squads[0]["messages"], &squads[0]["muted"]), (&json!(4), &json!(3)));
        assert_eq!(squads[0]["trend"]["lastHour"], 1);
        let groups = get(&world, "/dead-letters/error-groups").await;
        assert_eq!(ids(&groups["groups"], "/state"), ["new", "muted"], "though it is the largest");
    }
    for _ in 0..2 {
        world.publish(declined("webshop")).await;
    }
    world.until_stored(6).await;
    assert_eq!(overview("webshop").await, (json!(5), json!(0), json!(5)), "it has grown");
    world.assert_counters_exact().await;
}
