//! Health and metrics, on an address of their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::ingest::{SourceState, SourceStatus};
use crate::store::Store;
use crate::telemetry::Metrics;

/// What health and metrics are told from.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The database.
    pub store: Store,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// The sources.
    pub sources: Arc<[Arc<SourceStatus>]>,
}

#[derive(Clone)]
struct AdminState {
    admin: Admin,
    stop: CancellationToken,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    stopping: bool,
    database: String,
    /// Whether the schema is as this release needs it.
    schema: String,
    sources: Vec<SourceReadiness>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceReadiness {
    source: String,
    broker: String,
    vhost: String,
    state: String,
    /// How the broker may lose its messages.
    warnings: Vec<String>,
}

/// The routes.
pub fn router(admin: Admin, stop: CancellationToken) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(AdminState { admin, stop })
}

/// The process runs, and its runtime gets round to answering. That is all: a database that is away is no reason to be killed.
async fn live() -> &'static str {
    "alive\n"
}

/// Whether messages come in and requests can be answered; and if not, why.
async fn ready(State(AdminState { admin, stop }): State<AdminState>) -> impl IntoResponse {
    let database = admin.store.ping().await;
    let schema = admin.store.schema();
    let states: Vec<_> = admin.sources.iter().map(|source| (source, source.get())).collect();
    let stopping = stop.is_cancelled();
    let consuming = states.iter().all(|(_, state)| *state == SourceState::Consuming);
    let readiness = Readiness {
        ready: database.is_ok() && consuming && !stopping,
        stopping,
        database: database.map_or_else(|error| error.to_string(), |()| "answers".into()),
        schema: schema.to_string(),
        sources: states
            .into_iter()
            .map(|(source, state)| SourceReadiness {
                source: source.source().to_owned(),
                broker: source.place().broker.clone(),
                vhost: source.place().vhost.clone(),
                state: state.to_string(),
                warnings: source.warnings(),
            })
            .collect(),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

async fn metrics(State(AdminState { admin, .. }): State<AdminState>) -> impl IntoResponse {
    let operations = admin.store.operation_states().await.ok();
    let text = admin.metrics.render(operations.as_deref(), &admin.store.pool_use());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
