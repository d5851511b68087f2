//! `dead-letter serve`: consumes dead letters and serves the API.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::access::Access;
use crate::amqp::{Broker, Brokers, SourceQueue};
use crate::clock;
use crate::config::{
    ConsoleConfig, Consumed, Notifications, OperationsConfig, PlaintextChannel, ServeConfig, YesNo,
};
use crate::domain::convention::Conventions;
use crate::domain::place::Place;
use crate::domain::undelivered::Undelivered;
use crate::http::{self, Admin, Api, ConsoleOidc, ConsoleSettings, Followed, Limits, Names, Refusals};
use crate::ingest::{self, Ingest, SourceStatus};
use crate::latest::Latest;
use crate::lifecycle::Lifecycle;
use crate::live_file::LiveFile;
use crate::notifications::{self, Deliverer, Routes, Watcher};
use crate::operations::{self, Operations, Worker};
use crate::ownership::{self, Follower, Ownership, Rules};
use crate::reconcile::{self, Reconciliation};
use crate::store::{ConsumerSession, PoolSettings, Store};
use crate::telemetry::{Metrics, MetricsExport, SourceLabels, Telemetry};
use crate::upkeep::{self, after};

pub(super) async fn run(config: ServeConfig) -> anyhow::Result<()> {
    config.check_address()?;
    config.check_telemetry()?;
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let served = serve(config).await;
    telemetry.shutdown();
    served
}

/// This process as the consumer of a source. Host and address make a name that survives a restart and that no other replica has.
fn session(config: &ServeConfig, place: &Place, source: &str) -> ConsumerSession {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let process = format!("{} {}", host.trim(), config.http_addr);
    ConsumerSession { id: clock::new_id(), process, place: place.clone(), source: source.to_owned() }
}

/// The files whose changes take effect without a restart.
fn reload_files(
    lifecycle: &mut Lifecycle,
    ownership: Option<LiveFile<Rules>>,
    routes: Option<LiveFile<Routes>>,
    access: &Access,
) {
    let stop = lifecycle.stop();
    if let Some(file) = routes {
        lifecycle.spawn("notifications file", file.reload_on_change(stop.clone()));
    }
    if let Some(file) = ownership {
        lifecycle.spawn("ownership", file.reload_on_change(stop.clone()));
    }
    if let Some(tokens) = access.verifiers.tokens.clone() {
        lifecycle.spawn("tokens", tokens.reload_on_change(stop.clone()));
    }
    if let Some(policy) = access.policy.clone() {
        lifecycle.spawn("policy", policy.reload_on_change(stop));
    }
}

/// What the console is told before anybody has signed in.
fn console(config: &ServeConfig, access: &Access) -> ConsoleSettings {
    let ConsoleConfig { console_title, console_client_id, console_scope, console_resource, console_audience } =
        config.console.clone();
    let oidc = config.access.oidc_issuer.clone().map(|issuer| ConsoleOidc {
        issuer,
        client_id: console_client_id,
        scope: console_scope,
        resource: console_resource,
        audience: console_audience,
    });
    ConsoleSettings {
        title: console_title,
        sign_in_required: access.is_token_required(),
        tokens: access.verifiers.tokens.is_some(),
        oidc,
    }
}

/// Where squads come from.
struct Squads {
    ownership: Ownership,
    file: Option<LiveFile<Rules>>,
    follower: Option<Follower>,
}

fn squads(config: &ServeConfig, store: &Store, metrics: &Metrics) -> anyhow::Result<Squads> {
    let ownership = Ownership::default();
    let file = config.ownership_file.as_deref().map(|path| ownership::open(path, &ownership)).transpose()?;
    let settings = config.catalog.settings(&config.database.channels.tls(PlaintextChannel::Issuer))?;
    let failures = || metrics.catalog_failures.clone();
    let follower = settings.map(|settings| Follower::new(settings, store.clone(), &ownership, failures()));
    Ok(Squads { follower: follower.transpose()?, ownership, file })
}

/// The snapshot that is stored is used at once, and renewed.
fn follow_catalog(lifecycle: &mut Lifecycle, follower: Option<Follower>, schema: &CancellationToken) {
    let Some(follower) = follower else { return };
    let stop = lifecycle.stop();
    lifecycle.spawn("catalog", after(schema.clone(), stop.clone(), follower.follow(stop)));
}

