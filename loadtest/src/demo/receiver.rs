//! A receiver of dead-letter's notifications: what squads are told, on the terminal and at `GET /notifications`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::status;

/// The latest ones are kept.
const KEPT: usize = 200;

/// What a webhook has in its body, as far as the demo shows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Notification {
    id: String,
    r#type: String,
    data: Data,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Data {
    squad: String,
    severity: String,
    title: String,
    text: String,
    link: Option<String>,
}

type Received = Arc<Mutex<VecDeque<Notification>>>;

/// The routes of the receiver.
pub(super) fn routes() -> Router {
    Router::new().route("/notifications", get(list).post(take)).with_state(Received::default())
}

fn locked(received: &Received) -> MutexGuard<'_, VecDeque<Notification>> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(State(received): State<Received>) -> Json<Vec<Notification>> {
    Json(locked(&received).iter().cloned().collect())
}

/// One that comes again, because its sender could not know whether it came, has the same id.
async fn take(State(received): State<Received>, Json(notification): Json<Notification>) -> StatusCode {
    let mut received = locked(&received);
    if received.iter().all(|known| known.id != notification.id) {
        let Data { squad, title, link, .. } = &notification.data;
        let link = link.as_deref().unwrap_or_default();
        status::say(&format!("told {squad}: {title}  {link}"));
        received.push_back(notification);
        let surplus = received.len().saturating_sub(KEPT);
        received.drain(..surplus);
    }
    StatusCode::NO_CONTENT
}
