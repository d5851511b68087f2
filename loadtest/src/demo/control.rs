//! The switch, over HTTP.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::state::{Service, State};
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
        .with_state(state);
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
        let error = json!({ "error": "no such service: webshop or notification" });
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    state.set_broken(service.flatten(), broken);
    Json(state.snapshot()).into_response()
}
