//! The API as a client uses it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// How often a service that is busy is asked again.
const PATIENCE: usize = 4;

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
    /// Null where the answer is not JSON.
    pub json: Value,
}

impl Answer {
    pub fn assert(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// Seconds.
    pub fn retry_after(&self) -> Option<u64> {
        if self.status != StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        self.headers.get("retry-after")?.to_str().ok()?.parse().ok()
    }
}

/// A client of one service.
#[derive(Clone, Debug)]
pub struct Api {
    client: reqwest::Client,
    base: String,
}

impl Api {
    pub fn new(address: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Whoever else may listen there need not answer.
        let client = reqwest::Client::builder().read_timeout(super::DEADLINE).build().unwrap();
        Self { client, base: format!("http://{address}") }
    }

    pub fn url(&self) -> String {
        self.base.clone()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// `None` where nobody answers.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.ok()?.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Some(Answer { status, headers, bytes, json })
    }

    /// Asks again as the answer says, where the service is busy: no test fails because a machine is slow.
    pub async fn get(&self, path: &str) -> Answer {
        for _ in 0..PATIENCE {
            let answer = self.get_once(path).await;
            let Some(seconds) = answer.retry_after() else { return answer };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        self.get_once(path).await
    }

    pub async fn get_once(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn delete(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::DELETE, path).json(body)).await
    }

    /// Every dead letter that a search lists, page by page.
    pub async fn all(&self, query: &str, limit: u32) -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                self.get(&format!("/dead-letters?{query}&limit={limit}{cursor}")).await.assert(200).json;
            found.extend(page["messages"].as_array().unwrap().iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}
