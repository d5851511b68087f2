//! Metrics in Prometheus' format. Those of this process are counted as things happen; those of the whole service
//! (operations by state, dead letters by squad) are read from the database at each scrape, and are the same on every replica.

use chrono::{DateTime, Utc};
use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, exponential_buckets,
};

use crate::domain::incident::Kind;
use crate::domain::operation::State;
use crate::domain::place::Place;
use crate::domain::undelivered::Undelivered;

/// The labels of what does not arrive.
const UNDELIVERED: [&str; 4] = ["broker", "vhost", "queue", "reason"];

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    labels: SourceLabels,
    sources: SourceFamilies,
    /// Redelivered messages, confirmed.
    pub redelivered: IntCounter,
    /// Dead letters that were deleted.
    pub deleted: IntCounter,
    /// Redeliveries that the broker refused, by kind.
    pub refused: IntCounterVec,
    /// Items that were skipped.
    pub skipped: IntCounter,
    /// Seconds that a chunk took.
    pub chunk_duration: HistogramVec,
    /// Seconds that a request took, by method, route and status.
    pub http_duration: HistogramVec,
    /// Polls of the catalog that failed.
    pub catalog_failures: IntCounter,
    /// Requests that were refused because their caller asked for too much, by kind.
    pub http_limited: IntCounterVec,
    /// Attempts to send notifications, by channel and outcome.
    pub notifications: IntCounterVec,
    outbox: IntGaugeVec,
    outbox_age: IntGaugeVec,
    incidents: IntGaugeVec,
    operations: IntGaugeVec,
    squad_dead: IntGaugeVec,
    squad_oldest: IntGaugeVec,
    pool: IntGaugeVec,
    catalog_age: IntGaugeVec,
    catalog_conflicts: IntGaugeVec,
    management: IntGaugeVec,
    undelivered: IntGaugeVec,
    undelivered_age: IntGaugeVec,
}

/// The labels of a source.
#[derive(Clone, Copy, Debug)]
pub enum SourceLabels {
    /// The queue, if there is only one place.
    Queue,
    /// The queue and its place.
    QueueAndPlace,
}

impl SourceLabels {
    /// The labels for this number of places.
    pub fn of(places: usize) -> Self {
        if places > 1 { Self::QueueAndPlace } else { Self::Queue }
    }

    /// The names, and the same with the kind of a warning.
    fn names(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Queue => (&["source"], &["source", "kind"]),
            Self::QueueAndPlace => (&["source", "broker", "vhost"], &["source", "broker", "vhost", "kind"]),
        }
    }

    fn values<'s>(self, queue: &'s str, place: &'s Place) -> Vec<&'s str> {
        match self {
            Self::Queue => vec![queue],
            Self::QueueAndPlace => vec![queue, &place.broker, &place.vhost],
        }
    }
}

/// Use of a connection pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolUse {
    /// The part of the service that uses it.
    pub name: &'static str,
    /// Open connections.
    pub size: u32,
    /// Idle connections among these.
    pub idle: u32,
}

/// What a squad owns that is dead, without muted error groups.
#[derive(Clone, Copy, Debug)]
pub struct SquadBacklog<'a> {
    /// The squad.
    pub squad: &'a str,
    /// Number of dead letters.
    pub dead: i64,
    /// Age of the oldest, in seconds. 0: there is none.
    pub oldest: i64,
}

/// What is read anew at each scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scraped<'a> {
    /// Operations by state. `None`, as below: the database does not answer.
    pub operations: Option<&'a [(State, i64)]>,
    /// What each squad owns.
    pub squads: Option<&'a [SquadBacklog<'a>]>,
    /// The pools of connections.
    pub pools: &'a [PoolUse],
    /// The catalog, where squads come from one.
    pub catalog: Option<CatalogState>,
    /// What people are told.
    pub telling: Option<&'a TellingState>,
}

/// State of the catalog that squads come from.
#[derive(Clone, Copy, Debug)]
pub struct CatalogState {
    /// Seconds since its last snapshot was taken.
    pub age: i64,
    /// Services whose claims contradict each other.
    pub contested: i64,
    /// Services that wait until another component takes them over.
    pub waiting: i64,
}

