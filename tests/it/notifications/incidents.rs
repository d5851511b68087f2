//! What is an incident, once, and when it is over.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::Told;
use crate::support::{DeadMessage, id, until};

/// Dead letters of the crowd; `NOTIFICATIONS_LETTERS` says another number.
const LETTERS: usize = 600;

fn letters() -> usize {
    std::env::var("NOTIFICATIONS_LETTERS").ok().and_then(|number| number.parse().ok()).unwrap_or(LETTERS)
}

async fn change(told: &Told, group: &str, action: &str) {
    let path = format!("/dead-letters/error-groups/{group}");
    let change = json!({ "action": action, "note": "known" });
    let request = told.world.api().request(Method::PATCH, &path).json(&change);
    told.world.api().send(request).await.assert(200);
}

/// Three bugs in ten services of a squad are three incidents, however many letters there are and however many replicas look.
#[tokio::test(flavor = "multi_thread")]
async fn three_bugs_in_ten_services_are_three_incidents() {
    let told = Told::start().await;
    let replica = told.replica();
    replica.until_ready().await;
    let number = letters();
    let message = |number: usize| {
        let (bug, service) = (["Declined", "Timeout", "NotFound"][number % 3], number / 3 % 10);
        let message = DeadMessage::new(&id(), &format!("work_service{service}"));
        message.error(bug, &format!("{bug} for customer {number}"))
    };
    told.world.broker.publish_all(&told.world.source.name, (0..number).map(message)).await;
    told.world.until_stored(number as i64).await;
    let got = told.receiver.until_confirmed("/hook", 3).await;
    for got in &got {
        got.assert_signed();
        assert_eq!(got.json["type"], "incident.opened");
        assert_eq!(got.json["data"]["squad"], "shop");
        assert!(got.json["data"]["link"].as_str().unwrap().contains("/console/group?id="), "{}", got.json);
    }
    told.until_looked_twice().await;
    assert_eq!(told.receiver.all().len(), 3, "nothing more is told");
    let incidents = told.incidents("state=open").await;
    assert_eq!(incidents.len(), 3, "{incidents:?}");
    let dead: i64 = incidents.iter().map(|incident| incident["dead"].as_i64().unwrap()).sum();
    assert_eq!(dead, number as i64, "each letter is of one incident");
    for incident in &incidents {
        assert_eq!(incident["kind"], "newErrorGroup");
        assert_eq!(incident["services"].as_array().unwrap().len(), 10, "{incident}");
    }
}

/// Resolved by itself when its groups are, and told again when the error comes back.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_over_by_itself_and_opens_again() {
    let told = Told::start().await;
    told.dies("webshop", "Declined").await;
    let opened = told.incident("newErrorGroup", "open").await;
    let group = opened["errorGroups"][0].as_str().unwrap();
    change(&told, group, "resolve").await;
    let over = told.incident("newErrorGroup", "resolved").await;
    assert_eq!(over["resolution"], "marked as resolved");
    let got = told.receiver.until_confirmed("/hook", 2).await;
    assert_eq!(got[1].about(), (opened["id"].as_str().unwrap().to_owned(), "incident.resolved".to_owned()));
    got[1].assert_signed();

    told.dies("webshop", "Declined").await;
    let back = told.incident("regressedErrorGroup", "open").await;
    assert_ne!(back["id"], opened["id"]);
    // Emptied: nobody has to mark anything.
    let all = json!({"filter": {"service": "webshop"}});
    told.world.api().delete("/dead-letters?wait=30", &all).await.assert(200);
    let over = told.incident("regressedErrorGroup", "resolved").await;
    assert_eq!(over["resolution"], "no dead letters are left");
    let got = told.receiver.until_confirmed("/hook", 4).await;
    let ids: BTreeSet<_> = got.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 4);
}

