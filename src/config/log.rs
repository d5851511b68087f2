//! Settings of logs, traces and metrics.

use clap::{Args, ValueEnum};

/// Logs, traces and metrics.
#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// Format of log lines
    #[arg(long, env = "DEAD_LETTER_LOG_FORMAT", value_enum, default_value = "pretty")]
    pub log_format: LogFormat,
    /// Log filter, such as `info` or `dead_letter=debug`. Leave `lapin` off: its lines may contain payloads
    #[arg(long, env = "DEAD_LETTER_LOG", default_value = "info,lapin=off,sqlx=warn")]
    pub log: String,
    /// OTLP/HTTP endpoint of a collector, for traces and, if `OTEL_METRICS_EXPORTER` says so, metrics. Without it no spans are created
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
    /// Whether metrics are sent to the collector too. They can be scraped at `/metrics` in any case
    #[arg(long, env = "OTEL_METRICS_EXPORTER", value_enum, default_value = "none")]
    pub metrics_exporter: MetricsExporter,
    /// How often metrics are sent to the collector, in milliseconds
    #[arg(
        long,
        env = "OTEL_METRIC_EXPORT_INTERVAL",
        value_name = "MILLISECONDS",
        default_value = "60000",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub metric_export_interval: u64,
    /// `messaging` adds metrics with the names that OpenTelemetry has for all messaging systems
    #[arg(long, env = "OTEL_SEMCONV_STABILITY_OPT_IN", value_delimiter = ',')]
    pub semconv_opt_in: Vec<String>,
}

impl LogConfig {
    /// Other conventions that the variable may name are none of ours, and mean nothing here.
    pub fn metric_names(&self) -> MetricNames {
        let is_messaging = |name: &String| matches!(name.trim(), "messaging" | "messaging/dup");
        let asked = self.semconv_opt_in.iter().any(is_messaging);
        if asked { MetricNames::OwnAndOpenTelemetry } else { MetricNames::Own }
    }
}

/// Which names metrics have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricNames {
    /// Ours.
    Own,
    /// Ours, and those of OpenTelemetry's conventions for messaging.
    OwnAndOpenTelemetry,
}

/// Where metrics are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetricsExporter {
    /// To the collector of traces.
    Otlp,
    /// Nowhere.
    None,
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}
