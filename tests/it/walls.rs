//! R17: two squads with the same dead letters, and neither learns anything of the other's.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::bank::{Bank, Client, POLICY, string};
use crate::support::api::Answer;
use crate::support::{id, until};

/// Queries that find each twin.
const SEARCHES: [&str; 17] = [
    "",
    "status=any",
    "messageId=twin-1",
    "status=any&messageId=twin-1",
    "error=declined",
    "error=4711",
    "contains=4711",
    "find=twin-1",
    "find=declined",
    "find=acme",
    "header.tenant=acme",
    "body.order.id=4711",
    "reason=rejected",
    "minAttempt=1",
    "convention=native",
    "order=oldest&limit=1",
    "status=any&contains=4711&limit=2",
];

/// A time that has all of it.
const SHIFT: &str = "since=2026-01-01T00:00:00Z&until=2999-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn twins_do_not_see_each_other() {
    let bank = Bank::open().await;
    let (payer, lender, admin) =
        (bank.client(&bank.payer), bank.client(&bank.lender), bank.client(&bank.admin));
    let ids = |answer: &Value| -> BTreeSet<String> {
        answer["messages"].as_array().unwrap().iter().map(|letter| string(&letter["id"])).collect()
    };
    let foreign: BTreeSet<_> = admin.ids("service=loan").await.into_iter().collect();
    let own: BTreeSet<_> = admin.ids("service=pay").await.into_iter().collect();
    assert_eq!((own.len(), foreign.len()), (3, 3));
    for search in SEARCHES {
        let both = admin.get(&format!("/dead-letters?{search}&limit=50")).await;
        let mine = payer.get(&format!("/dead-letters?{search}")).await.assert(200);
        assert!(!String::from_utf8_lossy(&mine.bytes).contains("loan"), "{search}: {}", mine.json);
        assert!(ids(&mine.json).is_subset(&own) && !ids(&mine.json).is_empty(), "{search}: {}", mine.json);
        let theirs = lender.get(&format!("/dead-letters?{search}")).await.assert(200);
        assert!(ids(&theirs.json).is_subset(&foreign), "{search}");
        assert_eq!(mine.json["total"], theirs.json["total"], "{search}");
        assert_eq!(mine.json["foundAs"], theirs.json["foundAs"], "{search}");
        if both.status == 200 && !search.contains("limit") {
            let all = both.json["total"]["value"].as_i64().unwrap();
            assert!(all > mine.json["total"]["value"].as_i64().unwrap(), "{search} is about both");
        }
        for page in ["/dead-letters/error-groups?", "/dead-letters/histogram?by=service&"] {
            let query = search.replace("order=oldest&limit=1", "").replace("&limit=2", "");
            let answer = payer.get(&format!("{page}{query}")).await.assert(200);
            assert!(
                !String::from_utf8_lossy(&answer.bytes).contains("loan"),
                "{page}{query}: {}",
                answer.json
            );
        }
    }
    // A cursor leads through one's own.
    let first = payer.get("/dead-letters?limit=2").await.assert(200).json;
    let next = payer.get(&format!("/dead-letters?limit=2&cursor={}", string(&first["nextCursor"]))).await;
    assert_eq!(ids(&first).union(&ids(&next.assert(200).json)).cloned().collect::<BTreeSet<_>>(), own);
    for overview in ["squad-overview", "service-overview"] {
        let mine = payer.get(&format!("/dead-letters/{overview}")).await.assert(200);
        assert_eq!(mine.json.as_array().unwrap().len(), 1, "{}", mine.json);
        assert!(!String::from_utf8_lossy(&mine.bytes).contains("loan"), "{}", mine.json);
    }
}

