//! What a collector of OpenTelemetry receives, decoded with the types of its own protocol.

use std::collections::BTreeMap;

use opentelemetry::trace::TraceId;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

use crate::collector::Collector;
use crate::support::{DeadMessage, World, id, text, until};

/// Of the example of W3C's Trace Context.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn spans(collector: &Collector) -> Vec<Span> {
    let requests =
        collector.traces().into_iter().map(|body| ExportTraceServiceRequest::decode(body).unwrap());
    let resources = requests.flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

/// What was sent last.
fn metrics(collector: &Collector) -> BTreeMap<String, Metric> {
    let Some(body) = collector.metrics().pop() else { return BTreeMap::new() };
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let [resource] = &request.resource_metrics[..] else { panic!("one resource: {request:?}") };
    let service = attributes(&resource.resource.as_ref().unwrap().attributes);
    assert_eq!(service["service.name"], "dead-letter");
    let metrics = resource.scope_metrics.iter().flat_map(|scope| scope.metrics.clone());
    metrics.map(|metric| (metric.name.clone(), metric)).collect()
}

fn attributes(list: &[KeyValue]) -> BTreeMap<&str, &str> {
    list.iter().map(|attribute| (attribute.key.as_str(), text_of(attribute))).collect()
}

fn text_of(attribute: &KeyValue) -> &str {
    match attribute.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Any::StringValue(value)) => value,
        other => panic!("a text: {other:?}"),
    }
}

/// The sum of a counter's values that have this attribute, among others.
fn counted(metrics: &BTreeMap<String, Metric>, name: &str, (key, value): (&str, &str)) -> i64 {
    let Some(Data::Sum(sum)) = metrics.get(name).and_then(|metric| metric.data.as_ref()) else { return 0 };
    assert!(sum.is_monotonic);
    let points =
        sum.data_points.iter().filter(|point| attributes(&point.attributes).get(key) == Some(&value));
    points
        .map(|point| match point.value {
            Some(Value::AsDouble(value)) => value as i64,
            ref other => panic!("a number: {other:?}"),
        })
        .sum()
}

async fn world() -> (World, Collector) {
    let (collector, url) = Collector::start().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_SEMCONV_STABILITY_OPT_IN", "http, messaging"),
    ];
    (World::start_with(&settings).await, collector)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_links_to_the_traces_of_its_messages() {
    let (world, collector) = world().await;
    let message = DeadMessage::new(&id(), "orders_shop");
    let traced = message.header("traceparent", text(&format!("00-{TRACE}-b7ad6b7169203331-01")));
    world.publish(traced).await;
    world.until_stored(1).await;
    world.api().get("/dead-letters?service=shop").await.assert(200);
    let deletion = json!({"filter": {"service": "shop"}});
    world.api().delete("/dead-letters?wait=30", &deletion).await;

    let wanted = ["process batch", "http request", "operation chunks"];
    let spans = until("spans of each kind are sent", || async {
        let spans = spans(&collector);
        wanted.iter().all(|name| spans.iter().any(|span| span.name == *name)).then_some(spans)
    })
    .await;
    let batch = spans.iter().find(|span| span.name == wanted[0]).unwrap();
    let attributes: Vec<_> = batch.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    for name in ["messaging.system", "messaging.destination.name", "messaging.batch.message_count"] {
        assert!(attributes.contains(&name), "{name} in {attributes:?}");
    }
    let linked: Vec<_> = batch.links.iter().map(|link| link.trace_id.clone()).collect();
    assert_eq!(linked, [TraceId::from_hex(TRACE).unwrap().to_bytes()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_sent_as_they_are_scraped() {
    let (world, collector) = world().await;
    for _ in 0..3 {
        world.publish(DeadMessage::new(&id(), "orders_shop")).await;
    }
    world.until_stored(3).await;
    let source = world.source.name.as_str();
    let metrics = until("they are counted at the collector, too", || async {
        let metrics = metrics(&collector);
        (counted(&metrics, "dead_letter_ingested_total", ("source", source)) == 3).then_some(metrics)
    })
    .await;
    let consumed =
        counted(&metrics, "messaging.client.consumed.messages", ("messaging.destination.name", source));
    assert_eq!(consumed, 3);
    let Some(Data::Histogram(batches)) = &metrics["dead_letter_batch_rows"].data else {
        panic!("a histogram")
    };
    let [point] = &batches.data_points[..] else { panic!("one source: {batches:?}") };
    assert_eq!((point.sum, point.bucket_counts.iter().sum::<u64>()), (Some(3.0), point.count));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let process = &metrics["messaging.process.duration"];
    assert_eq!((process.unit.as_str(), metrics["dead_letter_db_connections"].unit.as_str()), ("s", "1"));
    let scraped_only = ["dead_letter_squad_dead", "dead_letter_outbox"];
    assert!(
        scraped_only.iter().all(|name| metrics.contains_key(*name)),
        "what the database tells is sent, too"
    );
}
