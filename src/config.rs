//! Settings. Each is a flag and an environment variable, with a default that works on a laptop.

mod access;
mod brokers;
mod catalog;
mod channels;
mod checks;
mod console;
mod limits;
mod log;
mod management;
mod notifications;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use clap::{Args, ValueEnum};

use crate::amqp::{Broker, SourceQueue};
use crate::domain::convention::{Claims, Conventions, CustomHeaders};
use crate::domain::log_link::LogLink;
use crate::domain::service::{DEFAULT_RULE, ServiceRule};
use crate::domain::trace_link::TraceLink;
use crate::store::{PoolSettings, Store};

pub use access::AccessConfig;
pub use brokers::Consumed;
pub(crate) use brokers::without_values;
pub use catalog::CatalogConfig;
pub use channels::{ChannelConfig, PlaintextChannel};
pub use console::ConsoleConfig;
pub use limits::LimitsConfig;
pub use log::{LogConfig, LogFormat, MetricNames, MetricsExporter};
pub use management::ManagementConfig;
pub use notifications::{NotificationConfig, Notifications};

/// Exchange and queue that are declared if no source is configured.
pub(crate) const DEFAULT_SOURCE: &str = "dead-letter";

/// Half of the database's timeout for idle transactions.
const MAX_CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

const LONGEST_WATCH: Duration = Duration::from_hours(24);

/// A hundred years. A longer retention is treated as a typing mistake.
const LONGEST_RETENTION: TimeDelta = TimeDelta::days(36_500);

/// The database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// URL of PostgreSQL 15 or later. For PgBouncer in transaction mode, append `?statement-cache-capacity=0`
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://postgres@127.0.0.1:5432/postgres"
    )]
    pub database_url: String,
    /// File with the URL of PostgreSQL, in place of `DATABASE_URL`
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE", conflicts_with = "database_url")]
    pub database_url_file: Option<PathBuf>,
    /// How channels are secured.
    #[command(flatten)]
    pub channels: ChannelConfig,
}

impl DatabaseConfig {
    /// The database, with pools of these sizes.
    pub fn store(&self, settings: PoolSettings) -> anyhow::Result<Store> {
        let url = channels::secret(&self.database_url, self.database_url_file.as_ref())?;
        let tls = self.channels.tls(PlaintextChannel::Database);
        Ok(Store::secured(&url, settings, &tls)?)
    }
}

