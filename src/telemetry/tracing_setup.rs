//! Where log lines and spans go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::blocking::{Client, ClientBuilder};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{ChannelConfig, LogConfig, LogFormat, PlaintextChannel};
use crate::domain::headers::TRACE_CONTEXT;
use crate::domain::message::Properties;
use crate::tls::Tls;

/// Until the collector has taken what it is sent: the default of OpenTelemetry.
pub(super) const COLLECTOR_TIMEOUT: Duration = Duration::from_secs(10);

/// Exports spans. [`Telemetry::shutdown`] flushes them.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging, and tracing if an endpoint is configured.
    pub fn start(config: &LogConfig, channels: &ChannelConfig) -> anyhow::Result<Self> {
        let filter = EnvFilter::try_new(&config.log).context("DEAD_LETTER_LOG is not a log filter")?;
        let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let format = match config.log_format {
            LogFormat::Json => {
                format.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
            }
            LogFormat::Pretty => format.with_target(false).boxed(),
        };
        let tls = channels.tls(PlaintextChannel::Telemetry);
        let provider =
            config.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, &tls)).transpose()?;
        EXPORTING.store(provider.is_some(), Ordering::Relaxed);
        let spans = provider
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("dead-letter")));
        tracing_subscriber::registry().with(spans).with(format).with(filter).init();
        Ok(Self { provider })
    }

    /// Sends the remaining spans.
    pub fn shutdown(&self) {
        if let Some(provider) = &self.provider {
            // There is no one left to report an error to.
            let _ = provider.shutdown();
        }
    }
}

fn provider(endpoint: &str, tls: &Tls) -> anyhow::Result<SdkTracerProvider> {
    let traces = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client(tls)?)
        .with_endpoint(traces)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    let resource = Resource::builder()
        .with_service_name("dead-letter")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The exporter has a thread of its own, so its client blocks. Such a client must be made where nothing is asynchronous.
fn client(tls: &Tls) -> anyhow::Result<Client> {
    let (authorities, identity) = tls.of_https()?;
    let builder = Client::builder().timeout(COLLECTOR_TIMEOUT);
    let builder = authorities.into_iter().fold(builder, ClientBuilder::add_root_certificate);
    let builder = identity.into_iter().fold(builder, ClientBuilder::identity);
    let made = std::thread::scope(|scope| scope.spawn(|| builder.build()).join());
    Ok(made.map_err(|_| anyhow!("the client of the collector cannot be made"))??)
}

/// Whether spans are exported. Checked first, because every message would be linked.
static EXPORTING: AtomicBool = AtomicBool::new(false);

/// Links a span to the trace of the message, if it has a `traceparent` and tracing is on.
pub fn link_to_message(span: &Span, properties: &Properties) {
    if !EXPORTING.load(Ordering::Relaxed) {
        return;
    }
    let carried = TRACE_CONTEXT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), properties.header_text(name)?.into_owned())));
    let carrier: std::collections::HashMap<String, String> = carried.collect();
    if carrier.is_empty() {
        return;
    }
    let context = TraceContextPropagator::new().extract(&carrier);
    let message = context.span().span_context().clone();
    if message.is_valid() {
        span.add_link(message);
    }
}
