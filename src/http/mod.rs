//! The API: routes, one file for each endpoint; problem details; the `OpenAPI` document, made from the router.

mod admin;
mod auth;
mod body;
mod create_operation;
mod delete;
mod edit_input;
mod error;
mod error_group;
mod error_group_view;
mod error_groups;
#[doc(hidden)]
pub mod filter;
mod get;
mod get_operation;
mod histogram;
mod list_items;
mod list_operations;
mod message_view;
mod names;
mod observe;
mod operation_request;
mod operation_view;
mod page;
mod plan;
mod preview;
#[doc(hidden)]
pub mod query;
mod redeliver;
mod request_body;
mod restore;
mod search;
mod service_overview;
mod squad_overview;
mod start_operation;
mod steer_operation;
mod target;
mod view;
mod watch_operation;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::domain::convention::Conventions;
use crate::domain::log_link::LogLink;
use crate::domain::operation::Operation;
use crate::operations::Operations;
use crate::ownership::Ownership;
use crate::store::{Heartbeat, Store};
use crate::telemetry::Metrics;

use operation_view::OperationView;

pub use admin::Admin;
pub use auth::Backstage;

/// Until the last answers have gone out.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Which names the API answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those of this machine.
    Loopback,
    /// All.
    Any,
}

/// What the endpoints work with.
#[derive(Clone, Debug)]
pub struct Api {
    /// The database.
    pub store: Store,
    /// Service to squad.
    pub ownership: Ownership,
    /// Where operations are asked for.
    pub operations: Operations,
    /// How libraries tell of failures.
    pub conventions: Conventions,
    /// Where the logs of a dead letter are.
    pub log_link: Option<Arc<LogLink>>,
    /// Which names the API answers to.
    pub names: Names,
    /// Whose users may say who they are.
    pub backstage: Option<Backstage>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Whether the database answers.
    pub heartbeat: Heartbeat,
    /// Cancelled when the process is to stop, and requests are to go elsewhere.
    pub stop: CancellationToken,
    /// Cancelled when no more requests are taken, and nobody is to wait any longer.
    pub close: CancellationToken,
}

impl Api {
    /// The operation as clients see it now.
    fn view(&self, operation: Operation) -> OperationView {
        OperationView::new(operation, self.operations.watch_returns())
    }
}

/// The document, but for the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "dead-letter",
        description = "Stores, inspects and replays dead-lettered messages of RabbitMQ.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This service")),
    // Responses refer to it, and utoipa collects no schemas from them.
    components(schemas(error::ErrorViewModel, error::FieldError, error::ErrorName, error::ErrorResponse)),
    tags(
        (name = "dead letters", description = "Search and look at dead letters"),
        (name = "overviews", description = "How many there are, and whose they are"),
        (name = "error groups", description = "Which failures are the same bug, and what is known of it"),
        (name = "operations", description = "Put back or delete a frozen selection, and follow it"),
    ),
)]
struct Document;

fn api_router() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(search::search, delete::delete))
        .routes(routes!(squad_overview::squad_overview))
        .routes(routes!(service_overview::service_overview))
        .routes(routes!(error_groups::error_groups))
        .routes(routes!(error_group::error_group, error_group::change_error_group))
        .routes(routes!(histogram::histogram))
        .routes(routes!(redeliver::redeliver))
        .routes(routes!(restore::restore))
        .routes(routes!(get::get))
        .routes(routes!(body::body))
        .routes(routes!(create_operation::create_operation, list_operations::list_operations))
        .routes(routes!(plan::plan))
        .routes(routes!(plan::get_plan))
        .routes(routes!(preview::preview))
        .routes(routes!(get_operation::get_operation, steer_operation::change_operation))
        .routes(routes!(steer_operation::pause))
        .routes(routes!(steer_operation::resume))
        .routes(routes!(steer_operation::cancel))
        .routes(routes!(watch_operation::watch_operation))
        .routes(routes!(list_items::list_items))
}

/// The `OpenAPI` document: made from the router, without a database.
pub fn document() -> utoipa::openapi::OpenApi {
    api_router().split_for_parts().1
}

fn router(api: Api) -> Router {
    let (router, document) = api_router().split_for_parts();
    let router = router
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .merge(SwaggerUi::new("/swagger").url("/openapi.json", document));
    let router = match api.names {
        Names::Loopback => router.layer(axum::middleware::from_fn(names::loopback_only)),
        Names::Any => router,
    };
    router
        .layer(axum::middleware::from_fn_with_state(api.clone(), observe::observe))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(error::panicked))
        .with_state(api)
}

/// Serves the API until no more requests are to be taken; those that are under way are finished.
pub async fn serve(listener: TcpListener, api: Api) -> anyhow::Result<()> {
    let (close, requests) = (api.close.clone(), TaskTracker::new());
    let departure = observe::Departure { stop: api.stop.clone(), requests: requests.clone() };
    let router = router(api).layer(axum::middleware::from_fn_with_state(departure, observe::send_elsewhere));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener.tap_io(send_at_once), service)
        .with_graceful_shutdown(close.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served.context("the API cannot be served"),
        () = all_answered(&close, &requests) => Ok(()),
    }
}

/// What is still connected then is a client that has stopped in the middle of a request: nobody waits for it.
async fn all_answered(close: &CancellationToken, requests: &TaskTracker) {
    close.cancelled().await;
    requests.close();
    requests.wait().await;
    debug!("every request is answered");
    tokio::time::sleep(LAST_ANSWERS).await;
}

/// The end of an answer does not wait until the client has acknowledged what came before (Nagle's algorithm).
fn send_at_once(connection: &mut TcpStream) {
    // Without it the answer comes too, only later.
    let _ = connection.set_nodelay(true);
}

/// Serves health and metrics; does not end.
pub async fn serve_admin(listener: TcpListener, admin: Admin, stop: CancellationToken) -> anyhow::Result<()> {
    axum::serve(listener.tap_io(send_at_once), admin::router(admin, stop))
        .await
        .context("health and metrics cannot be served")
}