/// What people are told.
#[derive(Clone, Debug, Default)]
pub struct TellingState {
    /// Open incidents of each kind.
    pub incidents: Vec<(Kind, i64)>,
    /// Notifications in the outbox, by where they stand.
    pub outbox: Vec<(&'static str, i64)>,
    /// Seconds since the oldest one was to be sent.
    pub oldest: i64,
}

#[derive(Debug)]
struct SourceFamilies {
    ingested: IntCounterVec,
    duplicates: IntCounterVec,
    poisoned: IntCounterVec,
    returned: IntCounterVec,
    batch_rows: HistogramVec,
    commit_duration: HistogramVec,
    ack_lag: HistogramVec,
    depth: IntGaugeVec,
    in_flight: IntGaugeVec,
    in_flight_bytes: IntGaugeVec,
    consuming: IntGaugeVec,
    warnings: IntGaugeVec,
}

/// The metrics of one source.
#[derive(Clone, Debug)]
pub struct SourceMetrics {
    /// Dead letters that were stored.
    pub ingested: IntCounter,
    /// Messages that were stored before.
    pub duplicates: IntCounter,
    /// Rows that the database refused, stored with their derived fields blanked.
    pub poisoned: IntCounter,
    /// Stored dead letters that we had redelivered before.
    pub returned: IntCounter,
    /// Rows in a batch.
    pub batch_rows: Histogram,
    /// Seconds from the start of a batch's transaction to its commit.
    pub commit_duration: Histogram,
    /// Seconds from the arrival of a batch's first message to its ack.
    pub ack_lag: Histogram,
    /// Messages that wait in the queue.
    pub depth: IntGauge,
    /// In-flight messages.
    pub in_flight: IntGauge,
    /// Bytes of in-flight messages.
    pub in_flight_bytes: IntGauge,
    /// 1 while it is consumed.
    pub consuming: IntGauge,
    /// 1 for each way in which the broker may lose its messages.
    pub warnings: SourceWarnings,
}

/// The gauges of one source's warnings.
#[derive(Clone, Debug)]
pub struct SourceWarnings {
    gauges: IntGaugeVec,
    source: Vec<String>,
}

impl SourceWarnings {
    /// The gauge of this kind of warning.
    pub fn with(&self, kind: &str) -> IntGauge {
        let labels: Vec<_> = self.source.iter().map(String::as_str).chain([kind]).collect();
        self.gauges.with_label_values(&labels)
    }
}

/// Creates metrics in a registry.
#[derive(Default)]
struct Registrar(Registry);

#[expect(
    clippy::expect_used,
    reason = "the names are literals, each used once: a clash shows at the first start"
)]
impl Registrar {
    fn register<C: Collector + Clone + 'static>(&self, metric: prometheus::Result<C>) -> C {
        let metric = metric.expect("valid metric");
        self.0.register(Box::new(metric.clone())).expect("registered once");
        metric
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn plain_counter(&self, name: &str, help: &str) -> IntCounter {
        self.counter(name, help, &[]).with_label_values(&[] as &[&str])
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// From 1 ms to half a minute.
    fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.histogram(name, help, labels, exponential_buckets(0.001, 2.0, 16).expect("valid buckets"))
    }

    /// From 1 to 2048.
    fn rows(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.histogram(name, help, labels, exponential_buckets(1.0, 2.0, 12).expect("valid buckets"))
    }

    fn histogram(&self, name: &str, help: &str, labels: &[&str], buckets: Vec<f64>) -> HistogramVec {
        self.register(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels))
    }
}

impl SourceFamilies {
    fn new(registrar: &Registrar, labels: SourceLabels) -> Self {
        let (source, source_and_kind) = labels.names();
        let counter = |name, help| registrar.counter(name, help, source);
        let gauge = |name, help| registrar.gauge(name, help, source);
        let seconds = |name, help| registrar.seconds(name, help, source);
        Self {
            ingested: counter("dead_letter_ingested_total", "Dead letters stored"),
            duplicates: counter(
                "dead_letter_duplicates_total",
                "Messages delivered again that were already stored",
            ),
            poisoned: counter(
                "dead_letter_poisoned_total",
                "Dead letters stored with their derived fields blanked, because the database refused the row",
            ),
            returned: counter(
                "dead_letter_returned_total",
                "Stored dead letters whose message had been redelivered before and died again",
            ),
            batch_rows: registrar.rows("dead_letter_batch_rows", "Messages per batch", source),
            commit_duration: seconds(
                "dead_letter_batch_commit_duration_seconds",
                "Time from the start of a batch's transaction to its commit",
            ),
            ack_lag: seconds(
                "dead_letter_ack_lag_seconds",
                "Time from the delivery of a batch's first message to its acknowledgement",
            ),
            depth: gauge("dead_letter_source_depth", "Ready messages in the source queue"),
            in_flight: gauge("dead_letter_in_flight_messages", "Messages delivered and not yet acknowledged"),
            in_flight_bytes: gauge(
                "dead_letter_in_flight_bytes",
                "Size of the messages delivered and not yet acknowledged",
            ),
            consuming: gauge("dead_letter_source_consuming", "1 while the source is consumed, else 0"),
            warnings: registrar.gauge(
                "dead_letter_source_warnings",
                "1 for each way in which the broker may lose messages of the source, by kind",
                source_and_kind,
            ),
        }
    }
}

