//! A receiver of notifications: a real HTTP server, which checks signatures by code that is not the service's.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

use crate::support::until;

/// Of the channels.
pub const SECRET: &str = "whsec_VGhpcyBpcyBhIHNlY3JldCBmb3IgdGVzdHMgb25seS4=";

/// A request that came.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub headers: HeaderMap,
    pub json: Value,
    pub bytes: Vec<u8>,
    /// What it was answered with.
    pub status: u16,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Of a webhook: incident and event.
    pub fn about(&self) -> (String, String) {
        let text = |pointer: &str| self.json.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        (text("/data/incident"), text("/type"))
    }

    pub fn assert_signed(&self) {
        let webhook = Webhook::new(SECRET).unwrap();
        webhook.verify(&self.bytes, &self.headers).unwrap();
        assert_eq!(self.header("webhook-id"), self.json["id"]);
        assert_eq!(self.header("idempotency-key"), self.json["id"]);
        let mut forged = self.bytes.clone();
        forged.push(b' ');
        assert!(webhook.verify(&forged, &self.headers).is_err(), "a body that was changed");
    }
}

#[derive(Clone)]
struct Desk {
    got: Arc<Mutex<Vec<Got>>>,
    status: Arc<AtomicU16>,
    delay: Arc<AtomicU64>,
}

/// Takes whatever comes.
pub struct Receiver {
    pub url: String,
    desk: Desk,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (status, delay) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicU64::new(0)));
        let desk = Desk { got: Arc::default(), status, delay };
        let router = Router::new().fallback(take).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk }
    }

    /// Answers with this status from now on.
    pub fn answers(&self, status: u16) {
        self.desk.status.store(status, Ordering::Relaxed);
    }

    /// Takes so long to answer from now on.
    pub fn answers_after(&self, delay: Duration) {
        self.desk.delay.store(delay.as_millis() as u64, Ordering::Relaxed);
    }

    /// All that came.
    pub fn all(&self) -> Vec<Got> {
        self.desk.got.lock().unwrap().clone()
    }

    /// What was confirmed on this path.
    pub fn confirmed(&self, path: &str) -> Vec<Got> {
        let is_confirmed = |got: &Got| got.path == path && (200..300).contains(&got.status);
        self.all().into_iter().filter(is_confirmed).collect()
    }

    /// Waits until so many were confirmed on this path.
    pub async fn until_confirmed(&self, path: &str, count: usize) -> Vec<Got> {
        until(&format!("{count} notifications to {path}"), || async {
            Some(self.confirmed(path)).filter(|confirmed| confirmed.len() >= count)
        })
        .await
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = desk.status.load(Ordering::Relaxed);
    let (json, bytes) = (serde_json::from_slice(&body).unwrap_or_default(), body.to_vec());
    desk.got.lock().unwrap().push(Got { path: uri.to_string(), headers, json, bytes, status });
    tokio::time::sleep(Duration::from_millis(desk.delay.load(Ordering::Relaxed))).await;
    StatusCode::from_u16(status).unwrap()
}