/// Looks for incidents, and tells squads of them.
fn tell(
    lifecycle: &mut Lifecycle,
    watcher: Watcher,
    Notifications { routes, courier, console, .. }: Notifications,
    sources: Arc<[Arc<SourceStatus>]>,
    metrics: Arc<Metrics>,
    schema: &CancellationToken,
) {
    let (stop, store) = (lifecycle.stop(), watcher.store.clone());
    let report = notifications::report_sources(store.clone(), sources, routes.clone(), stop.clone());
    lifecycle.spawn("source readings", after(schema.clone(), stop.clone(), report));
    let watching = notifications::watch(watcher, stop.clone());
    lifecycle.spawn("incidents", after(schema.clone(), stop.clone(), watching));
    let deliverer = Deliverer { store, routes, courier, console, metrics, stop: stop.clone() };
    lifecycle.spawn("notifications", after(schema.clone(), stop, notifications::deliver(deliverer)));
}

/// Where a source stands: nothing is known yet.
fn status(source: &SourceQueue, broker: &Broker, brokers: &Brokers, metrics: &Metrics) -> Arc<SourceStatus> {
    let name = brokers.name_of(&source.queue, broker.place());
    let metrics = metrics.source(&source.queue, broker.place());
    Arc::new(SourceStatus::new(&source.queue, broker.place(), name, metrics))
}

async fn serve(config: ServeConfig) -> anyhow::Result<()> {
    let consumed = config.consumed()?;
    let brokers = Brokers::new(consumed.iter().map(|place| place.broker.clone()));
    let sources: Vec<_> = consumed.iter().flat_map(Consumed::each).collect();
    let store = config.database.store(pool_settings(&config, sources.len()))?;
    let conventions = config.conventions();
    let metrics = Arc::new(Metrics::new(SourceLabels::of(consumed.len()), config.log.metric_names()));
    let Squads { ownership, file, follower } = squads(&config, &store, &metrics)?;
    let issuer = config.database.channels.tls(PlaintextChannel::Issuer);
    let access = Arc::new(config.access.access(config.unauthenticated, &issuer)?);
    let receivers = config.database.channels.tls(PlaintextChannel::Notifications);
    let mut notifications = config.notifications.notifications(&receivers)?;
    let api_listener = bind("HTTP_ADDR", config.http_addr).await?;
    let admin_listener = bind("ADMIN_ADDR", config.admin_addr).await?;

    let mut lifecycle = Lifecycle::new(config.drain_delay, config.grace_period);
    let (stop, close) = (lifecycle.stop(), lifecycle.close());
    let statuses: Arc<[_]> =
        sources.iter().map(|(broker, source)| status(source, broker, &brokers, &metrics)).collect();
    let undelivered = reconcile_brokers(&mut lifecycle, &consumed, &metrics);
    let admin = Admin {
        store: store.clone(),
        metrics: Arc::clone(&metrics),
        sources: Arc::clone(&statuses),
        ownership: ownership.clone(),
        undelivered,
    };
    lifecycle.spawn_until_exit("admin", http::serve_admin(admin_listener, admin.clone(), stop.clone()));
    export_metrics(&mut lifecycle, &config, admin)?;
    let (heartbeat, asking) = store.heartbeat();
    lifecycle.spawn_until_exit("heartbeat", asking);
    let operations = Operations::new(
        store.clone(),
        brokers.clone(),
        conventions.clone(),
        &config.operations,
        config.limits.bounds(),
    );
    let refusals = Refusals::default();
    let api = Api {
        store: store.clone(),
        ownership: ownership.clone(),
        operations: operations.clone(),
        conventions: conventions.clone(),
        console: Arc::new(console(&config, &access)),
        log_link: config.log_link.clone().map(Arc::new),
        trace_link: config.trace_link.clone().map(Arc::new),
        names: names(&config),
        routes: notifications.routes.clone(),
        access: Arc::clone(&access),
        limits: Arc::new(Limits::new(&config.limits)),
        followed: Followed::new(store.clone()),
        refusals: refusals.clone(),
        metrics: Arc::clone(&metrics),
        heartbeat,
        stop: stop.clone(),
        close,
    };
    lifecycle.spawn("api", http::serve(api_listener, api));
    lifecycle.spawn("refusals", refusals.write(store.clone(), stop.clone()));
    reload_files(&mut lifecycle, file, notifications.file.take(), &access);
    info!(api = %config.http_addr, admin = %config.admin_addr, broker = brokers.address(), "dead-letter starts");

    let schema = keep_database(&mut lifecycle, &config, &store, &brokers);
    follow_catalog(&mut lifecycle, follower, &schema);
    let watcher = Watcher { store: store.clone(), ownership, routes: notifications.routes.clone() };
    tell(&mut lifecycle, watcher, notifications, Arc::clone(&statuses), Arc::clone(&metrics), &schema);
    for ((broker, source), status) in sources.into_iter().zip(statuses.iter()) {
        let status = Arc::clone(status);
        let ingest = ingest(&config, store.clone(), &conventions, broker, source, status, &metrics);
        let supervision = ingest::supervise(ingest, stop.clone());
        lifecycle.spawn("ingest", after(schema.clone(), stop.clone(), supervision));
    }
    start_workers(&mut lifecycle, &schema, &config.operations, || {
        let (store, metrics) = (store.clone(), Arc::clone(&metrics));
        Worker::new(
            store,
            operations.clone(),
            &brokers,
            conventions.clone(),
            config.operations.clone(),
            metrics,
        )
    });
    let ended = lifecycle.run().await;
    if ended.is_ok() {
        store.close().await;
        info!("all work is finished");
    }
    ended
}