/// Whoever acts on a group has triaged its incident.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_acts_on_is_measured() {
    let told = Told::start().await;
    let untriaged = || told.world.service.metric("dead_letter_squad_untriaged_seconds{squad=\"shop\"}");
    let waits = || async { (untriaged().await >= 1.0).then_some(()) };
    let is_triaged = || async { (untriaged().await < 1.0).then_some(()) };
    let open = || async { told.incidents("state=open").await.len() };

    told.dies("webshop", "Declined").await;
    told.dies("webshop", "Declined").await;
    until("it waits for somebody", waits).await;
    let one = told.world.api().all("service=webshop", 1).await[0]["id"].clone();
    told.world.api().delete("/dead-letters?wait=30", &json!({ "ids": [one] })).await.assert(200);
    until("an operation is somebody's act", is_triaged).await;
    assert_eq!(open().await, 1, "the other one is still dead");

    told.dies("webshop", "Refused").await;
    until("another error waits for somebody", waits).await;
    let groups = told.get("/dead-letters/error-groups?service=webshop").await;
    let [whole, part] = [0, 1].map(|number| groups["groups"][number]["id"].as_str().unwrap());
    change(&told, part, "note").await;
    change(&told, whole, "note").await;
    until("a note is somebody's act", is_triaged).await;
    assert_eq!(open().await, 2);

    // Whatever is done with the whole is done with its parts.
    told.dies("webshop", "Lost").await;
    until("a third error waits for somebody", waits).await;
    let groups = told.get("/dead-letters/error-groups?service=webshop").await;
    let lost =
        groups["groups"].as_array().unwrap().iter().find(|group| group["errorType"] == "Lost").unwrap();
    let merge = json!({"action": "merge", "groups": [lost["id"]]});
    let path = format!("/dead-letters/error-groups/{whole}");
    let request = told.world.api().request(Method::PATCH, &path).json(&merge);
    told.world.api().send(request).await.assert(200);
    until("to merge it is somebody's act", is_triaged).await;
}

/// What dies of a merged error belongs to the whole: it opens nothing while an incident of the whole is open, and one thereafter. To split
/// a group off is no news.
#[tokio::test(flavor = "multi_thread")]
async fn a_merged_group_is_told_as_one() {
    let told = Told::start().await;
    told.dies("webshop", "Declined").await;
    let first = told.incident("newErrorGroup", "open").await;
    let whole = first["errorGroups"][0].as_str().unwrap();
    told.dies("webshop", "Timeout").await;
    until("two incidents", async || (told.incidents("state=open").await.len() == 2).then_some(())).await;
    let open = told.incidents("state=open").await;
    let other = open.iter().find(|incident| incident["id"] != first["id"]).unwrap()["id"].as_str().unwrap();
    let other = told.world.api().get(&format!("/incidents/{other}")).await.assert(200).json;
    let part = other["errorGroups"][0].as_str().unwrap();
    let patch = async |change: serde_json::Value| {
        let path = format!("/dead-letters/error-groups/{whole}");
        let request = told.world.api().request(Method::PATCH, &path).json(&change);
        told.world.api().send(request).await.assert(200);
    };
    patch(json!({"action": "merge", "groups": [part]})).await;
    patch(json!({"action": "assign", "assignee": "user:default/ada"})).await;
    told.dies("webshop", "Timeout").await;
    told.until_looked_twice().await;
    assert_eq!(told.incidents("").await.len(), 2, "it is known");
    change(&told, whole, "resolve").await;
    until("both are over", async || told.incidents("state=open").await.is_empty().then_some(())).await;
    told.dies("webshop", "Timeout").await;
    let back = told.incident("regressedErrorGroup", "open").await;
    assert_eq!(back["errorGroups"], json!([whole]));
    assert!(back["text"].as_str().unwrap().contains("Assigned to user:default/ada."), "{back}");
    patch(json!({"action": "split", "groups": [part]})).await;
    told.until_looked_twice().await;
    assert_eq!(told.incidents("").await.len(), 3, "nothing new has happened");
}

/// Each squad is told of its own services, also of the same bug.
#[tokio::test(flavor = "multi_thread")]
async fn a_bug_in_services_of_two_squads_is_told_to_both() {
    let told =
        Told::with("routes:\n  - {squads: [post], channels: [other]}\n  - {channels: [hook]}\n", &[]).await;
    told.dies("mail", "Declined").await;
    told.dies("webshop", "Declined").await;
    let squad = |got: &super::receiver::Got| got.json["data"]["squad"].as_str().unwrap().to_owned();
    assert_eq!(squad(&told.receiver.until_confirmed("/other", 1).await[0]), "post");
    assert_eq!(squad(&told.receiver.until_confirmed("/hook", 1).await[0]), "shop");
    assert_eq!(told.incidents("squad=post").await.len(), 1);
}

