//! Metrics of the registry in the form of OTLP.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric as OtlpMetric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

/// What the conventions of OpenTelemetry name in another way than Prometheus can write it. Source:
/// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/> and `…/http/http-metrics/`.
const NAMES: [(&str, &str); 4] = [
    ("http_server_request_duration_seconds", "http.server.request.duration"),
    ("messaging_client_consumed_messages_total", "messaging.client.consumed.messages"),
    ("messaging_client_sent_messages_total", "messaging.client.sent.messages"),
    ("messaging_process_duration_seconds", "messaging.process.duration"),
];
const ATTRIBUTES: [(&str, &str); 7] = [
    ("error_type", "error.type"),
    ("http_request_method", "http.request.method"),
    ("http_response_status_code", "http.response.status_code"),
    ("http_route", "http.route"),
    ("messaging_destination_name", "messaging.destination.name"),
    ("messaging_operation_name", "messaging.operation.name"),
    ("messaging_system", "messaging.system"),
];

/// When values were counted, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Counters began at 0 then.
    pub(super) since: u64,
    /// The values are of then.
    pub(super) now: u64,
}

/// What a collector is sent.
pub(super) fn request(families: &[MetricFamily], times: Times) -> ExportMetricsServiceRequest {
    let metrics = families.iter().map(|family| metric(family, times)).collect();
    let scope = InstrumentationScope { name: "dead-letter".into(), ..Default::default() };
    let resource = Resource {
        attributes: vec![
            attribute("service.name", "dead-letter"),
            attribute("service.version", env!("CARGO_PKG_VERSION")),
        ],
        ..Default::default()
    };
    let scopes = vec![ScopeMetrics { scope: Some(scope), metrics, ..Default::default() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: scopes,
            ..Default::default()
        }],
    }
}

fn metric(family: &MetricFamily, times: Times) -> OtlpMetric {
    let samples = family.get_metric().iter();
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match family.get_field_type() {
        MetricType::HISTOGRAM => metric::Data::Histogram(Histogram {
            data_points: samples.map(|sample| buckets(sample, times)).collect(),
            aggregation_temporality: temporality,
        }),
        MetricType::COUNTER => metric::Data::Sum(Sum {
            data_points: samples
                .map(|sample| number(sample, sample.get_counter().get_value(), times))
                .collect(),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        // The registry has neither summaries nor samples without a type.
        MetricType::GAUGE | MetricType::SUMMARY | MetricType::UNTYPED => metric::Data::Gauge(Gauge {
            data_points: samples
                .map(|sample| number(sample, sample.get_gauge().get_value(), times))
                .collect(),
        }),
    };
    let name = family.name();
    OtlpMetric {
        name: renamed(&NAMES, name).into(),
        description: family.help().into(),
        unit: unit(name).into(),
        data: Some(data),
        ..Default::default()
    }
}

fn number(sample: &Metric, value: f64, Times { since, now }: Times) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(sample.get_label()),
        start_time_unix_nano: since,
        time_unix_nano: now,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..Default::default()
    }
}

/// Prometheus counts what is below each bound, OTLP what is between two of them, and above the last one.
fn buckets(sample: &Metric, Times { since, now }: Times) -> HistogramDataPoint {
    let histogram = sample.get_histogram();
    let bounded = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite());
    let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
    for bucket in bounded {
        bounds.push(bucket.upper_bound());
        counts.push(bucket.cumulative_count() - below);
        below = bucket.cumulative_count();
    }
    counts.push(histogram.get_sample_count() - below);
    HistogramDataPoint {
        attributes: attributes(sample.get_label()),
        start_time_unix_nano: since,
        time_unix_nano: now,
        count: histogram.get_sample_count(),
        sum: Some(histogram.get_sample_sum()),
        bucket_counts: counts,
        explicit_bounds: bounds,
        ..Default::default()
    }
}

fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    labels.iter().map(|label| attribute(renamed(&ATTRIBUTES, label.name()), label.value())).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.into())) };
    KeyValue { key: key.into(), value: Some(value), ..Default::default() }
}

fn renamed<'n>(table: &[(&str, &'n str)], name: &'n str) -> &'n str {
    table.iter().find(|(prometheus, _)| *prometheus == name).map_or(name, |(_, otel)| otel)
}

/// The unit that a name ends with, as UCUM writes it.
fn unit(name: &str) -> &'static str {
    match name.trim_end_matches("_total").rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        Some("messages") => "{message}",
        _ => "1",
    }
}