/// Keeps the database in order. The token that it returns is cancelled once the schema is up to date.
fn keep_database(
    lifecycle: &mut Lifecycle,
    config: &ServeConfig,
    store: &Store,
    brokers: &Brokers,
) -> CancellationToken {
    let (schema, stop) = (CancellationToken::new(), lifecycle.stop());
    let schema_is_kept = upkeep::keep_schema(
        store.clone(),
        brokers.first().place().clone(),
        config.retention,
        schema.clone(),
        stop.clone(),
    );
    lifecycle.spawn("schema", schema_is_kept);
    upkeep::start(lifecycle, store, &schema);
    let announcement =
        upkeep::announce_places(store.clone(), brokers.places().cloned().collect(), stop.clone());
    lifecycle.spawn("places", after(schema.clone(), stop.clone(), announcement));
    let returns = operations::link_returns(store.clone(), stop.clone());
    lifecycle.spawn("returns", after(schema.clone(), stop, returns));
    schema
}

/// Looks at the brokers whose management API is configured. What each look finds is in the values that it returns.
fn reconcile_brokers(
    lifecycle: &mut Lifecycle,
    consumed: &[Consumed],
    metrics: &Arc<Metrics>,
) -> Arc<[Latest<Vec<Undelivered>>]> {
    let mut all = Vec::new();
    let shown = consumed.iter().filter(|place| place.management.is_some());
    for places in Consumed::by_broker(shown).into_values() {
        let Some(management) = places.iter().find_map(|place| place.management.clone()) else { continue };
        let places = places.into_iter().cloned().collect();
        let (found, metrics) = (Latest::default(), Arc::clone(metrics));
        all.push(found.clone());
        let stop = lifecycle.stop();
        let reconciliation = Reconciliation { management, places, found, metrics };
        lifecycle.spawn("reconciliation", reconcile::reconcile(reconciliation, stop));
    }
    all.into()
}

/// Ingest of one source.
fn ingest(
    config: &ServeConfig,
    store: Store,
    conventions: &Conventions,
    broker: Broker,
    source: SourceQueue,
    status: Arc<SourceStatus>,
    metrics: &Metrics,
) -> Ingest {
    Ingest {
        session: session(config, broker.place(), &source.queue),
        metrics: metrics.source(&source.queue, broker.place()),
        broker,
        source,
        store,
        service_rule: config.service_rule.clone(),
        conventions: conventions.clone(),
        config: config.ingest.clone(),
        status,
    }
}

/// Sends metrics to a collector, if that is configured.
fn export_metrics(lifecycle: &mut Lifecycle, config: &ServeConfig, admin: Admin) -> anyhow::Result<()> {
    let Some(export) = MetricsExport::new(&config.log, &config.database.channels)? else { return Ok(()) };
    let stop = lifecycle.stop();
    lifecycle.spawn("metrics", async move {
        let gather = || async { admin.gather().await };
        export.run(gather, stop).await;
        Ok(())
    });
    Ok(())
}

/// The workers of operations.
fn start_workers(
    lifecycle: &mut Lifecycle,
    schema: &CancellationToken,
    config: &OperationsConfig,
    worker: impl Fn() -> Worker,
) {
    for _ in 0..config.operation_workers {
        let stop = lifecycle.stop();
        let work = operations::work(worker(), stop.clone());
        lifecycle.spawn("operations", after(schema.clone(), stop, work));
    }
}

/// Another site's page has no token to send, so names only matter if none is needed.
fn names(config: &ServeConfig) -> Names {
    match config.unauthenticated {
        YesNo::No if !config.access.is_configured() => Names::Loopback,
        YesNo::No | YesNo::Yes => Names::Any,
    }
}

fn pool_settings(config: &ServeConfig, sources: usize) -> PoolSettings {
    let sources = u32::try_from(sources).unwrap_or(u32::MAX);
    PoolSettings {
        ingest: sources.saturating_mul(config.ingest.batches_in_flight),
        http: config.http_connections,
        scans: config.scans.into(),
        // Each worker uses two for its chunks and one to record that a chunk begins. Four of the others freeze selections, and two are
        // for incidents and their notifications.
        operations: config.operations.operation_workers * 3 + 6,
        answer_timeout: Some(config.database_answer_timeout),
    }
}

async fn bind(setting: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {setting}={address}"))
}