/// What was dead before incidents were looked for is no news, but its growth is.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_error_escalates_above_its_own_week() {
    let told = Told::start().await;
    told.dies("loan", "Old").await;
    told.incident("newErrorGroup", "open").await;
    // As after three days with 15 an hour.
    told.sql(
        "UPDATE error_group SET first_seen = now() - interval '3 days'; \
         UPDATE incident SET opened_at = now() - interval '3 days'; \
         INSERT INTO error_group_interval (error_group, start, dead) \
             SELECT id, date_trunc('hour', now()) - make_interval(hours => h), 15 \
             FROM error_group, generate_series(2, 60) AS h",
    )
    .await;
    // Below twice its busiest hour.
    for _ in 0..24 {
        told.dies("loan", "Old").await;
    }
    told.until_looked_twice().await;
    assert_eq!(told.incidents("kind=escalatingErrorGroup").await.len(), 0);
    for _ in 0..10 {
        told.dies("loan", "Old").await;
    }
    let opened = told.incident("escalatingErrorGroup", "open").await;
    assert_eq!((&opened["squad"], &opened["severity"]), (&json!("bank"), &json!("critical")));
    assert!(opened["text"].as_str().unwrap().contains("at most 30 of this error were expected"), "{opened}");
    told.let_hours_pass().await;
    let over = told.incident("escalatingErrorGroup", "resolved").await;
    assert_eq!(over["resolution"], "it occurs as rarely as before");
}

/// Six known errors, none of which escalates, together do.
#[tokio::test(flavor = "multi_thread")]
async fn a_squad_is_told_of_what_grows_everywhere() {
    let told = Told::start().await;
    let errors = ["A", "B", "C", "D", "E", "F"].map(|letter| format!("Old{letter}"));
    for error in &errors {
        told.dies("webshop", error).await;
    }
    told.world.until_stored(6).await;
    told.receiver.until_confirmed("/hook", 6).await;
    told.sql(
        "UPDATE error_group SET first_seen = now() - interval '3 days'; \
         UPDATE incident SET opened_at = now() - interval '3 days', resolved_at = now() + interval '1 minute'",
    )
    .await;
    for error in &errors {
        for _ in 0..18 {
            told.dies("webshop", error).await;
        }
    }
    let opened = told.incident("squadGrowth", "open").await;
    assert_eq!(opened["services"], json!(["webshop"]));
    assert_eq!(told.incidents("kind=escalatingErrorGroup").await.len(), 0);
    told.let_hours_pass().await;
    assert_eq!(told.incident("squadGrowth", "resolved").await["resolution"], "as few arrive as before");
}

/// A canary that stops an operation, and one that ends with refusals.
#[tokio::test(flavor = "multi_thread")]
async fn operations_in_trouble_are_told() {
    let told =
        Told::with("routes:\n  - {kinds: [operation-paused, operation-failed], channels: [hook]}\n", &[])
            .await;
    for _ in 0..2 {
        // There is no such queue, so each redelivery is refused.
        told.dies("webshop", "Declined").await;
    }
    told.world.until_stored(2).await;
    let filter = json!({"service": "webshop"});
    let request = json!({"filter": filter, "canary": [1], "canaryWait": 1});
    let operation = told.world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    let operation = operation["id"].as_str().unwrap();
    let paused = told.incident("operationPaused", "open").await;
    assert_eq!(paused["operationId"], operation);
    told.world.api().post(&format!("/operations/{operation}/cancel"), &json!({})).await.assert(200);
    let over = told.incident("operationPaused", "resolved").await;
    assert_eq!(over["resolution"], "the operation was resumed or cancelled");

    told.world.api().post("/dead-letters/redeliver?wait=30", &json!({ "filter": filter })).await.assert(200);
    let failed = told.incident("operationFailed", "open").await;
    assert!(failed["text"].as_str().unwrap().contains("2 were refused of 2"), "{failed}");
    told.world.api().delete("/dead-letters?wait=30", &json!({ "filter": filter })).await.assert(200);
    let over = told.incident("operationFailed", "resolved").await;
    assert_eq!(over["resolution"], "none of the failed messages is dead any longer");
    assert_eq!(told.receiver.until_confirmed("/hook", 4).await.len(), 4);
}

/// A source that nobody can consume.
#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_told_of_a_source_that_lags() {
    let lag = "platform: plumbers\nsource-lag: {messages: 1000, after: 6s}\nroutes:\n  - {squads: [plumbers], channels: [hook]}\n";
    let told = Told::with(lag, &[]).await;
    let source = told.world.source.name.clone();
    told.until_looked_twice().await;
    told.world.broker.delete_queue(&source).await;
    let opened = told.incident("sourceLag", "open").await;
    assert!(opened["title"].as_str().unwrap().contains(&source), "{opened}");
    assert_eq!(opened["squad"], "plumbers");
    let arguments =
        if told.world.broker.major() >= 4 { vec![("x-delivery-limit", (-1).into())] } else { vec![] };
    let _again = told.world.broker.declare_queue(&source, &arguments).await;
    told.incident("sourceLag", "resolved").await;
    until("both are told", || async { (told.receiver.confirmed("/hook").len() == 2).then_some(()) }).await;
}
