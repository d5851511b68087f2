//! Who is on an error group, its ticket, and several groups as one.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, until_eq};

fn failed(service: &str, error_type: &str) -> DeadMessage {
    DeadMessage::new(&id(), &format!("work_{service}"))
        .error(error_type, &format!("{error_type} of order 4711"))
}

/// Dead letters of these errors.
async fn die(world: &World, letters: &[(&str, &str, usize)], stored: i64) {
    for (service, error, number) in letters {
        for _ in 0..*number {
            world.publish(failed(service, error)).await;
        }
    }
    world.until_stored(stored).await;
}

async fn groups(world: &World, query: &str) -> Vec<Value> {
    let answer = world.api().get(&format!("/dead-letters/error-groups?{query}")).await.assert(200).json;
    answer["groups"].as_array().unwrap().clone()
}

/// The id of the group of this error.
async fn group_of(world: &World, service: &str, error: &str) -> String {
    let found = groups(world, &format!("service={service}")).await;
    let group = found.iter().find(|group| group["errorType"] == error).unwrap();
    group["id"].as_str().unwrap().to_owned()
}

async fn change(world: &World, group: &str, change: Value, status: u16) -> Value {
    let path = format!("/dead-letters/error-groups/{group}");
    let request = world.api().request(Method::PATCH, &path).json(&change);
    world.api().send(request).await.assert(status).json
}

fn counts(groups: &[Value]) -> Vec<i64> {
    groups.iter().map(|group| group["count"].as_i64().unwrap()).collect()
}