/// Settings of `dead-letter serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Close a database connection that has not answered for this long
    #[arg(long, env = "DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", default_value = "65s", value_parser = duration)]
    pub database_answer_timeout: Duration,
    /// URL of RabbitMQ 3.10 or later: `amqp://user:password@host:port/vhost` or `amqps://…`. For a cluster, the URLs of several
    /// nodes, separated by commas
    #[arg(
        long,
        env = "AMQP_URL",
        hide_env_values = true,
        default_value = "amqp://guest:guest@127.0.0.1:5672/%2f"
    )]
    pub amqp_url: String,
    /// File with the URL of RabbitMQ, in place of `AMQP_URL`
    #[arg(long, env = "AMQP_URL_FILE", value_name = "FILE", conflicts_with = "amqp_url")]
    pub amqp_url_file: Option<PathBuf>,
    /// The management API.
    #[command(flatten)]
    pub management: ManagementConfig,
    /// Name of the broker. It is stored with each dead letter, which is redelivered only to the broker with this name
    #[arg(long, env = "DEAD_LETTER_BROKER", default_value = "default", value_parser = plain_name)]
    pub broker: String,
    /// YAML file that lists several brokers and virtual hosts. It replaces `AMQP_URL`, `DEAD_LETTER_BROKER`,
    /// `DEAD_LETTER_SOURCES` and `DEAD_LETTER_MANAGEMENT_URL`
    #[arg(long, env = "DEAD_LETTER_BROKERS_FILE")]
    pub brokers_file: Option<PathBuf>,
    /// Address of the API
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8080")]
    pub http_addr: SocketAddr,
    /// Address of health and metrics
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9090")]
    pub admin_addr: SocketAddr,
    /// `yes` lets callers without a token use the API: `HTTP_ADDR` need not be a loopback address, and `Host` and `Origin` are
    /// not checked
    #[arg(long, env = "DEAD_LETTER_UNAUTHENTICATED", value_enum, default_value = "no")]
    pub unauthenticated: YesNo,
    /// Dead-letter queues to consume, separated by commas. They must exist. By default, the exchange `dead-letter` and a quorum
    /// queue of the same name are declared, and the queue is consumed
    #[arg(long, env = "DEAD_LETTER_SOURCES", value_delimiter = ',')]
    pub sources: Vec<String>,
    /// Regular expression that finds the service in the name of the queue where a message died, as its group `service`
    #[arg(long, env = "DEAD_LETTER_SERVICE_RULE", default_value = DEFAULT_RULE, value_parser = service_rule)]
    pub service_rule: ServiceRule,
    /// YAML file that maps services to squads. Changes take effect without a restart
    #[arg(long, env = "DEAD_LETTER_OWNERSHIP_FILE")]
    pub ownership_file: Option<PathBuf>,
    /// Squads from a catalog.
    #[command(flatten)]
    pub catalog: CatalogConfig,
    /// Headers in which your own consumers describe a failure, such as `queue=x-failed-queue,errorMessage=x-error`. Also
    /// `exchange`, `routingKey`, `errorType`, `errorStack`, `failedAt`, `attempts`
    #[arg(long, env = "DEAD_LETTER_FAILURE_HEADERS", value_parser = failure_headers)]
    pub failure_headers: Option<CustomHeaders>,
    /// Conventions whose claimed origin is accepted if the broker does not know the origin, separated by commas, such as
    /// `native,masstransit`. By default all
    #[arg(long, env = "DEAD_LETTER_ORIGIN_CONVENTIONS", value_delimiter = ',', value_parser = convention_name)]
    pub origin_conventions: Vec<String>,
    /// Queues that a message may claim as its origin, separated by commas, such as `shop_*,billing_*`. `*` stands for any text.
    /// By default all
    #[arg(long, env = "DEAD_LETTER_ORIGIN_QUEUES", value_delimiter = ',')]
    pub origin_queues: Vec<String>,
    /// Link from a dead letter to its logs, such as
    /// `https://logs.example.com/?q={correlationId}&from={diedAt-5m}&to={diedAt+5m:ms}`. Also `{id}`, `{service}`, `{queue}`,
    /// `{exchange}`, `{routingKey}`, `{messageId}`, `{type}`, `{errorType}`, `{receivedAt}`. Values are URL-encoded
    #[arg(long, env = "DEAD_LETTER_LOG_LINK", value_parser = log_link)]
    pub log_link: Option<LogLink>,
    /// Link from a dead letter to the trace in its header `traceparent`, such as `https://traces.example.com/trace/{traceId}`. Also
    /// `{spanId}`
    #[arg(long, env = "DEAD_LETTER_TRACE_LINK", value_parser = trace_link)]
    pub trace_link: Option<TraceLink>,
    /// Who may call.
    #[command(flatten)]
    pub access: AccessConfig,
    /// The console.
    #[command(flatten)]
    pub console: ConsoleConfig,
    /// Who is told of incidents.
    #[command(flatten)]
    pub notifications: NotificationConfig,
    /// What one caller may ask for.
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// Ingest.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// Operations.
    #[command(flatten)]
    pub operations: OperationsConfig,
    /// Database connections for HTTP requests. Health and metrics use two more
    #[arg(long, env = "DEAD_LETTER_HTTP_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub http_connections: u32,
    /// Maximum concurrent unindexed searches (texts, bodies, headers, attempts). Further ones queue for up to 5s. While messages
    /// are arriving, a cool-down follows each
    #[arg(long, env = "DEAD_LETTER_SCANS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub scans: u16,
    /// How long to keep dead letters, in whole UTC days of arrival, such as `90d`. By default, they are kept forever
    #[arg(long, env = "DEAD_LETTER_RETENTION", value_parser = days)]
    pub retention: Option<TimeDelta>,
    /// How long the API still accepts requests after SIGTERM. Readiness fails from the start, so that load balancers stop sending
    /// requests
    #[arg(long, env = "DEAD_LETTER_DRAIN_DELAY", default_value = "5s", value_parser = duration)]
    pub drain_delay: Duration,
    /// Time to finish work after SIGTERM. Must be longer than the drain delay
    #[arg(long, env = "DEAD_LETTER_GRACE_PERIOD", default_value = "30s", value_parser = duration)]
    pub grace_period: Duration,
    /// Logs and traces.
    #[command(flatten)]
    pub log: LogConfig,
}

