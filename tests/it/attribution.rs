//! Who did what, when, with which dead letters, and why.

use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::access::Access;
use crate::support::{DeadMessage, World, id};

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} is a time")).parse().unwrap()
}

/// R13: an operation tells who asked for it, when, with which selection, why, and what became of each message; it stands in the list of
/// operations and in the history of each message that it was about.
#[tokio::test(flavor = "multi_thread")]
async fn destructive_acts_are_attributable() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("here-{}", id()), &[]).await;
    let message = |queue: &str| DeadMessage::new(&id(), queue).error("E", "50% of it failed");
    for _ in 0..2 {
        world.publish(message(&queue.name)).await;
        world.publish(message("gone_elsewhere")).await;
    }
    world.until_stored(4).await;
    let all: Vec<Value> = world.api().all("order=oldest", 200).await;
    let ids: Vec<&str> = all.iter().map(|letter| letter["id"].as_str().unwrap()).collect();

    let begun = dead_letter::clock::now();
    let filter = json!({"filter": {"error": "50% of", "reason": "rejected"}, "order": "oldest", "limit": 2, "note": "fixed in 42"});
    let redelivered = world.api().post("/dead-letters/redeliver?wait=30", &filter).await.assert(200).json;
    let by_ids = json!({"ids": ids, "note": "the rest is of no use"});
    let deleted = world.api().delete("/dead-letters?wait=30", &by_ids).await.assert(200).json;
    let ended = dead_letter::clock::now();

    let asked = json!({"filter": {"error": "50% of", "reason": "rejected"}, "all": false});
    assert_eq!(without_nulls(&redelivered["selection"]), asked);
    assert_eq!(deleted["selection"], json!({ "ids": ids }));
    let listed = world.api().get("/operations").await.assert(200).json["operations"].clone();
    assert_eq!(listed, json!([deleted, redelivered]));
    let expected = [
        (&redelivered, "redeliver", "fixed in 42", vec!["sent", "refused"]),
        (&deleted, "delete", "the rest is of no use", vec!["deleted", "deleted", "deleted", "skipped"]),
    ];
    for (operation, kind, note, outcomes) in expected {
        assert_eq!(operation["kind"], kind);
        assert_eq!(operation["requestedBy"], "anonymous at 127.0.0.1");
        assert_eq!(operation["note"], note);
        let times = ["createdAt", "startedAt", "endedAt"].map(|name| time(&operation[name]));
        assert!(begun <= times[0] && times.is_sorted() && times[2] <= ended, "{times:?}");
        let path = format!("/operations/{}/items", operation["id"].as_str().unwrap());
        let items = world.api().get(&path).await.assert(200).json["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), outcomes.len(), "{items:?}");
        for (item, outcome) in items.iter().zip(outcomes) {
            assert_eq!(item["outcome"], outcome, "{item}");
            assert!((begun..=ended).contains(&time(&item["settledAt"])), "{item}");
            let must_say_why = outcome == "refused" || outcome == "skipped";
            assert_eq!(item["detail"].is_string(), must_say_why, "{item}");
            assert_is_in_history(&world, operation, item).await;
        }
    }
}

/// Options that were not given may be absent or null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

/// The message tells the same of the operation as the operation does of the message.
async fn assert_is_in_history(world: &World, operation: &Value, item: &Value) {
    let letter = item["deadLetterId"].as_str().unwrap();
    let whole = world.api().get(&format!("/dead-letters/{letter}")).await.assert(200).json;
    let operations = whole["history"]["operations"].as_array().unwrap();
    let told = operations.iter().find(|told| told["operationId"] == operation["id"]);
    assert_eq!(
        told,
        Some(&json!({
            "operationId": operation["id"], "kind": operation["kind"], "requestedBy": operation["requestedBy"],
            "note": operation["note"], "requestedAt": operation["createdAt"], "deadLetterId": letter,
            "outcome": item["outcome"], "detail": item["detail"], "redeliveryId": item["redeliveryId"], "copy": false,
            "settledAt": item["settledAt"],
        })),
        "{whole}"
    );
}

/// What signs tokens with ES256, and publishes its key as Backstage does.
struct Issuer {
    key: EcdsaKeyPair,
    url: String,
}