impl Metrics {
    /// Registers every metric.
    pub fn new(labels: SourceLabels) -> Self {
        let registrar = Registrar::default();
        Self {
            labels,
            sources: SourceFamilies::new(&registrar, labels),
            redelivered: registrar.plain_counter(
                "dead_letter_redelivered_total",
                "Messages redelivered: confirmed by the broker and routed",
            ),
            deleted: registrar.plain_counter("dead_letter_deleted_total", "Dead letters deleted"),
            skipped: registrar
                .plain_counter("dead_letter_skipped_total", "Items of operations that were skipped"),
            refused: registrar.counter(
                "dead_letter_refused_total",
                "Redeliveries that the broker refused, by reason",
                &["reason"],
            ),
            chunk_duration: registrar.seconds(
                "dead_letter_operation_chunk_duration_seconds",
                "Duration of a chunk of an operation",
                &["kind"],
            ),
            http_duration: registrar.seconds(
                "http_server_request_duration_seconds",
                "Duration of an HTTP request",
                &["http_request_method", "http_route", "http_response_status_code"],
            ),
            http_limited: registrar.counter(
                "dead_letter_http_limited_total",
                "Requests answered with 429 because their caller is over a limit, by the type of the error",
                &["type"],
            ),
            notifications: registrar.counter(
                "dead_letter_notifications_total",
                "Attempts to send a notification, by channel and outcome: `sent`, `retried`, or `failed` for good",
                &["channel", "outcome"],
            ),
            outbox: registrar.gauge(
                "dead_letter_outbox",
                "Notifications that are stored and not sent: `due`, `held` in quiet hours, or `failed` for good. The value comes from the \
                 database and is the same on every replica",
                &["state"],
            ),
            outbox_age: registrar.gauge(
                "dead_letter_outbox_oldest_seconds",
                "Time since the oldest notification was to be sent that is not sent. The value comes from the database and is the same on \
                 every replica",
                &[],
            ),
            incidents: registrar.gauge(
                "dead_letter_incidents",
                "Open incidents by kind. The value comes from the database and is the same on every replica",
                &["kind"],
            ),
            operations: registrar.gauge(
                "dead_letter_operations",
                "Operations by state. The value comes from the database and is the same on every replica",
                &["state"],
            ),
            squad_dead: registrar.gauge(
                "dead_letter_squad_dead",
                "Dead letters of a squad, without those of muted error groups. The value comes from the database and is the same on every \
                 replica",
                &["squad"],
            ),
            squad_oldest: registrar.gauge(
                "dead_letter_squad_oldest_seconds",
                "Age of the oldest of them, or 0. It is rounded up to 5 minutes, and to an hour after two days",
                &["squad"],
            ),
            pool: registrar.gauge(
                "dead_letter_db_connections",
                "Open database connections, by pool and by whether they are used or idle",
                &["pool", "state"],
            ),
            catalog_failures: registrar
                .plain_counter("dead_letter_catalog_failures_total", "Polls of the catalog that failed"),
            catalog_age: registrar.gauge(
                "dead_letter_catalog_age_seconds",
                "Age of the squads that come from the catalog. Before the first snapshot, the time since the start",
                &[],
            ),
            catalog_conflicts: registrar.gauge(
                "dead_letter_catalog_conflicts",
                "Services that belong to nobody because components contradict each other (`contested`), or because another component \
                 claims them for another squad (`waiting`)",
                &["kind"],
            ),
            management: registrar.gauge(
                "dead_letter_management_answers",
                "1 while the management API of the broker answers, else 0",
                &["broker"],
            ),
            undelivered: registrar.gauge(
                "dead_letter_undelivered_messages",
                "Dead letters that wait in the queue where they died. 0 if they are dropped, as the broker does not count those",
                &UNDELIVERED,
            ),
            undelivered_age: registrar.gauge(
                "dead_letter_undelivered_age_seconds",
                "Time since dead letters of the queue were first seen not to arrive",
                &UNDELIVERED,
            ),
            registry: registrar.0,
        }
    }

