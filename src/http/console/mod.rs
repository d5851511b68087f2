//! The console: the plugin's pages in a browser, without Backstage. Its files are in the binary. They hold no data, so they need no
//! sign-in.

mod assets;
mod policy;
mod settings;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::Api;
use super::error::no_route;

pub use settings::{ConsoleOidc, ConsoleSettings};

/// Names of assets contain their hash, so what a name stands for never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Other files are asked for again each time.
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");
const ICON: &str = "favicon.svg";
const NOT_BUILT: &str = "This build of dead-letter does not contain the console. To build it with Node.js 20 or later:\n\n    \
                         scripts/backstage.sh console\n    cargo build --release\n\nThe API page is at /swagger.\n";

/// The routes of the console.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/", get(page))
        .route("/console", get(page))
        .route("/console/{*page}", get(page))
        .route("/console/assets/{*name}", get(asset))
        .route("/console/favicon.svg", get(icon))
        .route("/console/settings.json", get(read_settings))
}

/// Any page: the script finds out which one.
async fn page(State(api): State<Api>) -> Response {
    let Some(index) = assets::index() else {
        return (StatusCode::NOT_FOUND, NOT_BUILT).into_response();
    };
    let nonce = policy::nonce();
    let body = Html(index.replace(policy::NONCE_PLACE, &nonce));
    let mut response = body.into_response();
    policy::protect(response.headers_mut(), &api.console, &nonce);
    response.headers_mut().insert(header::CACHE_CONTROL, NEVER);
    response
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{name}"), &headers, FOREVER).await
}

async fn icon(headers: HeaderMap) -> Response {
    file(ICON, &headers, NEVER).await
}

async fn file(name: &str, headers: &HeaderMap, cache: HeaderValue) -> Response {
    let Some(mut response) = assets::file(name, headers) else { return no_route().await.into_response() };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, policy::NO_SNIFF);
    response
}

async fn read_settings(State(api): State<Api>) -> Response {
    let mut response = axum::Json(Arc::clone(&api.console)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, NEVER);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, policy::NO_SNIFF);
    response
}
