//! The switch, over HTTP, what services outside of this process tell of themselves, and the receiver of notifications.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::receiver;
use super::service::Service;
use super::state::State;
use super::status;

/// Takes the address, or says who might have it.
pub(super) async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} (another demo may be running; --control takes another address)")
    })
}

/// Answers until `stop`.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    let router = Router::new()
        .route("/", get(show))
        .route("/fix", post(fix))
        .route("/break", post(break_again))
        .route("/services/{service}/{what}", post(tell))
        .with_state(state)
        .merge(receiver::routes());
    // Connections that are kept alive are cut: there is nothing to finish.
    if let Some(Err(error)) = stop.run_until_cancelled(axum::serve(listener, router).into_future()).await {
        status::say(&format!("control: {error}"));
    }
}

#[derive(Deserialize)]
struct Which {
    service: Option<String>,
}

async fn show(Shared(state): Shared<Arc<State>>) -> Response {
    Json(state.snapshot()).into_response()
}

async fn fix(Shared(state): Shared<Arc<State>>, Query(which): Query<Which>) -> Response {
    set(&state, &which, false)
}

async fn break_again(Shared(state): Shared<Arc<State>>, Query(which): Query<Which>) -> Response {
    set(&state, &which, true)
}

fn set(state: &State, which: &Which, broken: bool) -> Response {
    let named = |name: &str| Service::ALL.into_iter().find(|service| service.name() == name);
    let service = which.service.as_deref().map(named);
    if service == Some(None) {
        let names = Service::ALL.map(Service::name).join(", ");
        let error = json!({ "error": format!("no such service; there are {names}") });
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    state.set_broken(service.flatten(), broken);
    Json(state.snapshot()).into_response()
}

/// What has become of a message.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Published,
    Handled,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handled {
    message_id: Option<String>,
    redelivery_id: Option<String>,
}

async fn tell(
    Shared(state): Shared<Arc<State>>,
    Path((service, what)): Path<(Service, What)>,
    Query(message): Query<Handled>,
) -> StatusCode {
    match what {
        What::Published if state.published(service) == 1 => status::say(&format!("{service} has joined")),
        What::Published => {}
        What::Handled => state.handled(service, message.message_id, message.redelivery_id),
        What::Failed => state.failed(service),
    }
    StatusCode::NO_CONTENT
}
