//! Around every request: a deadline, an end with the database, a metric, a span, the content type of errors, and the end of its connection.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span};

use super::Api;
use super::error::{ApiError, IsProblem};
use super::problem::Problem;
use crate::telemetry::{RequestDone, RequestLimited};

/// No reading takes so long, unless the database hangs: its own timeouts are shorter.
const READ_DEADLINE: Duration = Duration::from_secs(10);
/// Freezing a large selection and waiting for its end may take longer.
const ACT_DEADLINE: Duration = Duration::from_secs(100);

/// Runs the request.
pub async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let wants_problem = accepts_problem(&request);
    let span = info_span!("http request", http.request.method = known(&method), http.route = route);
    let deadline = if method == Method::GET || method == Method::HEAD { READ_DEADLINE } else { ACT_DEADLINE };
    let begun = Instant::now();
    let mut response = tokio::select! {
        biased;
        response = next.run(request).instrument(span) => response,
        () = api.heartbeat.lost() => unavailable(),
        () = tokio::time::sleep(deadline) => unavailable(),
    };
    if let Some(IsProblem(problem)) = response.extensions().get().copied() {
        if wants_problem {
            let problem_json = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        }
        if problem.status == StatusCode::TOO_MANY_REQUESTS {
            RequestLimited { limit: &problem.slug() }.emit(&api.metrics);
        }
    }
    RequestDone {
        method: known(&method),
        route: &route,
        status: response.status().as_u16(),
        duration: begun.elapsed(),
    }
    .emit(&api.metrics);
    response
}

/// The method, if it is one of those that HTTP knows: a caller must not make up values of labels.
fn known(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    if known.contains(method) { method.as_str() } else { "_OTHER" }
}

fn unavailable() -> Response {
    ApiError::from(Problem::UNAVAILABLE).into_response()
}

/// What is known of the end while it comes.
#[derive(Clone, Debug)]
pub struct Departure {
    /// Cancelled when the process is to stop.
    pub stop: CancellationToken,
    /// Requests that are not answered yet.
    pub requests: TaskTracker,
}

/// Once the process is to stop, each connection ends with its next answer: when the listener closes later, no client has one
/// that it might send a request on.
pub async fn send_elsewhere(State(departure): State<Departure>, request: Request, next: Next) -> Response {
    let _under_way = departure.requests.token();
    let mut response = next.run(request).await;
    if departure.stop.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn accepts_problem(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).iter();
    accepted.filter_map(|value| value.to_str().ok()).any(|value| value.contains("application/problem+json"))
}