/// What others were told is not told: neither what they did, nor how much they have.
#[tokio::test(flavor = "multi_thread")]
async fn a_shift_log_has_ones_own_only() {
    let bank = Bank::open().await;
    let (payer, lender, admin) =
        (bank.client(&bank.payer), bank.client(&bank.lender), bank.client(&bank.admin));
    for service in ["pay", "loan"] {
        let letter =
            admin.get(&format!("/dead-letters?service={service}")).await.assert(200).json["messages"][0]
                .clone();
        let path = format!("/dead-letters/error-groups/{}", string(&letter["errorGroup"]));
        let note = json!({"action": "note", "note": format!("of {service}")});
        admin.send(bank.world.api().request(Method::PATCH, &path).json(&note)).await.assert(200);
    }
    admin.delete(json!({"filter": {"service": "loan"}})).await.assert(200);
    for (client, own, foreign, operations) in [(payer, "pay", "loan", 0), (lender, "loan", "pay", 1)] {
        let log = client.get(&format!("/shift-log?{SHIFT}")).await.assert(200);
        let text = String::from_utf8_lossy(&log.bytes).into_owned();
        assert!(text.contains(&format!("of {own}")) && !text.contains(&format!("of {foreign}")), "{text}");
        assert_eq!(log.json["arrived"], 3);
        let counts =
            ["newGroups", "triage", "operations"].map(|list| log.json[list].as_array().unwrap().len());
        assert_eq!(counts, [1, 1, operations], "{text}");
    }
}

/// The answer for what is foreign is that for what is not there, but for the name that was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_things_do_not_exist() {
    let bank = Bank::open().await;
    let (payer, admin) = (bank.client(&bank.payer), bank.client(&bank.admin));
    let letter = admin.get("/dead-letters?service=loan").await.assert(200).json["messages"][0].clone();
    let plan = json!({"kind": "delete", "filter": {"service": "loan"}});
    let plan = string(&admin.post("/operations/plan", plan).await.assert(201).json["id"]);
    let deletion = admin.delete(json!({"ids": [letter["id"]], "idempotencyKey": "loans"})).await;
    let operation = string(&deletion.assert(200).json["id"]);
    let (letter, group) = (string(&letter["id"]), string(&letter["errorGroup"]));

    let mut pairs = vec![
        ("/dead-letters?service=@".to_owned(), "loan".to_owned(), "nothing".to_owned()),
        ("/dead-letters?status=any&service=@".to_owned(), "loan".to_owned(), "nothing".to_owned()),
        ("/dead-letters?squad=@".to_owned(), "loans".to_owned(), "nothing".to_owned()),
        ("/dead-letters?squad=payments&service=@".to_owned(), "loan".to_owned(), "nothing".to_owned()),
        ("/dead-letters?squad=loans&service=@".to_owned(), "loan".to_owned(), "nothing".to_owned()),
        ("/dead-letters?find=@".to_owned(), letter.clone(), id()),
        ("/dead-letters?status=any&find=@".to_owned(), operation.clone(), id()),
        ("/dead-letters?status=any&errorGroup=@".to_owned(), group.clone(), id()),
        ("/dead-letters/error-groups?squad=@".to_owned(), "loans".to_owned(), "nothing".to_owned()),
        (
            "/dead-letters/histogram?from=2026-01-01T00:00:00Z&interval=1d&service=@".to_owned(),
            "loan".to_owned(),
            "nothing".to_owned(),
        ),
        ("/dead-letters/service-overview?squad=@".to_owned(), "loans".to_owned(), "nothing".to_owned()),
        ("/operations?service=@".to_owned(), "loan".to_owned(), "nothing".to_owned()),
        ("/operations?squad=@".to_owned(), "loans".to_owned(), "nothing".to_owned()),
        ("/operations?errorGroup=@".to_owned(), group.clone(), id()),
        (format!("/shift-log?{SHIFT}&service=@"), "loan".to_owned(), "nothing".to_owned()),
        (format!("/shift-log?{SHIFT}&squad=@"), "loans".to_owned(), "nothing".to_owned()),
        ("/dead-letters?squad=@".to_owned(), "unowned".to_owned(), "nothing".to_owned()),
    ];
    for path in ["/dead-letters/@", "/dead-letters/@/body"] {
        pairs.push((path.to_owned(), letter.clone(), id()));
    }
    pairs.push(("/dead-letters/error-groups/@".to_owned(), group.clone(), id()));
    pairs.push(("/operations/plan/@".to_owned(), plan.clone(), id()));
    for path in ["/operations/@", "/operations/@/items", "/operations/@/events"] {
        pairs.push((path.to_owned(), operation.clone(), id()));
    }
    for (path, foreign, missing) in pairs {
        let asked = async |name: &str| payer.get(&path.replace('@', name)).await;
        let (got, expected) = (asked(&foreign).await, asked(&missing).await);
        assert_same(&got, &expected, (&foreign, &missing), &path);
        let known = admin.get(&path.replace('@', &foreign)).await;
        assert_ne!(known.bytes, got.bytes, "{path} tells the administrator of it");
    }

    // Nor can it be acted on.
    for verb in ["pause", "resume", "cancel"] {
        payer.post(&format!("/operations/{operation}/{verb}"), json!({})).await.assert(404);
    }
    payer.post("/operations", json!({"planId": plan})).await.assert(404);
    let path = format!("/dead-letters/error-groups/{group}");
    let change = bank.world.api().request(Method::PATCH, &path).json(&json!({"action": "resolve"}));
    payer.send(change).await.assert(404);
    let restored =
        payer.post("/dead-letters/restore?wait=30", json!({"deletedBy": operation})).await.assert(200);
    assert_eq!(restored.json["total"], 0, "{}", restored.json);
    // The key is another's.
    let own = payer.ids("").await;
    let deleted = payer.delete(json!({"ids": [own[0]], "idempotencyKey": "loans"})).await.assert(200).json;
    assert_eq!(deleted["outcomes"]["deleted"], 1);
    assert_eq!(deleted["requestedBy"], "token:payer");
}

