//! Operations on many dead letters begin when a second person approves them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{Access, new_token};
use crate::bank::Client;
use crate::support::{DeadMessage, World, id, until_eq};

const POLICY: &str = "
grants:
  - {to: ['token:ada', 'token:ben', 'token:cleo'], on: everything, may: [everything]}
  - {to: ['token:dora'], on: everything, may: [read]}
second-person: {above: 2, approved-by: ['token:ada', 'token:ben', 'token:dora']}
";

/// The service, and a token for each caller.
async fn open() -> (World, Access, [String; 4]) {
    let access = Access::new(POLICY);
    let made = ["ada", "ben", "cleo", "dora"].map(new_token);
    access.know(&made.iter().map(|(_, entry)| entry.as_str()).collect::<Vec<_>>());
    let world = World::start_with(&access.settings()).await;
    for _ in 0..6 {
        world.publish(DeadMessage::new(&id(), "work_pay").error("E", "it failed")).await;
    }
    world.until_stored(6).await;
    (world, access, made.map(|(token, _)| token))
}

fn refused(problem: &Value, says: &str) {
    assert_eq!(problem["type"], "not-allowed", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_operation_begins_when_somebody_else_approves_it() {
    let (world, _access, tokens) = open().await;
    let [ada, ben, cleo, dora] = tokens.each_ref().map(|token| Client { world: &world, token });
    let letters = ada.ids("service=pay").await;

    let small = ada.delete(json!({"ids": letters[..2]})).await.assert(200).json;
    assert_eq!((&small["state"], &small["awaitsApproval"]), (&json!("completed"), &json!(false)));

    let plan = json!({"kind": "delete", "filter": {"service": "pay"}});
    let plan = ada.post("/operations/plan", plan).await.assert(201).json;
    let noted = plan["warnings"].as_array().unwrap().iter().any(|one| one["code"] == "needs_approval");
    assert!(noted, "{plan}");
    let large = ada.post("/operations?wait=30", json!({"planId": plan["id"]})).await.assert(202).json;
    assert_eq!((&large["state"], &large["awaitsApproval"]), (&json!("paused"), &json!(true)), "{large}");
    assert_eq!(large["verdictText"], "Waits for a second person to approve 4 messages.");
    let path = format!("/operations/{}", large["id"].as_str().unwrap());
    let resume = format!("{path}/resume");

    refused(&ada.post(&resume, json!({})).await.assert(403).json, "somebody else has to approve it");
    refused(&cleo.post(&resume, json!({})).await.assert(403).json, "does not name you");
    refused(&dora.post(&resume, json!({})).await.assert(403).json, "This needs the permission `redeliver`");
    // A rate and another pause do not let it begin.
    let change = world.api().request(Method::PATCH, &path).json(&json!({"rate": 10}));
    ada.send(change).await.assert(200);
    ada.post(&format!("{path}/pause"), json!({})).await.assert(200);
    let waits = ada.get(&path).await.assert(200).json;
    assert_eq!(
        (&waits["awaitsApproval"], &waits["remaining"]),
        (&json!(true), &json!(4)),
        "nobody has approved it: {waits}"
    );
    assert_eq!(ada.ids("service=pay").await.len(), 4);

    let approved = ben.post(&resume, json!({})).await.assert(200).json;
    assert_eq!(approved["awaitsApproval"], false, "{approved}");
    let ended = ben.send(world.api().request(Method::GET, &format!("{path}/events"))).await;
    assert!(String::from_utf8_lossy(&ended.bytes).contains("completed"));
    let ended = ada.get(&path).await.assert(200).json;
    assert_eq!((&ended["outcomes"]["deleted"], &ended["requestedBy"]), (&json!(4), &json!("token:ada")));
    let by: Vec<_> =
        ended["events"].as_array().unwrap().iter().map(|one| (&one["action"], &one["by"])).collect();
    assert_eq!(by.last(), Some(&(&json!("approve"), &json!("token:ben"))));
    let audit = ben.get("/audit?action=approve").await.assert(200).json;
    assert_eq!(audit["entries"][0]["actor"]["id"], "token:ben", "{audit}");
    assert_eq!(audit["entries"][0]["operationId"], large["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_can_be_cancelled_and_what_restores_needs_nobody() {
    let (world, _access, tokens) = open().await;
    let [ada, ben, ..] = tokens.each_ref().map(|token| Client { world: &world, token });
    let everything = json!({"filter": {"service": "pay"}});
    let waits = ada.delete(everything.clone()).await.assert(202).json;
    let path = format!("/operations/{}", waits["id"].as_str().unwrap());
    let cancelled = ada.post(&format!("{path}/cancel"), json!({})).await.assert(200).json;
    assert_eq!(cancelled["awaitsApproval"], false);
    until_eq("its state", json!("cancelled"), async || ada.get(&path).await.json["state"].clone()).await;
    assert_eq!(ada.ids("service=pay").await.len(), 6);

    let again = ada.delete(everything).await.assert(202).json;
    let again = again["id"].as_str().unwrap().to_owned();
    ben.post(&format!("/operations/{again}/resume"), json!({})).await.assert(200);
    until_eq("what is left", 0, async || ada.ids("service=pay").await.len()).await;
    let restored =
        ada.post("/dead-letters/restore?wait=30", json!({"deletedBy": again})).await.assert(200).json;
    assert_eq!(restored["outcomes"]["restored"], 6, "{restored}");
}
