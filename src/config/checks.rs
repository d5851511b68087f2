//! Checks of settings that need more than one of them.

use anyhow::Context;

use super::{MetricsExporter, PlaintextChannel, ServeConfig, YesNo};

impl ServeConfig {
    /// Refuses to open the API to other machines without authentication, unless that is explicitly allowed.
    pub fn check_address(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.http_addr.ip().is_loopback()
                || self.access.is_configured()
                || self.unauthenticated == YesNo::Yes,
            "HTTP_ADDR={} is reachable from other machines, and everybody there could read, redeliver and delete messages: configure \
             authentication, listen on 127.0.0.1, or allow this with DEAD_LETTER_UNAUTHENTICATED=yes",
            self.http_addr
        );
        Ok(())
    }

    /// Refuses a collector whose connection is not verified (R18), and metrics that are to be sent to none.
    pub fn check_telemetry(&self) -> anyhow::Result<()> {
        let Some(endpoint) = &self.log.otlp_endpoint else {
            anyhow::ensure!(
                self.log.metrics_exporter == MetricsExporter::None,
                "OTEL_METRICS_EXPORTER=otlp needs the address of a collector: set OTEL_EXPORTER_OTLP_ENDPOINT"
            );
            return Ok(());
        };
        let url = reqwest::Url::parse(endpoint).context("OTEL_EXPORTER_OTLP_ENDPOINT is no URL")?;
        let tls = self.database.channels.tls(PlaintextChannel::Telemetry);
        anyhow::ensure!(
            url.scheme() == "https" || url.host_str().is_some_and(|host| tls.allows_plaintext(host)),
            "OTEL_EXPORTER_OTLP_ENDPOINT is not encrypted: use https, or allow plain text with DEAD_LETTER_PLAINTEXT=telemetry"
        );
        Ok(())
    }
}