    /// The metrics of a source.
    pub fn source(&self, queue: &str, place: &Place) -> SourceMetrics {
        let f = &self.sources;
        let name = &self.labels.values(queue, place)[..];
        let source = name.iter().map(|value| (*value).to_owned()).collect();
        let warnings = SourceWarnings { gauges: f.warnings.clone(), source };
        SourceMetrics {
            warnings,
            ingested: f.ingested.with_label_values(name),
            duplicates: f.duplicates.with_label_values(name),
            poisoned: f.poisoned.with_label_values(name),
            returned: f.returned.with_label_values(name),
            batch_rows: f.batch_rows.with_label_values(name),
            commit_duration: f.commit_duration.with_label_values(name),
            ack_lag: f.ack_lag.with_label_values(name),
            depth: f.depth.with_label_values(name),
            in_flight: f.in_flight.with_label_values(name),
            in_flight_bytes: f.in_flight_bytes.with_label_values(name),
            consuming: f.consuming.with_label_values(name),
        }
    }

    /// Whether the management API of this broker answers.
    pub fn management_answers(&self, broker: &str, answers: bool) {
        self.management.with_label_values(&[broker]).set(answers.into());
    }

    /// Replaces what does not arrive.
    pub fn set_undelivered<'u>(&self, all: impl Iterator<Item = &'u Undelivered>, now: DateTime<Utc>) {
        self.undelivered.reset();
        self.undelivered_age.reset();
        for Undelivered { place, queue, messages, since, reason, .. } in all {
            let labels = [&place.broker, &place.vhost, queue, reason.as_str()];
            let messages = i64::try_from(messages.unwrap_or_default()).unwrap_or(i64::MAX);
            self.undelivered.with_label_values(&labels).set(messages);
            self.undelivered_age.with_label_values(&labels).set((now - since).num_seconds());
        }
    }

    /// The gauges of what people are told, which are absent where the database does not answer.
    fn set_telling(&self, telling: Option<&TellingState>) {
        for gauge in [&self.incidents, &self.outbox, &self.outbox_age] {
            gauge.reset();
        }
        let Some(TellingState { incidents, outbox, oldest }) = telling else { return };
        for kind in Kind::ALL {
            self.incidents.with_label_values(&[kind.as_str()]).set(0);
        }
        for (kind, count) in incidents {
            self.incidents.with_label_values(&[kind.as_str()]).set(*count);
        }
        for (state, count) in outbox {
            self.outbox.with_label_values(&[*state]).set(*count);
        }
        self.outbox_age.with_label_values(&[] as &[&str]).set(*oldest);
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self, scraped: &Scraped<'_>) -> String {
        let &Scraped { operations, squads, pools, catalog, telling } = scraped;
        self.set_telling(telling);
        if let Some(CatalogState { age, contested, waiting }) = catalog {
            self.catalog_age.with_label_values(&[] as &[&str]).set(age);
            self.catalog_conflicts.with_label_values(&["contested"]).set(contested);
            self.catalog_conflicts.with_label_values(&["waiting"]).set(waiting);
        }
        self.operations.reset();
        for (state, count) in operations.unwrap_or_default() {
            self.operations.with_label_values(&[state.as_str()]).set(*count);
        }
        self.squad_dead.reset();
        self.squad_oldest.reset();
        for backlog in squads.unwrap_or_default() {
            self.squad_dead.with_label_values(&[backlog.squad]).set(backlog.dead);
            self.squad_oldest.with_label_values(&[backlog.squad]).set(backlog.oldest);
        }
        for pool in pools {
            let used = pool.size.saturating_sub(pool.idle);
            self.pool.with_label_values(&[pool.name, "idle"]).set(pool.idle.into());
            self.pool.with_label_values(&[pool.name, "used"]).set(used.into());
        }
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}