/// Settings of ingest, for each source.
#[derive(Args, Clone, Debug)]
pub struct IngestConfig {
    /// Maximum rows in a batch
    #[arg(long, env = "DEAD_LETTER_BATCH_ROWS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch_rows: u32,
    /// Maximum bytes in a batch. A single larger message is a batch of its own
    #[arg(long, env = "DEAD_LETTER_BATCH_BYTES", default_value_t = 4 << 20)]
    pub batch_bytes: usize,
    /// How long a batch waits for more rows
    #[arg(long, env = "DEAD_LETTER_BATCH_LINGER", default_value = "5ms", value_parser = duration)]
    pub batch_linger: Duration,
    /// Concurrent batches per source
    #[arg(long, env = "DEAD_LETTER_BATCHES_IN_FLIGHT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub batches_in_flight: u32,
    /// Maximum unacknowledged messages per source. Fewer if messages are large
    #[arg(long, env = "DEAD_LETTER_PREFETCH", default_value_t = 5000, value_parser = clap::value_parser!(u16).range(1..))]
    pub prefetch: u16,
    /// Approximate bytes of unacknowledged messages per source. Large messages lower the prefetch
    #[arg(long, env = "DEAD_LETTER_MEMORY_BYTES", default_value_t = 64 << 20)]
    pub memory_bytes: usize,
    /// Consumer timeout of the broker. If the database is unavailable for half of this time, messages return to the queue once
    #[arg(long, env = "DEAD_LETTER_CONSUMER_TIMEOUT", default_value = "30m", value_parser = duration)]
    pub consumer_timeout: Duration,
}

/// Settings of operations.
#[derive(Args, Clone, Debug)]
pub struct OperationsConfig {
    /// Concurrent chunks of operations
    #[arg(long, env = "DEAD_LETTER_OPERATION_WORKERS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub operation_workers: u32,
    /// Maximum dead letters in a chunk
    #[arg(long, env = "DEAD_LETTER_CHUNK_ITEMS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub chunk_items: u32,
    /// Maximum bytes in a chunk. A single larger message is a chunk of its own
    #[arg(long, env = "DEAD_LETTER_CHUNK_BYTES", default_value_t = 16 << 20)]
    pub chunk_bytes: u32,
    /// Time limit for a chunk, from connecting to the last publisher confirm. At most 30s
    #[arg(long, env = "DEAD_LETTER_CONFIRM_TIMEOUT", default_value = "8s", value_parser = confirm_timeout)]
    pub confirm_timeout: Duration,
    /// How long a redelivery is watched for messages that die again, before its verdict. `0s` disables the watch. At most 1d
    #[arg(long, env = "DEAD_LETTER_WATCH_RETURNS", default_value = "20s", value_parser = watch_returns)]
    pub watch_returns: Duration,
}

impl OperationsConfig {
    /// The setting as a time difference.
    pub fn watch_returns(&self) -> TimeDelta {
        TimeDelta::from_std(self.watch_returns).unwrap_or(TimeDelta::MAX)
    }
}

/// A switch that must be spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// On.
    Yes,
    /// Off.
    No,
}

