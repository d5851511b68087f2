//! Deployments are told, error groups know them, and a gate stops bad ones.

mod gate;
mod versions;

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::{Access, new_token};
use crate::bank::Bank;
use crate::cli::client_of;
use crate::support::World;

/// A time so many seconds ago, as a request has it.
fn ago(seconds: i64) -> DateTime<Utc> {
    clock::now() - TimeDelta::seconds(seconds)
}

async fn tell(world: &World, deployment: Value) -> (StatusCode, Value) {
    let answer = world.api().post("/deployments", &deployment).await;
    (answer.status, answer.json)
}

/// A retry of continuous integration changes nothing; what it lacked is added; each change is on record.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_told_once_however_often() {
    let access = Access::to_everyone();
    let (token, entry) = new_token("ci");
    access.know(&[&entry]);
    let world = World::start_with(&access.settings()).await;
    let tell = async |deployment: Value| {
        let request = world.api().request(Method::POST, "/deployments").bearer_auth(&token);
        let answer = world.api().send(request.json(&deployment)).await;
        (answer.status.as_u16(), answer.json)
    };
    let get = async |path: &str| {
        world.api().send(world.api().request(Method::GET, path).bearer_auth(&token)).await.assert(200).json
    };
    let (status, first) = tell(json!({"service": "webshop", "version": "1.42", "commit": "9f2c1ab"})).await;
    assert_eq!((status, &first["toldBy"], &first["commit"]), (201, &json!("token:ci"), &json!("9f2c1ab")));
    assert!(first["finishedAt"].is_null() && first["environment"].is_null(), "{first}");
    // Without a time, and with the one that it has.
    for again in [
        json!({"service": "webshop", "version": "1.42"}),
        json!({"service": "webshop", "version": "1.42", "commit": "other", "startedAt": first["startedAt"]}),
    ] {
        assert_eq!(tell(again).await, (200, first.clone()));
    }
    let finished = json!({"service": "webshop", "version": "1.42", "finishedAt": clock::now()});
    let (status, done) = tell(finished.clone()).await;
    assert_eq!((status, &done["id"], done["finishedAt"].is_string()), (200, &first["id"], true));
    assert_eq!(tell(finished).await, (200, done));
    // A version that was rolled back is deployed again.
    for version in ["1.43", "1.42"] {
        assert_eq!(tell(json!({"service": "webshop", "version": version})).await.0, 201);
    }
    let elsewhere = json!({"service": "webshop", "version": "1.42", "environment": "staging"});
    assert_eq!(tell(elsewhere).await.0, 201);
    let listed = get("/deployments?service=webshop&limit=3").await;
    let listed_versions = listed["deployments"].as_array().unwrap().iter().map(|one| one["version"].clone());
    assert_eq!(listed_versions.collect::<Vec<_>>(), ["1.42", "1.42", "1.43"], "the staging one is the last");
    let next =
        format!("/deployments?service=webshop&limit=3&cursor={}", listed["nextCursor"].as_str().unwrap());
    assert_eq!(get(&next).await["deployments"].as_array().unwrap().len(), 1);
    let staging = get("/deployments?service=webshop&environment=staging").await;
    assert_eq!(staging["deployments"].as_array().unwrap().len(), 1);
    let audit = get("/audit?action=deployment").await;
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 5, "{audit}");
    assert!(entries.iter().all(|entry| entry["services"] == json!(["webshop"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_deployment_or_gate_says_what_to_do() {
    let world = World::start().await;
    let with = |field: &str, value: Value| {
        let mut deployment = json!({"service": "webshop", "version": "1.42"});
        deployment[field] = value;
        deployment
    };
    for (deployment, part) in [
        (json!({"service": "webshop"}), "missing field `version`"),
        (with("version", json!("")), "must be 1 to 200 bytes"),
        (with("service", json!("a\u{0}")), "without control characters"),
        (with("link", json!("javascript:alert(1)")), "must be an http or https address"),
        (with("startedAt", json!(ago(-3600))), "must not be in the future"),
        (with("startedAt", json!("2020-01-01T00:00:00Z")), "must not be more than 366 days ago"),
        (with("who", json!("me")), "unknown field"),
        (json!({"service": "a", "version": "1", "startedAt": ago(1), "finishedAt": ago(2)}), "not be before"),
    ] {
        let (status, answer) = tell(&world, deployment.clone()).await;
        assert_eq!(status, 400, "{deployment}");
        assert!(answer["detail"].as_str().unwrap().contains(part), "{deployment}: {answer}");
    }
    world.api().get("/deployments?service=a%00").await.assert(400);
    for (query, part) in [
        ("version=1", "service"),
        ("service=a", "version"),
        ("service=a&version=1&windowSeconds=0", "must be a number from 1 to 86400"),
        ("service=a&version=1&maxNewGroups=-1", "must be a number from 0 to 1000"),
        ("service=a&version=1&growthFactor=x", "must be a number from 1 to 1000"),
        ("service=a&version=1&asStatus=yes", "must be true or false"),
        ("service=a&version=1&window=5", "window"),
        ("service=a%00&version=1", "service: must be 1 to 200 bytes"),
        ("service=a&version=", "version: must be 1 to 200 bytes"),
        ("service=a&version=1&environment=%00", "environment: must be 1 to 200 bytes"),
    ] {
        let answer = world.api().get(&format!("/gate?{query}")).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{query}: {answer}");
    }
}

/// A service of another squad is answered like one that nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_deployments_do_not_exist() {
    let bank = Bank::open().await;
    let (payer, admin) = (bank.client(&bank.payer), bank.client(&bank.admin));
    for service in ["loan", "pay"] {
        admin.post("/deployments", json!({"service": service, "version": "1.42"})).await.assert(201);
    }
    let same = async |path: &str| {
        let foreign = payer.get(&path.replace('@', "loan")).await.assert(200);
        let unknown = payer.get(&path.replace('@', "nothing")).await.assert(200);
        let told = |bytes: &[u8], name: &str| String::from_utf8_lossy(bytes).replace(name, "@");
        assert_eq!(told(&foreign.bytes, "loan"), told(&unknown.bytes, "nothing"), "{path}");
    };
    same("/deployments?service=@").await;
    same("/gate?service=@&version=1.42").await;
    let told = async |service: &str| {
        let answer = payer.post("/deployments", json!({"service": service, "version": "1.43"})).await;
        (answer.status.as_u16(), answer.json["detail"].as_str().unwrap_or_default().replace(service, "@"))
    };
    assert_eq!(told("loan").await, (404, "There is no service @ that you may read.".to_owned()));
    assert_eq!(told("nothing").await, told("loan").await);
    assert_eq!(told("pay").await.0, 201);
    let own = payer.get("/deployments?service=pay").await.assert(200).json;
    assert_eq!(own["deployments"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_tells_lists_and_judges() {
    let world = World::start().await;
    let ran = async |arguments: &[&str]| client_of(world.api(), arguments).await;
    let waits = ran(&["gate", "webshop", "1.43"]).await.assert(5).out;
    assert!(waits.contains("No deployment of webshop 1.43 was told"), "{waits}");
    let deployed =
        ["deployed", "webshop", "1.43", "--commit", "9f2c1ab", "--environment", "production", "--finished"];
    for _ in 0..2 {
        ran(&deployed).await.assert(0);
    }
    let listed = ran(&["deployments", "webshop"]).await.assert(0).out;
    assert_eq!(listed.matches("1.43").count(), 1, "{listed}");
    assert!(listed.contains("9f2c1ab") && listed.contains("production"), "{listed}");
    let passes = ran(&["gate", "webshop", "1.43", "--wait", "--window", "2s"]).await.assert(0).out;
    assert!(passes.contains("webshop 1.43 passes"), "{passes}");
    ran(&["deployed", "webshop", "1.44", "--environment", "production"]).await.assert(0);
    let fails = ran(&["gate", "webshop", "1.43", "--window", "1d", "--wait"]).await.assert(4).out;
    assert!(fails.contains("1.44 was deployed"), "{fails}");
}