impl Issuer {
    async fn start() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        let key = key.unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let published =
            json!({"kid": "published", "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)});
        let answer = json!({ "keys": [published] });
        let router = Router::new().route("/api/auth/.well-known/jwks.json", get(async || Json(answer)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { key, url }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |unsigned| {
            self.key.sign(&SystemRandom::new(), unsigned).unwrap().as_ref().to_vec()
        })
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let unsigned = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(sign(unsigned.as_bytes()));
    format!("{unsigned}.{signature}")
}

/// The same, but for one of its fields.
fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[name] = value;
    document
}

/// R13: who asks is the user that a token of Backstage names, if it is one; what a token that is none asks for is not done.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_whom_backstage_names() {
    let issuer = Issuer::start().await;
    let (url, access) = (&issuer.url, Access::to_everyone());
    let [_, policy] = access.settings();
    let world = World::start_with(&[("DEAD_LETTER_BACKSTAGE_URL", url), policy]).await;
    world.publish(DeadMessage::new(&id(), "a_service")).await;
    world.until_stored(1).await;
    let now = dead_letter::clock::now().timestamp();
    let header = json!({"alg": "ES256", "typ": "vnd.backstage.user", "kid": "published"});
    let claims = json!({
        "sub": "user:default/jane", "iss": format!("{url}/api/auth"), "aud": "backstage", "iat": now, "exp": now + 60,
        "ent": ["user:default/jane"],
    });
    let other_header = |name: &str, value: &str| issuer.sign(&with(&header, name, json!(value)), &claims);
    let other_claim = |name: &str, value: Value| issuer.sign(&header, &with(&claims, name, value));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, b"published");
    let symmetric = token(&with(&header, "alg", json!("HS256")), &claims, |unsigned| {
        hmac::sign(&secret, unsigned).as_ref().to_vec()
    });
    let signed = issuer.sign(&header, &claims);
    let delete = async |authorization: &str| {
        let request = world.api().request(Method::DELETE, "/dead-letters?service=service&wait=10");
        world.api().send(request.header("authorization", authorization)).await
    };

    for (what, authorization) in [
        ("no token", "Basic amFuZTpqYW5l".to_owned()),
        ("nonsense", "Bearer nonsense".to_owned()),
        ("of an unknown key", format!("Bearer {}", other_header("kid", "unknown"))),
        ("another algorithm than the key's", format!("Bearer {}", other_header("alg", "RS256"))),
        ("a shared secret", format!("Bearer {symmetric}")),
        ("expired", format!("Bearer {}", other_claim("exp", json!(now - 3600)))),
        ("for others", format!("Bearer {}", other_claim("aud", json!("catalog")))),
        ("of others", format!("Bearer {}", other_claim("iss", json!("https://elsewhere")))),
        ("changed", format!("Bearer {signed}x")),
    ] {
        let answer = delete(&authorization).await;
        assert_eq!((what, answer.status.as_u16()), (what, 401), "{}", answer.json);
        assert_eq!(answer.json["error"]["name"], "AuthenticationError", "{what}");
        let token = authorization.split_once(' ').unwrap().1;
        assert!(!answer.json.to_string().contains(token), "{what}: the answer repeats the token");
    }
    // This Backstage publishes no keys of plugins, so that it cannot be said whether the token is good.
    let of_plugin =
        delete(&format!("Bearer {}", other_header("typ", "vnd.backstage.plugin"))).await.assert(503);
    assert_eq!(of_plugin.json["type"], "undecided");
    world.api().get("/dead-letters").await.assert(401);
    let authorization = format!("Bearer {signed}");
    let as_jane = async |request: RequestBuilder| {
        world.api().send(request.header("authorization", &authorization)).await.assert(200).json
    };
    let all = as_jane(world.api().request(Method::GET, "/dead-letters")).await;
    assert_eq!(all["total"]["value"], 1, "nothing was done");
    let operation = delete(&authorization).await.assert(200).json;
    assert_eq!(operation["requestedBy"], "user:default/jane");
    assert_eq!(operation["outcomes"]["deleted"], 1);
    let undone = json!({"deletedBy": operation["id"]});
    let restore = world.api().request(Method::POST, "/dead-letters/restore?wait=10").json(&undone);
    assert_eq!(as_jane(restore).await["requestedBy"], "user:default/jane");
}

/// Who need not sign in may still do so.
#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_token_are_let_in_where_that_is_allowed() {
    let issuer = Issuer::start().await;
    let settings =
        [("DEAD_LETTER_BACKSTAGE_URL", issuer.url.as_str()), ("DEAD_LETTER_UNAUTHENTICATED", "yes")];
    let world = World::start_with(&settings).await;
    world.publish(DeadMessage::new(&id(), "a_service")).await;
    world.until_stored(1).await;
    let deleted = world.api().delete("/dead-letters?wait=10", &json!({"all": true})).await.assert(200).json;
    assert_eq!(deleted["requestedBy"], "anonymous at 127.0.0.1");
    let wrong = world.api().request(Method::GET, "/dead-letters").header("authorization", "Bearer nonsense");
    world.api().send(wrong).await.assert(401);
}