impl ServeConfig {
    /// The places and queues to consume from: those in the brokers file, otherwise the one in the other settings.
    pub fn consumed(&self) -> anyhow::Result<Vec<Consumed>> {
        let (sources, tls) = (self.source_queues(), self.database.channels.tls(PlaintextChannel::Broker));
        let Some(file) = &self.brokers_file else {
            let url = channels::secret(&self.amqp_url, self.amqp_url_file.as_ref())?;
            let broker = Broker::new(&self.broker, &url).and_then(|broker| broker.secured(&tls));
            let broker = broker.context("AMQP_URL is invalid")?;
            return Ok(vec![Consumed { broker, sources, management: self.management.management(&tls)? }]);
        };
        self.management.check_unset()?;
        anyhow::ensure!(
            sources.iter().all(|source| source.exchange.is_some()),
            "DEAD_LETTER_SOURCES applies to AMQP_URL only: list the queues in DEAD_LETTER_BROKERS_FILE, under `sources`"
        );
        brokers::read(file, &tls)
    }

    /// The sources of a single broker.
    fn source_queues(&self) -> Vec<SourceQueue> {
        let named: Vec<_> = self
            .sources
            .iter()
            .map(|queue| queue.trim())
            .filter(|queue| !queue.is_empty())
            .map(|queue| SourceQueue { queue: queue.to_owned(), exchange: None })
            .collect();
        if named.is_empty() {
            vec![SourceQueue { queue: DEFAULT_SOURCE.into(), exchange: Some(DEFAULT_SOURCE.into()) }]
        } else {
            named
        }
    }

    /// How origin and failure are read from messages.
    pub fn conventions(&self) -> Conventions {
        let queues: Vec<_> = self.origin_queues.iter().map(|queue| queue.trim().to_owned()).collect();
        Conventions::new(self.failure_headers.clone(), Claims::new(&self.origin_conventions, &queues))
    }
}

fn service_rule(text: &str) -> Result<ServiceRule, String> {
    ServiceRule::new(text)
}

/// A name that can be read in log lines and used in queries.
pub(crate) fn plain_name(text: &str) -> Result<String, String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 64 letters, digits, dots, hyphens or underscores".into())
    }
}

fn failure_headers(text: &str) -> Result<CustomHeaders, String> {
    CustomHeaders::new(text)
}

fn convention_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if Conventions::names().any(|known| known == name) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "unknown convention `{name}`, expected one of {}",
            Conventions::names().collect::<Vec<_>>().join(", ")
        ))
    }
}

fn log_link(text: &str) -> Result<LogLink, String> {
    LogLink::new(text)
}

fn trace_link(text: &str) -> Result<TraceLink, String> {
    TraceLink::new(text)
}

/// One or several numbers with units: `5ms`, `30s`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A number of days: `90d`.
pub(crate) fn days(text: &str) -> Result<TimeDelta, String> {
    let number = text.strip_suffix('d').and_then(|number| number.parse().ok()).filter(|days| *days > 0);
    number.map(TimeDelta::days).filter(|days| *days <= LONGEST_RETENTION).ok_or_else(|| {
        format!("expected a number of days from 1d to {}d, such as 90d", LONGEST_RETENTION.num_days())
    })
}

fn watch_returns(text: &str) -> Result<Duration, String> {
    let watch = duration(text)?;
    if watch <= LONGEST_WATCH { Ok(watch) } else { Err("must be at most 1d".into()) }
}

fn confirm_timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout <= MAX_CONFIRM_TIMEOUT { Ok(timeout) } else { Err("must be at most 30s".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(duration("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(duration("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(days("90d"), Ok(TimeDelta::days(90)));
        for wrong in ["90", "0d", "-1d", "d", "1.5d", "99999999999d"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("3d"), Ok(Duration::from_hours(72)));
        assert!(watch_returns("1d").is_ok() && watch_returns("0s").is_ok() && watch_returns("25h").is_err());
        assert!(duration("5").is_err() && duration("ms").is_err() && duration("1 x").is_err());
    }
}
