//! Health and metrics, on an address of their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::ingest::{SourceState, SourceStatus};
use crate::ownership::{Owners, Ownership};
use crate::store::{OutboxState, Store, StoreError};
use crate::telemetry::{CatalogState, Metrics, TellingState};

/// What health and metrics are told from.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The database.
    pub store: Store,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// The sources.
    pub sources: Arc<[Arc<SourceStatus>]>,
    /// Service to squad.
    pub ownership: Ownership,
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
    /// How old the squads are that come from the catalog, if they do. Old ones are no reason to be unready.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<CatalogReadiness>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CatalogReadiness {
    as_of: Option<DateTime<Utc>>,
    stale: bool,
    conflicts: usize,
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
    let owners = admin.ownership.now();
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
        catalog: owners.catalog().map(|catalog| CatalogReadiness {
            as_of: catalog.as_of(),
            stale: catalog.is_stale(clock::now()),
            conflicts: owners.conflicts().count(),
        }),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

async fn metrics(State(AdminState { admin, .. }): State<AdminState>) -> impl IntoResponse {
    let operations = admin.store.operation_states().await.ok();
    let catalog = catalog_state(&admin.ownership.now());
    let telling = telling_state(&admin.store).await.ok();
    let text =
        admin.metrics.render(operations.as_deref(), &admin.store.pool_use(), catalog, telling.as_ref());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn telling_state(store: &Store) -> Result<TellingState, StoreError> {
    let OutboxState { due, held, oldest, failed } = store.outbox_state(clock::now()).await?;
    let incidents = store.open_incidents().await?;
    Ok(TellingState { incidents, outbox: vec![("due", due), ("held", held), ("failed", failed)], oldest })
}

fn catalog_state(owners: &Owners) -> Option<CatalogState> {
    let age = owners.catalog()?.age(clock::now()).num_seconds();
    let (mut contested, mut waiting) = (0, 0);
    for conflict in owners.conflicts() {
        *if conflict.takes_over_at.is_some() { &mut waiting } else { &mut contested } += 1;
    }
    Some(CatalogState { age, contested, waiting })
}
