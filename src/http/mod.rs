//! The API: [`dead_letters`], [`error_groups`], [`operations`], [`incidents`] and [`deployments`], one file for each endpoint, and what
//! they share: problem details, filters, pages, words, and the `OpenAPI` document, made from the router.

mod admin;
mod audit;
mod auth;
mod console;
mod dead_letters;
mod deployments;
mod document;
mod error;
mod error_groups;
#[doc(hidden)]
pub mod filter;
mod incidents;
mod limits;
mod listen;
mod lookout;
mod me;
mod names;
mod observe;
mod operations;
mod ownership;
mod page;
mod problem;
#[doc(hidden)]
pub mod query;
mod request_body;
mod request_headers;
mod responses;
mod shift_log;
mod word;
mod words;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

use crate::access::{Access, Undecided};
use crate::clock;
use crate::domain::audit::{Action, Entry};
use crate::domain::convention::Conventions;
use crate::domain::log_link::LogLink;
use crate::domain::operation::Operation;
use crate::domain::trace_link::TraceLink;
use crate::notifications;
use crate::operations::Operations;
use crate::ownership::Ownership;
use crate::store::{Heartbeat, Store, StoreError};
use crate::telemetry::Metrics;

use auth::{Caller, Permissions, Requester};
use operations::view::OperationView;

pub use admin::Admin;
pub use auth::Refusals;
pub use console::{ConsoleOidc, ConsoleSettings};
pub use limits::Limits;
pub use operations::Followed;

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
    /// What the console is told before anybody has signed in.
    pub console: Arc<ConsoleSettings>,
    /// Where the logs of a dead letter are.
    pub log_link: Option<Arc<LogLink>>,
    /// Where the trace of its message is.
    pub trace_link: Option<Arc<TraceLink>>,
    /// Which names the API answers to.
    pub names: Names,
    /// Whom incidents are told.
    pub routes: notifications::Live,
    /// Who may call, and what they may do.
    pub access: Arc<Access>,
    /// What one caller may ask for.
    pub limits: Arc<Limits>,
    /// Operations that callers follow.
    pub followed: Followed,
    /// Refusals, until they are in the audit.
    pub refusals: Refusals,
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
    /// What this requester may do now.
    async fn caller(&self, requester: Requester) -> Result<Caller, Undecided> {
        let grants = self.access.grants(requester.principal()).await?;
        Ok(Caller::new(requester, grants, self.ownership.now()))
    }

    /// Writes down that the caller reads the payload of a dead letter of this service, before it does.
    async fn audit_read(&self, caller: &Caller, dead_letter: Uuid, service: &str) -> Result<(), StoreError> {
        let (services, dead_letter) = (vec![service.to_owned()], Some(dead_letter));
        self.audit_payload(caller, |read| Entry { services, dead_letter, ..read }).await
    }

    /// Writes down that the caller reads payloads, before it does. Where nobody has to sign in, there is nobody to write down.
    async fn audit_payload(
        &self,
        caller: &Caller,
        about: impl FnOnce(Entry) -> Entry,
    ) -> Result<(), StoreError> {
        if self.access.verifiers.is_empty() {
            return Ok(());
        }
        let read = Entry::new(clock::new_id(), caller.requester().actor(), Action::ReadPayload);
        self.store.audit(&[about(read)]).await
    }

    /// The operation as clients see it now.
    fn view(&self, operation: Operation) -> OperationView {
        OperationView::new(operation, self.operations.watch_returns())
    }
}

fn api_router() -> OpenApiRouter<Api> {
    use dead_letters::{body, facets, get, histogram, search, service_overview, squad_overview};
    use error_groups::{distinctions, list as groups, one as group};
    use operations::{
        create, delete, get as operation, items, list, plan, preview, redeliver, restore, steer, watch,
    };

    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(search::search, delete::delete))
        .routes(routes!(squad_overview::squad_overview))
        .routes(routes!(service_overview::service_overview))
        .routes(routes!(groups::error_groups))
        .routes(routes!(group::error_group, group::change_error_group))
        .routes(routes!(distinctions::error_group_distinctions))
        .routes(routes!(histogram::histogram))
        .routes(routes!(facets::facets))
        .routes(routes!(redeliver::redeliver))
        .routes(routes!(restore::restore))
        .routes(routes!(get::get))
        .routes(routes!(body::body))
        .routes(routes!(create::create_operation, list::list_operations))
        .routes(routes!(plan::plan))
        .routes(routes!(plan::get_plan))
        .routes(routes!(preview::preview))
        .routes(routes!(operation::get_operation, steer::change_operation))
        .routes(routes!(steer::pause))
        .routes(routes!(steer::resume))
        .routes(routes!(steer::cancel))
        .routes(routes!(watch::watch_operation))
        .routes(routes!(items::list_items))
        .routes(routes!(incidents::list::list_incidents))
        .routes(routes!(incidents::one::get_incident))
        .routes(routes!(incidents::test::create_test_notification))
        .routes(routes!(deployments::list::list_deployments, deployments::create::create_deployment))
        .routes(routes!(deployments::gate::get_gate))
        .routes(routes!(audit::list_audit_entries))
        .routes(routes!(shift_log::shift_log))
        .routes(routes!(me::me))
        .routes(routes!(ownership::ownership))
}

/// The router, and the `OpenAPI` document of its routes.
fn documented_router() -> (Router<Api>, utoipa::openapi::OpenApi) {
    let (router, mut document) = api_router().split_for_parts();
    document::complete(&mut document);
    (router, document)
}

/// The `OpenAPI` document: made from the router, without a database.
pub fn document() -> utoipa::openapi::OpenApi {
    documented_router().1
}

fn router(api: Api) -> Router {
    let (router, document) = documented_router();
    let permissions = Arc::new(Permissions::of(&document));
    let router = router
        .route_layer(axum::middleware::from_fn_with_state((api.clone(), permissions), auth::authorize))
        .merge(console::router())
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .merge(SwaggerUi::new("/swagger").url("/openapi.json", document));
    let router = match api.names {
        Names::Loopback => router.layer(axum::middleware::from_fn(names::loopback_only)),
        Names::Any => router,
    };
    router
        .layer(axum::middleware::from_fn(request_headers::bounded))
        .layer(axum::middleware::from_fn_with_state(api.clone(), observe::observe))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(error::panicked))
        .with_state(api)
}

/// Serves the API until no more requests are to be taken; those that are under way are finished.
pub async fn serve(listener: TcpListener, api: Api) -> anyhow::Result<()> {
    let (close, requests) = (api.close.clone(), TaskTracker::new());
    let departure = observe::Departure { stop: api.stop.clone(), requests: requests.clone() };
    let router = router(api).layer(axum::middleware::from_fn_with_state(departure, observe::send_elsewhere));
    tokio::select! {
        () = listen::serve(listener, router, close.clone()) => {}
        () = all_answered(&close, &requests) => {}
    }
    Ok(())
}

/// What is still connected then is a client that has stopped in the middle of a request: nobody waits for it.
async fn all_answered(close: &CancellationToken, requests: &TaskTracker) {
    close.cancelled().await;
    requests.close();
    requests.wait().await;
    debug!("every request is answered");
    tokio::time::sleep(LAST_ANSWERS).await;
}

/// Serves health and metrics; does not end.
pub async fn serve_admin(listener: TcpListener, admin: Admin, stop: CancellationToken) -> anyhow::Result<()> {
    axum::serve(listener.tap_io(|connection| listen::send_at_once(connection)), admin::router(admin, stop))
        .await
        .context("health and metrics cannot be served")
}
