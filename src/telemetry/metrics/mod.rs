//! Metrics. Those of this process are counted as things happen; those of the whole service
//! (operations by state, dead letters by squad) are read from the database at each scrape, and are the same on every replica.

mod messaging;
mod registrar;
mod scraped;

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};

use crate::config::MetricNames;
use crate::domain::place::Place;
use messaging::{Messaging, SourceMessaging};
use registrar::Registrar;
use scraped::ScrapedGauges;
pub use scraped::{CatalogState, PoolUse, Scraped, SquadBacklog, TellingState};

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
    management: IntGaugeVec,
    messaging: Option<Messaging>,
    scraped: ScrapedGauges,
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
    messaging: Option<SourceMessaging>,
}

impl SourceMetrics {
    /// A batch was stored.
    pub(super) fn stored(&self, messages: u64, duration: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "a batch is far smaller than 2^52 rows")]
        self.batch_rows.observe(messages as f64);
        self.commit_duration.observe(duration.as_secs_f64());
        if let Some(messaging) = &self.messaging {
            messaging.stored(messages, duration);
        }
    }
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
    pub fn new(labels: SourceLabels, names: MetricNames) -> Self {
        let registrar = Registrar::default();
        Self {
            labels,
            messaging: (names == MetricNames::OwnAndOpenTelemetry).then(|| Messaging::new(&registrar)),
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
            catalog_failures: registrar
                .plain_counter("dead_letter_catalog_failures_total", "Polls of the catalog that failed"),
            management: registrar.gauge(
                "dead_letter_management_answers",
                "1 while the management API of the broker answers, else 0",
                &["broker"],
            ),
            scraped: ScrapedGauges::new(&registrar),
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
            messaging: self.messaging.as_ref().map(|messaging| messaging.source(queue)),
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

    /// Messages were published, and others were refused for these reasons.
    pub fn published(&self, sent: u64, refusals: &[&str]) {
        for kind in refusals {
            self.refused.with_label_values(&[*kind]).inc();
        }
        if let Some(messaging) = &self.messaging {
            messaging.published(sent, refusals);
        }
    }

    /// Everything.
    pub fn gather(&self, scraped: &Scraped<'_>) -> Vec<MetricFamily> {
        self.scraped.set(scraped);
        self.registry.gather()
    }
}

/// Metrics in Prometheus' text format.
pub fn render(families: &[MetricFamily]) -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = TextEncoder::new().encode(families, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