fn assert_same(got: &Answer, expected: &Answer, (foreign, missing): (&str, &str), what: &str) {
    let text = |answer: &Answer, name: &str| String::from_utf8_lossy(&answer.bytes).replace(name, "NAME");
    assert_eq!(got.status, expected.status, "{what} of {foreign}");
    assert_eq!(text(got, foreign), text(expected, missing), "{what} of {foreign}");
}

/// Of an operation on both squads' dead letters each sees its part.
#[tokio::test(flavor = "multi_thread")]
async fn each_sees_its_part_of_an_operation() {
    let bank = Bank::open().await;
    let (payer, lender, admin) =
        (bank.client(&bank.payer), bank.client(&bank.lender), bank.client(&bank.admin));
    let all =
        admin.delete(json!({"filter": {"error": "declined"}, "note": "of no use"})).await.assert(200).json;
    assert_eq!(all["outcomes"]["deleted"], 6);
    let operation = string(&all["id"]);
    for (client, service) in [(payer, "pay"), (lender, "loan")] {
        let listed = client.get("/operations").await.assert(200).json["operations"].clone();
        let shown = client.get(&format!("/operations/{operation}")).await.assert(200).json;
        for part in [&listed[0], &shown] {
            assert_eq!((&part["total"], &part["outcomes"]["deleted"]), (&json!(3), &json!(3)), "{part}");
            assert_eq!(part["services"], json!([service]));
            assert_eq!((&part["selection"], &part["note"]), (&json!({}), &json!("of no use")));
        }
        let items = client.get(&format!("/operations/{operation}/items?limit=2")).await.assert(200).json;
        let more = string(&items["nextCursor"]);
        let more =
            client.get(&format!("/operations/{operation}/items?limit=2&cursor={more}")).await.assert(200);
        let items: BTreeSet<_> = [&items, &more.json]
            .iter()
            .flat_map(|page| page["items"].as_array().unwrap())
            .map(|item| string(&item["deadLetterId"]))
            .collect();
        let own: BTreeSet<_> = client.ids("status=deleted").await.into_iter().collect();
        assert_eq!((items.len(), &items), (3, &own));
        let cancelled = client.post(&format!("/operations/{operation}/cancel"), json!({})).await.assert(403);
        assert_eq!(cancelled.json["type"], "not-allowed");
        // Only one's own come back.
        let restored = client.post("/dead-letters/restore?wait=30", json!({"deletedBy": operation})).await;
        assert_eq!(restored.assert(200).json["outcomes"]["restored"], 3);
    }
    assert_eq!(admin.ids("error=declined").await.len(), 6);
}

