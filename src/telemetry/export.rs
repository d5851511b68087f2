//! Metrics are pushed to a collector, if that is configured.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use percent_encoding::percent_decode_str;
use prometheus::proto::MetricFamily;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::otlp::{self, Times};
use super::tracing_setup::COLLECTOR_TIMEOUT;
use crate::config::{ChannelConfig, LogConfig, MetricsExporter, PlaintextChannel};

/// Sends metrics to a collector, by OTLP over HTTP.
#[derive(Debug)]
pub struct MetricsExport {
    client: reqwest::Client,
    endpoint: String,
    every: Duration,
    since: SystemTime,
}

impl MetricsExport {
    /// `None` if metrics are not to be pushed. [`crate::config::ServeConfig::check_telemetry`] refuses to push them to no collector.
    ///
    /// # Errors
    /// The headers or the files of certificates cannot be used.
    pub fn new(config: &LogConfig, channels: &ChannelConfig) -> anyhow::Result<Option<Self>> {
        let (MetricsExporter::Otlp, Some(collector)) = (config.metrics_exporter, &config.otlp_endpoint)
        else {
            return Ok(None);
        };
        let client = channels.tls(PlaintextChannel::Telemetry).client()?;
        Ok(Some(Self {
            client: client.default_headers(headers()?).timeout(COLLECTOR_TIMEOUT).build()?,
            endpoint: format!("{}/v1/metrics", collector.trim_end_matches('/')),
            every: Duration::from_millis(config.metric_export_interval),
            since: SystemTime::now(),
        }))
    }

    /// Sends what `gather` returns, again and again, and a last time at the end.
    pub async fn run<F>(self, gather: impl Fn() -> F, stop: CancellationToken)
    where
        F: Future<Output = Vec<MetricFamily>>,
    {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut fails = false;
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                () = stop.cancelled() => true,
            };
            let sent = self.send(&gather().await).await;
            // The sums of the next minute contain those of this one: nothing has to be sent again.
            if let (Err(error), false) = (&sent, fails) {
                warn!(
                    error,
                    "the collector does not take metrics: they are sent again every {:?}", self.every
                );
            }
            fails = sent.is_err();
            if last {
                return;
            }
        }
    }

    async fn send(&self, families: &[MetricFamily]) -> Result<(), String> {
        let times = Times { since: nanoseconds(self.since), now: nanoseconds(SystemTime::now()) };
        let body = otlp::request(families, times).encode_to_vec();
        let request =
            self.client.post(&self.endpoint).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        // The address may contain a password (R14).
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answers {}", answer.status())) }
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The headers that the exporter of traces reads, too: `key=value,key=value`, percent-encoded.
fn headers() -> anyhow::Result<HeaderMap> {
    let text = std::env::var("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let mut value = HeaderValue::from_str(&value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::try_from(name.trim()).ok()?, value))
        })
        .collect::<Option<_>>()
        .context("OTEL_EXPORTER_OTLP_HEADERS is not written as name=value,name=value")
}
