//! An issuer of tokens: real signatures, published over a real socket.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const AUDIENCE: &str = "dead-letter";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Good,
    /// With errors.
    Down,
    /// Not before the client has given up.
    Slow,
    /// With more than anybody needs.
    Huge,
    /// By sending the client elsewhere, where good keys are.
    Redirecting,
    NotJson,
    /// With another issuer's discovery document.
    OtherIssuer,
    /// With keys of kinds that cannot be used.
    NoKeys,
}

pub struct Issuer {
    pub url: String,
    key: EcdsaKeyPair,
    key_id: String,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    behaviour: Mutex<Behaviour>,
    key: Mutex<Value>,
    decisions: Mutex<Value>,
    asked: AtomicUsize,
}

impl Issuer {
    pub async fn start(behaviour: Behaviour) -> Self {
        // As the program does when it begins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (key, published) = new_key("first");
        let shared = Arc::new(Shared {
            url: url.clone(),
            behaviour: Mutex::new(behaviour),
            key: Mutex::new(published),
            decisions: Mutex::new(Value::Null),
            asked: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, key, key_id: "first".into(), shared }
    }

    pub fn now(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// What it tells of permissions, as Backstage's plugin does.
    pub fn decides(&self, decisions: Value) {
        *self.shared.decisions.lock().unwrap() = decisions;
    }

    /// Publishes another key instead of its own.
    pub fn rotate(&mut self, key_id: &str) {
        let (key, published) = new_key(key_id);
        (self.key, self.key_id) = (key, key_id.to_owned());
        *self.shared.key.lock().unwrap() = published;
    }

    /// How many requests it had.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Relaxed)
    }

    pub fn published(&self) -> Value {
        self.shared.key.lock().unwrap().clone()
    }

    pub fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id})
    }

    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url, "aud": [AUDIENCE], "sub": "42", "preferred_username": "jane", "iat": now(), "exp": now() + 300,
        })
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        signed_with(header, claims, |unsigned| {
            self.key.sign(&SystemRandom::new(), unsigned).unwrap().as_ref().to_vec()
        })
    }
}

pub fn now() -> i64 {
    crate::clock::now().timestamp()
}

/// The same, but for one of its members; without it for null.
pub fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut document = document.clone();
    match value {
        Value::Null => drop(document.as_object_mut().unwrap().remove(name)),
        value => document[name] = value,
    }
    document
}

pub fn signed_with(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let unsigned = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(sign(unsigned.as_bytes()));
    format!("{unsigned}.{signature}")
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn new_key(id: &str) -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let published =
        json!({"kid": id, "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y), "alg": "ES256"});
    (key, published)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.asked.fetch_add(1, Ordering::Relaxed);
    let behaviour = *shared.behaviour.lock().unwrap();
    let path = request.uri().path();
    let is_elsewhere = path.starts_with("/elsewhere");
    let is_discovery = path.ends_with("/openid-configuration");
    let discovery = |issuer: &str| json!({"issuer": issuer, "jwks_uri": format!("{}/keys", shared.url)});
    let set = |key: Value| json!({"keys": [{"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "odd"}, key]});
    let belongs_to = json!({"claims": {"sub": "user:default/jane", "ent": ["user:default/jane", "group:default/payments"]}});
    let good = match path {
        _ if is_discovery => discovery(&shared.url),
        path if path.ends_with("/userinfo") && request.headers().contains_key(header::AUTHORIZATION) => {
            belongs_to
        }
        "/api/dead-letter/decisions" if request.headers().contains_key(header::AUTHORIZATION) => {
            shared.decisions.lock().unwrap().clone()
        }
        _ => set(shared.key.lock().unwrap().clone()),
    };
    match behaviour {
        Behaviour::Redirecting if !is_elsewhere => {
            Redirect::temporary(&format!("{}/elsewhere{path}", shared.url)).into_response()
        }
        Behaviour::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Behaviour::Slow => std::future::pending().await,
        Behaviour::Huge => {
            let padded = format!("{good}{}", " ".repeat(1 << 20));
            ([(header::CONTENT_TYPE, "application/json")], padded).into_response()
        }
        Behaviour::NotJson => "<html>sign in</html>".into_response(),
        Behaviour::OtherIssuer if is_discovery => axum::Json(discovery("https://elsewhere")).into_response(),
        Behaviour::NoKeys if !is_discovery => axum::Json(set(Value::Null)).into_response(),
        Behaviour::Good | Behaviour::Redirecting | Behaviour::OtherIssuer | Behaviour::NoKeys => {
            axum::Json(good).into_response()
        }
    }
}
