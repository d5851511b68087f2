//! Health and metrics, on an address of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use prometheus::proto::MetricFamily;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::undelivered::Undelivered;
use crate::ingest::{SourceState, SourceStatus};
use crate::latest::Latest;
use crate::ownership::{Owners, Ownership};
use crate::store::{Backlog, OutboxState, Store, StoreError};
use crate::telemetry::{self, CatalogState, Metrics, Scraped, SquadBacklog, TellingState};

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
    /// What does not arrive, for each broker whose management API is read.
    pub undelivered: Arc<[Latest<Vec<Undelivered>>]>,
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
    /// Queues whose dead letters do not reach a source, as far as management APIs tell. They are no reason to be unready.
    undelivered: Vec<UndeliveredReadiness>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UndeliveredReadiness {
    queue: String,
    broker: String,
    vhost: String,
    /// The sources that the dead letters should reach.
    sources: Vec<String>,
    /// Dead letters that wait. Absent if they are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<u64>,
    since: DateTime<Utc>,
    age_seconds: i64,
    reason: &'static str,
}

impl UndeliveredReadiness {
    fn of(one: &Undelivered, now: DateTime<Utc>) -> Self {
        Self {
            queue: one.queue.clone(),
            broker: one.place.broker.clone(),
            vhost: one.place.vhost.clone(),
            sources: one.sources.clone(),
            messages: one.messages,
            since: one.since,
            age_seconds: (now - one.since).num_seconds(),
            reason: one.reason.as_str(),
        }
    }
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
        undelivered: undelivered(&admin)
            .iter()
            .map(|one| UndeliveredReadiness::of(one, clock::now()))
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

fn undelivered(admin: &Admin) -> Vec<Undelivered> {
    admin.undelivered.iter().flat_map(|found| found.now().to_vec()).collect()
}

async fn metrics(State(AdminState { admin, .. }): State<AdminState>) -> impl IntoResponse {
    let text = telemetry::render(&admin.gather().await);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

impl Admin {
    /// Every metric, with those that the database tells.
    pub async fn gather(&self) -> Vec<MetricFamily> {
        let now = clock::now();
        let owners = self.ownership.now();
        let (operations, backlogs, telling) = tokio::join!(
            self.store.operation_states(),
            self.store.backlogs(now),
            telling_state(&self.store, now)
        );
        let squads = backlogs.ok().map(|backlogs| squad_backlogs(&backlogs, &owners, now));
        self.metrics.gather(&Scraped {
            operations: operations.ok().as_deref(),
            squads: squads.as_deref(),
            pools: &self.store.pool_use(),
            catalog: catalog_state(&owners),
            telling: telling.ok().as_ref(),
            undelivered: (&undelivered(self), now),
        })
    }
}

async fn telling_state(store: &Store, now: DateTime<Utc>) -> Result<TellingState, StoreError> {
    let OutboxState { due, held, oldest, failed } = store.outbox_state(now).await?;
    let (incidents, untriaged) = (store.open_incidents().await?, store.untriaged(now).await?);
    Ok(TellingState {
        incidents,
        untriaged,
        outbox: vec![("due", due), ("held", held), ("failed", failed)],
        oldest,
    })
}

fn squad_backlogs<'o>(services: &[Backlog], owners: &'o Owners, now: DateTime<Utc>) -> Vec<SquadBacklog<'o>> {
    let mut squads = BTreeMap::new();
    for service in services {
        let squad = owners.squad(&service.service);
        let backlog = squads.entry(squad).or_insert(SquadBacklog { squad, dead: 0, oldest: 0 });
        backlog.dead += service.dead;
        let age = service.since.map_or(0, |since| (now - since).num_seconds());
        backlog.oldest = backlog.oldest.max(age);
    }
    squads.into_values().collect()
}

fn catalog_state(owners: &Owners) -> Option<CatalogState> {
    let age = owners.catalog()?.age(clock::now()).num_seconds();
    let (mut contested, mut waiting) = (0, 0);
    for conflict in owners.conflicts() {
        *if conflict.takes_over_at.is_some() { &mut waiting } else { &mut contested } += 1;
    }
    Some(CatalogState { age, contested, waiting })
}
