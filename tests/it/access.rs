//! R17: once authentication is configured, every route of the API needs a token.

use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::{DeadMessage, World, free_address, id, until};

/// Files of a service whose callers have tokens.
pub struct Access {
    tokens: NamedTempFile,
    policy: NamedTempFile,
}

impl Access {
    pub fn new(policy: &str) -> Self {
        let access = Self { tokens: NamedTempFile::new().unwrap(), policy: NamedTempFile::new().unwrap() };
        access.grant(policy);
        access.know(&["  []\n"]);
        access
    }

    /// Whoever has signed in may do everything.
    pub fn to_everyone() -> Self {
        Self::new("grants: [{to: [everyone], on: everything, may: [everything]}]")
    }

    pub fn grant(&self, policy: &str) {
        std::fs::write(self.policy.path(), policy).unwrap();
    }

    /// These entries are the tokens that are known.
    pub fn know(&self, entries: &[&str]) {
        std::fs::write(self.tokens.path(), format!("tokens:\n{}", entries.concat())).unwrap();
    }

    pub fn settings(&self) -> [(&str, &str); 2] {
        [
            ("DEAD_LETTER_TOKENS_FILE", self.tokens.path().to_str().unwrap()),
            ("DEAD_LETTER_POLICY_FILE", self.policy.path().to_str().unwrap()),
        ]
    }
}

/// What `dead-letter token new` prints: the token, and the entry for the file.
pub fn new_token(name: &str) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    let ran = command.args(["token", "new", name, "--expires", "1d"]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let entry = String::from_utf8(ran.stderr).unwrap();
    let (_, entry) = entry.split_once("tokens:\n").unwrap();
    (String::from_utf8(ran.stdout).unwrap().trim().to_owned(), entry.to_owned())
}

/// Every operation of the document, with some id in its path.
async fn operations(world: &World) -> Vec<(Method, String)> {
    let document = world.api().get("/openapi.json").await.assert(200).json;
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let each =
        paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(move |method| (method, path)));
    let id = uuid::Uuid::nil().to_string();
    each.map(|(method, path)| (method.to_uppercase().parse().unwrap(), path.replace("{id}", &id))).collect()
}

async fn assert_unauthenticated(world: &World, request: RequestBuilder, what: &str) {
    let answer = world.api().send(request).await;
    assert_eq!(answer.status, 401, "{what}");
    assert_eq!(answer.json["type"], "unauthenticated", "{what}");
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_needs_a_token() {
    let access = Access::to_everyone();
    let (token, entry) = new_token("ci");
    let (other, _) = new_token("other");
    let (expired, expired_entry) = new_token("expired");
    let (before, _) = expired_entry.split_once("expires:").unwrap();
    access.know(&[&entry, &format!("{before}expires: 2020-01-01T00:00:00Z\n")]);
    let world = World::start_with(&access.settings()).await;

    let wrong = [
        None,
        Some(String::new()),
        Some("Basic Y2k6Y2k=".to_owned()),
        Some("Bearer".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("bearer {other}")),
        Some(format!("Bearer {expired}")),
        Some(format!("Bearer {}", &token[..token.len() - 1])),
        Some(format!("Bearer {token} {token}")),
        Some("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.".to_owned()),
    ];
    let operations = operations(&world).await;
    assert!(operations.len() >= 24, "{operations:?}");
    for (method, path) in operations {
        let request = || world.api().request(method.clone(), &path);
        for authorization in &wrong {
            let request =
                authorization.iter().fold(request(), |request, value| request.header("authorization", value));
            assert_unauthenticated(&world, request, &format!("{method} {path} {authorization:?}")).await;
        }
        let twice = request().bearer_auth(&token).header("authorization", format!("Bearer {other}"));
        assert_unauthenticated(&world, twice, &format!("{method} {path} with two tokens")).await;
        let known = world.api().send(request().bearer_auth(&token)).await;
        assert_ne!(known.status, 401, "{method} {path} with a token");
    }
    for open in ["/openapi.json", "/swagger/"] {
        world.api().get(open).await.assert(200);
    }
    assert!(world.service.is_ready().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_come_and_go_without_a_restart() {
    let access = Access::to_everyone();
    let world = World::start_with(&access.settings()).await;
    world.publish(DeadMessage::new(&id(), "a_service")).await;
    world.until_stored(1).await;
    let (token, entry) = new_token("night-shift");
    let status = async || {
        let request = world.api().request(Method::GET, "/dead-letters").bearer_auth(&token);
        world.api().send(request).await.status.as_u16()
    };
    assert_eq!(status().await, 401);
    access.know(&[&entry]);
    until("the new token is known", || async { (status().await == 200).then_some(()) }).await;
    let delete = world.api().request(Method::DELETE, "/dead-letters?wait=10&all=true").bearer_auth(&token);
    assert_eq!(world.api().send(delete).await.assert(200).json["requestedBy"], "token:night-shift");
    access.know(&["  []\n"]);
    until("the token is known no more", || async { (status().await == 401).then_some(()) }).await;
}

/// The token may be good: whoever is told to sign in again would lose a session for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_verified_now_is_no_bad_token() {
    let access = Access::to_everyone();
    let nobody = format!("http://{}", free_address());
    let issuer = ("DEAD_LETTER_OIDC_ISSUER", nobody.as_str());
    let world = World::start_with(&[&access.settings()[..], &[issuer]].concat()).await;
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({"iss": nobody, "sub": "ada", "aud": "dead-letter", "iat": 1, "exp": 2});
    let token =
        format!("{}.{}.AAAA", part(json!({"alg": "RS256", "kid": "one", "typ": "at+jwt"})), part(claims));
    let request = world.api().request(Method::GET, "/dead-letters").bearer_auth(token);
    let answer = world.api().send(request).await.assert(503);
    assert_eq!(answer.json["type"], "undecided");
    assert_eq!(answer.headers["retry-after"], "2");
    assert!(!answer.headers.contains_key("www-authenticate"));
}
