//! A collector of OpenTelemetry.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use tokio::net::TcpListener;

/// A collector of traces and metrics, by OTLP over HTTP, and what it has received.
#[derive(Clone, Default)]
pub struct Collector {
    traces: Arc<Mutex<Vec<Bytes>>>,
    metrics: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    /// Its URL comes with it.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let router = Router::new()
            .route(
                "/v1/traces",
                post(|State(it): State<Self>, body: Bytes| async move {
                    it.traces.lock().unwrap().push(body);
                }),
            )
            .route(
                "/v1/metrics",
                post(|State(it): State<Self>, body: Bytes| async move {
                    it.metrics.lock().unwrap().push(body);
                }),
            )
            .with_state(collector.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        (collector, url)
    }

    /// The requests with spans, as they came.
    pub fn traces(&self) -> Vec<Bytes> {
        self.traces.lock().unwrap().clone()
    }

    /// The requests with metrics.
    pub fn metrics(&self) -> Vec<Bytes> {
        self.metrics.lock().unwrap().clone()
    }

    /// All of it as text, as far as it is text.
    pub fn text(&self) -> String {
        let requests = [self.traces(), self.metrics()].concat();
        requests.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }
}