/// Acts reach one's own dead letters only, however they are selected.
#[tokio::test(flavor = "multi_thread")]
async fn acts_stay_within_the_scope() {
    let bank = Bank::open().await;
    let (payer, admin) = (bank.client(&bank.payer), bank.client(&bank.admin));
    let foreign = admin.ids("service=loan").await;
    // An empty filter is refused to them as to everybody.
    payer.delete(json!({"filter": {}})).await.assert(400);
    payer.delete(json!({})).await.assert(400);
    let plan = payer.post("/operations/plan", json!({"kind": "delete", "all": true})).await.assert(201).json;
    assert_eq!((&plan["total"], plan["services"].as_array().unwrap().len()), (&json!(3), 1), "{plan}");
    let preview = json!({"kind": "redeliver", "ids": foreign});
    let preview = payer.post("/operations/preview", preview).await.assert(200).json;
    assert_eq!((&preview["total"], &preview["samples"]), (&json!(0), &json!([])));

    let own = payer.ids("messageId=twin-0").await;
    let mixed: Vec<_> = foreign.iter().chain(&own).collect();
    let copied = json!({"ids": mixed, "copy": true, "to": {"exchange": "", "routingKey": "x"}});
    let copied = payer.post("/dead-letters/redeliver?wait=30", copied).await.assert(200).json;
    assert_eq!(
        (&copied["outcomes"]["skipped"], &copied["outcomes"]["refused"]),
        (&json!(3), &json!(1)),
        "{copied}"
    );
    let mixed = payer.delete(json!({"ids": mixed})).await.assert(200).json;
    assert_eq!((&mixed["outcomes"]["deleted"], &mixed["outcomes"]["skipped"]), (&json!(1), &json!(3)));
    let path = format!("/operations/{}/items?outcome=skipped", string(&mixed["id"]));
    let skipped = payer.get(&path).await.assert(200).json["items"].clone();
    for item in skipped.as_array().unwrap() {
        assert_eq!(item["detail"], "No longer stored, or never was");
    }
    let rest = payer.delete(json!({"all": true})).await.assert(200).json;
    assert_eq!(rest["total"], 2, "{rest}");
    assert_eq!(admin.ids("").await.len(), 4, "three loans and one that is nobody's");

    // The plan is run by somebody whose rights have shrunk since.
    bank.access.grant(&POLICY.replace("on: own", "on: {services: [loan]}"));
    until("the policy is read again", || async { payer.ids("").await.contains(&foreign[0]).then_some(()) })
        .await;
    let ran = payer.post("/operations?wait=30", json!({"planId": plan["id"]})).await.assert(200).json;
    assert_eq!((&ran["total"], &ran["outcomes"]["skipped"]), (&json!(3), &json!(3)), "{ran}");
}

/// A group of another squad cannot be merged, and is answered as one that is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn groups_of_others_are_unknown_to_a_merge() {
    let bank = Bank::open().await;
    let (payer, lender) = (bank.client(&bank.payer), bank.client(&bank.lender));
    let group = async |client: &Client<'_>| {
        let groups = client.get("/dead-letters/error-groups").await.assert(200).json;
        string(&groups["groups"][0]["id"])
    };
    let (mine, theirs, unknown) = (group(&payer).await, group(&lender).await, id());
    let change = async |change: Value| {
        let path = format!("/dead-letters/error-groups/{mine}");
        payer.send(bank.world.api().request(Method::PATCH, &path).json(&change)).await
    };
    for action in ["merge", "split"] {
        let of = async |other: &str| {
            let answer = change(json!({"action": action, "groups": [other]})).await.assert(400);
            String::from_utf8_lossy(&answer.bytes).replace(other, "@")
        };
        assert_eq!(of(&theirs).await, of(&unknown).await);
    }
    let assigned = change(json!({"action": "assign", "assignee": "me"})).await.assert(200).json;
    let me = payer.get("/me").await.assert(200).json;
    assert_eq!(assigned["assignee"], me["name"]);
    let of_mine = payer.get("/dead-letters/error-groups?assignee=me").await.assert(200).json;
    assert_eq!(of_mine["total"], 1, "{of_mine}");
    assert_eq!(lender.get("/dead-letters/error-groups?assignee=me").await.assert(200).json["total"], 0);
}