async fn total(world: &World, query: &str) -> i64 {
    let answer = world.api().get(&format!("/dead-letters?{query}&limit=1")).await.assert(200).json;
    answer["total"]["value"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_a_group_is_shown_filtered_and_on_record() {
    let world = World::start().await;
    die(&world, &[("webshop", "Declined", 2), ("webshop", "Timeout", 1)], 3).await;
    let group = group_of(&world, "webshop", "Declined").await;
    let assigned = change(
        &world,
        &group,
        json!({"action": "assign", "assignee": " user:default/ada ", "note": "yours"}),
        200,
    )
    .await;
    assert_eq!(assigned["assignee"], "user:default/ada");
    let ticket = json!({"action": "link", "ticketUrl": "https://t.example/SHOP-1", "ticketKey": "SHOP-1"});
    let linked = change(&world, &group, ticket, 200).await;
    assert_eq!(linked["ticket"], json!({"url": "https://t.example/SHOP-1", "key": "SHOP-1"}));
    let listed = groups(&world, "assignee=user:default/ada").await;
    assert_eq!((listed.len(), &listed[0]["ticket"]["key"]), (1, &json!("SHOP-1")), "{listed:?}");
    assert_eq!(counts(&groups(&world, "assignee=none").await), [1]);
    assert_eq!(groups(&world, "assignee=user:default/bob").await.len(), 0);
    let log = world.api().get("/shift-log").await.assert(200).json["markdown"].as_str().unwrap().to_owned();
    for part in [
        "assigned to user:default/ada: ",
        "linked to SHOP-1 ",
        "new, assigned to user:default/ada, ticket SHOP-1",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }

    let bare = change(&world, &group, json!({"action": "unassign"}), 200).await;
    let bare = (bare["assignee"].clone(), change(&world, &group, json!({"action": "unlink"}), 200).await);
    assert_eq!((&bare.0, &bare.1["ticket"]), (&Value::Null, &Value::Null));
    let events = bare.1["events"].as_array().unwrap();
    let did: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(did, ["unlink", "unassign", "link", "assign"]);
    assert_eq!((&events[3]["assignee"], &events[3]["note"]), (&json!("user:default/ada"), &json!("yours")));
    let audit = world.api().get(&format!("/audit?errorGroup={group}")).await.assert(200).json;
    let audited: Vec<_> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(audited, did);

    for (wrong, part) in [
        (json!({"action": "assign"}), "is needed"),
        (json!({"action": "assign", "assignee": "me"}), "signed in"),
        (json!({"action": "assign", "assignee": "a\nb"}), "in one line"),
        (json!({"action": "resolve", "assignee": "ada"}), "is for `assign` only"),
        (json!({"action": "link", "ticketUrl": "javascript:alert(1)"}), "must begin with https://"),
        (json!({"action": "link", "ticketUrl": "https://ada:s3cret@t.example/"}), "must not have a user"),
        (json!({"action": "link"}), "is needed"),
        (json!({"action": "note", "note": "n", "ticketKey": "K"}), "is for `link` only"),
        (json!({"action": "merge"}), "is needed"),
        (json!({"action": "split", "groups": []}), "must be 1 to 100 ids"),
        (json!({"action": "mute", "mutedCount": 1, "groups": [id()]}), "is for `merge` and `split` only"),
    ] {
        let answer = change(&world, &group, wrong.clone(), 400).await.to_string();
        assert!(answer.contains(part) && !answer.contains("s3cret"), "{wrong}: {answer}");
    }
    world.api().get("/dead-letters/error-groups?assignee=me").await.assert(400);
}

/// Lists, counts, charts, filters, plans and operations see one group, and the text of an error still finds only its own.
#[tokio::test(flavor = "multi_thread")]
async fn merged_groups_are_one_group_everywhere() {
    let world = World::start().await;
    die(
        &world,
        &[
            ("webshop", "Declined", 5),
            ("webshop", "Timeout", 3),
            ("webshop", "Refused", 1),
            ("mailer", "Timeout", 2),
        ],
        11,
    )
    .await;
    let [declined, timeout, refused] = [
        group_of(&world, "webshop", "Declined").await,
        group_of(&world, "webshop", "Timeout").await,
        group_of(&world, "webshop", "Refused").await,
    ];
    change(&world, &timeout, json!({"action": "note", "note": "of the timeout"}), 200).await;
    let merge = json!({"action": "merge", "groups": [timeout, refused], "note": "the same issuer"});
    let merged = change(&world, &declined, merge.clone(), 200).await;
    assert_eq!((&merged["arrived"], merged["merged"].as_array().unwrap().len()), (&json!(9), 2), "{merged}");
    assert_eq!(merged["events"][0]["groups"].as_array().unwrap().len(), 2, "{merged}");
    assert_eq!(merged["events"].as_array().unwrap().len(), 2, "the note of a part, too: {merged}");
    assert_eq!(
        change(&world, &declined, merge, 200).await["events"].as_array().unwrap().len(),
        2,
        "nothing to do"
    );

    let found = groups(&world, "service=webshop").await;
    assert_eq!((counts(&found), found[0]["notes"].as_i64()), (vec![9], Some(2)), "{found:?}");
    assert_eq!(found[0]["sparkline"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum::<i64>(), 9);
    assert_eq!(found[0]["sample"]["errorGroup"], declined.as_str());
    assert_eq!(counts(&groups(&world, "service=webshop&minAttempt=1").await), [9], "counted row by row");
    for group in [&declined, &timeout, &refused] {
        for status in ["dead", "any"] {
            assert_eq!(total(&world, &format!("errorGroup={group}&status={status}")).await, 9);
        }
        assert_eq!(total(&world, &format!("errorGroup={group}&error=timeout")).await, 3);
        let one = world.api().get(&format!("/dead-letters/error-groups/{group}")).await.assert(200).json;
        assert_eq!(one["id"], declined.as_str(), "an old link leads to the whole");
    }
    assert_eq!(counts(&groups(&world, "error=timeout").await), [3, 2], "only what has the text");
    let letters =
        world.api().get(&format!("/dead-letters?errorGroup={timeout}&limit=50")).await.assert(200).json;
    let of: BTreeSet<_> = letters["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| letter["errorGroup"].to_string())
        .collect();
    assert_eq!(of, [format!("\"{declined}\"")].into());
    for query in ["", "&minAttempt=1"] {
        let chart = format!("/dead-letters/histogram?service=webshop&by=errorGroup{query}");
        let chart = world.api().get(&chart).await.assert(200).json;
        let text = chart.to_string();
        assert!(text.contains(&declined) && !text.contains(&timeout) && !text.contains(&refused), "{text}");
    }
    let facets = world.api().get("/dead-letters/facets?service=webshop&by=errorGroup").await.assert(200).json;
    assert!(facets.to_string().contains("\"count\":9"), "{facets}");
    let apart =
        world.api().get(&format!("/dead-letters/error-groups/{timeout}/distinctions")).await.assert(200).json;
    assert_eq!(apart["inside"]["total"]["value"], 9, "{apart}");
    assert_eq!(apart["outside"]["total"]["value"], 0, "{apart}");

    die(&world, &[("webshop", "Timeout", 1)], 12).await;
    assert_eq!(counts(&groups(&world, "service=webshop").await), [10], "new ones belong to it");
    let plan = json!({"kind": "delete", "filter": {"errorGroup": timeout}});
    let plan = world.api().post("/operations/plan", &plan).await.assert(201).json;
    assert_eq!(plan["total"], 10, "{plan}");
    assert_eq!(counts(plan["errorGroups"].as_array().unwrap()), [10], "{plan}");
    world.assert_counters_exact().await;

    let split = json!({"action": "split", "groups": [timeout]});
    change(&world, &declined, split.clone(), 200).await;
    assert_eq!(counts(&groups(&world, "service=webshop").await), [6, 4]);
    assert_eq!(total(&world, &format!("errorGroup={timeout}")).await, 4);
    let again = change(&world, &declined, split, 400).await;
    assert!(again.to_string().contains("is not merged into this group"), "{again}");
    let deleted = json!({"filter": {"errorGroup": refused}});
    world.api().delete("/dead-letters?wait=30", &deleted).await.assert(200);
    assert_eq!(
        counts(&groups(&world, "service=webshop").await),
        [4, 0],
        "the one that it is still part of is empty"
    );
    let operations = world.api().get(&format!("/operations?errorGroup={refused}")).await.assert(200).json;
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1, "{operations}");
    world.assert_counters_exact().await;
}

/// A chain of merges stays flat, in whatever directions they are asked for at once.
#[tokio::test(flavor = "multi_thread")]
async fn merges_in_opposite_directions_make_one_group() {
    let world = World::start().await;
    die(&world, &[("webshop", "A", 1), ("webshop", "B", 1), ("webshop", "C", 1)], 3).await;
    let [a, b, c] = [
        group_of(&world, "webshop", "A").await,
        group_of(&world, "webshop", "B").await,
        group_of(&world, "webshop", "C").await,
    ];
    for round in 0..10 {
        let merge = async |into: &str, other: &str| {
            change(&world, into, json!({"action": "merge", "groups": [other]}), 200).await
        };
        tokio::join!(merge(&a, &b), merge(&b, &c), merge(&c, &a), merge(&b, &a));
        let found = groups(&world, "").await;
        assert_eq!(counts(&found), [3], "round {round}: {found:?}");
        let whole = found[0]["id"].as_str().unwrap();
        let parts: Vec<_> = [&a, &b, &c].into_iter().filter(|id| *id != whole).collect();
        change(&world, whole, json!({"action": "split", "groups": parts}), 200).await;
        assert_eq!(counts(&groups(&world, "").await), [1, 1, 1], "round {round}");
    }
    world.assert_counters_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_groups_of_one_service_are_merged() {
    let world = World::start().await;
    die(&world, &[("webshop", "Declined", 1), ("mailer", "Declined", 1)], 2).await;
    let [shop, mail] =
        [group_of(&world, "webshop", "Declined").await, group_of(&world, "mailer", "Declined").await];
    let merge = |other: &str| json!({"action": "merge", "groups": [other]});
    let across = change(&world, &shop, merge(&mail), 400).await.to_string();
    assert!(across.contains("is an error of mailer, and this group one of webshop"), "{across}");
    let unknown = change(&world, &shop, merge(&id()), 400).await.to_string();
    assert!(unknown.contains("no error group has the id"), "{unknown}");
    change(&world, &id(), merge(&shop), 404).await;
    change(&world, &shop, merge(&shop), 200).await;
    assert_eq!(groups(&world, "").await.len(), 2);
}

/// A merge is loud if one of its parts is, does not end a mute by the arrivals of others, and a split keeps what was said of the whole.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_groups_holds_for_the_whole() {
    let world = World::start().await;
    die(&world, &[("webshop", "A", 2), ("webshop", "B", 5)], 7).await;
    let [a, b] = [group_of(&world, "webshop", "A").await, group_of(&world, "webshop", "B").await];
    change(&world, &b, json!({"action": "assign", "assignee": "ada"}), 200).await;
    change(&world, &a, json!({"action": "mute", "mutedCount": 3}), 200).await;
    let whole = change(&world, &a, json!({"action": "merge", "groups": [b]}), 200).await;
    assert_eq!((&whole["state"], &whole["assignee"]), (&json!("muted"), &json!("ada")), "{whole}");
    die(&world, &[("webshop", "B", 1)], 8).await;
    let split = change(&world, &a, json!({"action": "split", "groups": [b]}), 200).await;
    assert_eq!(split["state"], "muted");
    assert_eq!(split["mutedUpTo"], 2 + 2, "two more may come");
    let part = world.api().get(&format!("/dead-letters/error-groups/{b}")).await.assert(200).json;
    assert_eq!((&part["state"], &part["mutedUpTo"]), (&json!("muted"), &json!(6 + 2)), "{part}");
    die(&world, &[("webshop", "B", 2)], 10).await;
    let muted = async || {
        let overview = world.api().get("/dead-letters/squad-overview").await.assert(200).json;
        overview[0]["muted"].as_i64().unwrap()
    };
    until_eq("the overview knows what is muted", 2, muted).await;
    change(&world, &a, json!({"action": "resolve"}), 200).await;
    let whole = change(&world, &a, json!({"action": "merge", "groups": [b]}), 200).await;
    assert_eq!(whole["resolvedAt"], Value::Null, "a part is not resolved");
}
