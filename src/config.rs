//! Settings: each is a flag and an environment variable, with a default that works on a laptop.

mod brokers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use reqwest::Url;

use crate::amqp::{Broker, SourceQueue};
use crate::domain::convention::{Claims, Conventions, Own};
use crate::domain::log_link::LogLink;
use crate::domain::service::{DEFAULT_RULE, ServiceRule};

pub use brokers::Consumed;

/// Exchange and queue that are ours to declare where no other source is named.
const DEFAULT_SOURCE: &str = "dead-letter";

/// Half of the time after which the database ends a transaction that does nothing.
const MAX_CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// Nobody waits for longer.
const LONGEST_WATCH: Duration = Duration::from_hours(24);

/// A hundred years: longer is a slip of the pen.
const LONGEST_RETENTION: TimeDelta = TimeDelta::days(36_500);

/// Where the database is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// `PostgreSQL`, 15 or later
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://postgres@127.0.0.1:5432/postgres"
    )]
    pub database_url: String,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
pub struct LogConfig {
    /// How log lines look
    #[arg(long, env = "DEAD_LETTER_LOG_FORMAT", value_enum, default_value = "pretty")]
    pub log_format: LogFormat,
    /// What is logged, such as `info` or `dead_letter=debug,lapin=warn`
    #[arg(long, env = "DEAD_LETTER_LOG", default_value = "info,lapin=off,sqlx=warn")]
    pub log: String,
    /// Where spans go, OTLP over HTTP; no spans are made without it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For machines: one JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Settings of `dead-letter serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// How long the database may leave us without an answer before a connection is given up
    #[arg(long, env = "DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", default_value = "65s", value_parser = duration)]
    pub database_answer_timeout: Duration,
    /// `RabbitMQ`, 3.10 or later: `amqp://user:password@host:port/vhost`, or `amqps://…`; of a cluster's nodes, by comma
    #[arg(
        long,
        env = "AMQP_URL",
        hide_env_values = true,
        default_value = "amqp://guest:guest@127.0.0.1:5672/%2f"
    )]
    pub amqp_url: String,
    /// Name of that broker: dead letters bear it, and are redelivered to the broker of their name only
    #[arg(long, env = "DEAD_LETTER_BROKER", default_value = "default", value_parser = broker_name)]
    pub broker: String,
    /// YAML file that names several brokers and virtual hosts, and what to consume there, instead of the three settings above
    #[arg(long, env = "DEAD_LETTER_BROKERS_FILE")]
    pub brokers_file: Option<PathBuf>,
    /// Address of the API
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8080")]
    pub http_addr: SocketAddr,
    /// Address of health and metrics
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9090")]
    pub admin_addr: SocketAddr,
    /// `yes` allows an API address that is not loopback, and every name in `Host` and `Origin`, although nobody has to sign in
    #[arg(long, env = "DEAD_LETTER_UNAUTHENTICATED", value_enum, default_value = "no")]
    pub unauthenticated: YesNo,
    /// Dead-letter queues to consume, by comma; they are never declared. Without any, the exchange and the quorum queue
    /// `dead-letter` are declared and consumed
    #[arg(long, env = "DEAD_LETTER_SOURCES", value_delimiter = ',')]
    pub sources: Vec<String>,
    /// Regular expression with the group `service`, from the name of the queue that a message died in to its service
    #[arg(long, env = "DEAD_LETTER_SERVICE_RULE", default_value = DEFAULT_RULE, value_parser = service_rule)]
    pub service_rule: ServiceRule,
    /// YAML file that says which squad owns which service; read again when it changes
    #[arg(long, env = "DEAD_LETTER_OWNERSHIP_FILE")]
    pub ownership_file: Option<PathBuf>,
    /// Headers of your own that tell of a failure: `queue=x-failed-queue,errorMessage=x-error`; also `exchange`, `routingKey`,
    /// `errorType`, `errorStack`, `failedAt`, `attempts`
    #[arg(long, env = "DEAD_LETTER_FAILURE_HEADERS", value_parser = failure_headers)]
    pub failure_headers: Option<Own>,
    /// Conventions whose word is taken for where a message died, where the broker does not know: `native`, `masstransit`, …, by comma;
    /// without any, all
    #[arg(long, env = "DEAD_LETTER_ORIGIN_CONVENTIONS", value_delimiter = ',', value_parser = convention_name)]
    pub origin_conventions: Vec<String>,
    /// Queues that a message may say it died in, where the broker does not know, by comma: `*` is any text; without any, all
    #[arg(long, env = "DEAD_LETTER_ORIGIN_QUEUES", value_delimiter = ',')]
    pub origin_queues: Vec<String>,
    /// Address of the logs of a dead letter, such as `https://logs.example.com/?q={correlationId}&from={diedAt-5m}`
    #[arg(long, env = "DEAD_LETTER_LOG_LINK", value_parser = log_link)]
    pub log_link: Option<LogLink>,
    /// Address of Backstage's backend, as its `backend.baseUrl` says: who asks is then the user whose token its proxy forwards
    #[arg(long, env = "DEAD_LETTER_BACKSTAGE_URL")]
    pub backstage_url: Option<Url>,
    /// Ingest.
    #[command(flatten)]
    pub ingest: IngestConfig,
    /// Operations.
    #[command(flatten)]
    pub operations: OperationsConfig,
    /// Connections to the database for HTTP requests
    #[arg(long, env = "DEAD_LETTER_HTTP_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub http_connections: u32,
    /// Searches that no index serves, such as for a text in bodies, at the same time: the others wait
    #[arg(long, env = "DEAD_LETTER_SCANS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub scans: u16,
    /// How long dead letters are kept, in whole UTC days of arrival, such as `90d`; for ever, if not given
    #[arg(long, env = "DEAD_LETTER_RETENTION", value_parser = days)]
    pub retention: Option<TimeDelta>,
    /// How long the API goes on to take requests after SIGTERM, while readiness says no: load balancers need a moment
    #[arg(long, env = "DEAD_LETTER_DRAIN_DELAY", default_value = "5s", value_parser = duration)]
    pub drain_delay: Duration,
    /// How long work in hand may take to finish after SIGTERM; to be longer than the drain delay
    #[arg(long, env = "DEAD_LETTER_GRACE_PERIOD", default_value = "30s", value_parser = duration)]
    pub grace_period: Duration,
    /// Logs and traces.
    #[command(flatten)]
    pub log: LogConfig,
}

/// Settings of ingest, for each source.
#[derive(Args, Clone, Debug)]
pub struct IngestConfig {
    /// Most rows in a batch
    #[arg(long, env = "DEAD_LETTER_BATCH_ROWS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch_rows: u32,
    /// Most bytes in a batch, but for a single larger message
    #[arg(long, env = "DEAD_LETTER_BATCH_BYTES", default_value_t = 4 << 20)]
    pub batch_bytes: usize,
    /// How long a batch waits for more rows
    #[arg(long, env = "DEAD_LETTER_BATCH_LINGER", default_value = "5ms", value_parser = duration)]
    pub batch_linger: Duration,
    /// Batches that are written at the same time
    #[arg(long, env = "DEAD_LETTER_BATCHES_IN_FLIGHT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub batches_in_flight: u32,
    /// Most messages that are out for delivery; fewer when they are large
    #[arg(long, env = "DEAD_LETTER_PREFETCH", default_value_t = 5000, value_parser = clap::value_parser!(u16).range(1..))]
    pub prefetch: u16,
    /// Bytes of messages to hold in memory, near enough: large ones lower the prefetch
    #[arg(long, env = "DEAD_LETTER_MEMORY_BYTES", default_value_t = 64 << 20)]
    pub memory_bytes: usize,
    /// The broker's consumer timeout: past half of it, messages in hand go back to the queue, once
    #[arg(long, env = "DEAD_LETTER_CONSUMER_TIMEOUT", default_value = "30m", value_parser = duration)]
    pub consumer_timeout: Duration,
}

/// Settings of operations.
#[derive(Args, Clone, Debug)]
pub struct OperationsConfig {
    /// Chunks that are worked on at the same time
    #[arg(long, env = "DEAD_LETTER_OPERATION_WORKERS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub operation_workers: u32,
    /// Most dead letters in a chunk
    #[arg(long, env = "DEAD_LETTER_CHUNK_ITEMS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub chunk_items: u32,
    /// Most bytes of bodies in a chunk, but for a single larger message
    #[arg(long, env = "DEAD_LETTER_CHUNK_BYTES", default_value_t = 16 << 20)]
    pub chunk_bytes: u32,
    /// How long a chunk waits for the broker, from connecting to its confirms, 30s at most: its transaction stays open meanwhile
    #[arg(long, env = "DEAD_LETTER_CONFIRM_TIMEOUT", default_value = "8s", value_parser = confirm_timeout)]
    pub confirm_timeout: Duration,
    /// How long a redelivery is watched for messages that die again before its verdict; `0s` for not at all, 1d at most
    #[arg(long, env = "DEAD_LETTER_WATCH_RETURNS", default_value = "20s", value_parser = watch_returns)]
    pub watch_returns: Duration,
}

impl OperationsConfig {
    /// How long a redelivery is watched for returns.
    pub fn watch_returns(&self) -> TimeDelta {
        TimeDelta::from_std(self.watch_returns).unwrap_or(TimeDelta::MAX)
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

impl ServeConfig {
    /// Every place to consume from, and the queues there: those of the brokers file, or the one of the other settings.
    pub fn consumed(&self) -> anyhow::Result<Vec<Consumed>> {
        let sources = self.source_queues();
        let Some(file) = &self.brokers_file else {
            let broker = Broker::new(&self.broker, &self.amqp_url).context("AMQP_URL is not valid")?;
            return Ok(vec![Consumed { broker, sources }]);
        };
        anyhow::ensure!(
            sources.iter().all(|source| source.exchange.is_some()),
            "DEAD_LETTER_SOURCES is for the one broker of AMQP_URL: name the queues in DEAD_LETTER_BROKERS_FILE, under `sources`"
        );
        brokers::read(file)
    }

    /// The sources to consume of a single broker.
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

    /// How messages are read.
    pub fn conventions(&self) -> Conventions {
        let queues: Vec<_> = self.origin_queues.iter().map(|queue| queue.trim().to_owned()).collect();
        Conventions::new(self.failure_headers.clone(), Claims::new(&self.origin_conventions, &queues))
    }

    /// Refuses to open the API to other machines while nobody has to sign in, unless that is wanted.
    pub fn check_address(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.http_addr.ip().is_loopback() || self.unauthenticated == YesNo::Yes,
            "HTTP_ADDR={} can be reached from other machines, and everybody there could read, redeliver and delete \
             messages: listen on 127.0.0.1, or set DEAD_LETTER_UNAUTHENTICATED=yes if that is wanted",
            self.http_addr
        );
        Ok(())
    }
}

fn service_rule(text: &str) -> Result<ServiceRule, String> {
    ServiceRule::new(text)
}

/// A name that can be read in a line of a log, and given in a query.
pub(crate) fn broker_name(text: &str) -> Result<String, String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 64 letters, digits, dots, hyphens and underscores".into())
    }
}

fn failure_headers(text: &str) -> Result<Own, String> {
    Own::new(text)
}

fn convention_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if Conventions::names().any(|known| known == name) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "there is no convention `{name}`: take some of {}",
            Conventions::names().collect::<Vec<_>>().join(", ")
        ))
    }
}

fn log_link(text: &str) -> Result<LogLink, String> {
    LogLink::new(text)
}

/// A number with a unit: `250us`, `5ms`, `30s`, `15m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let microseconds = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return Err("must be a number with one of the units us, ms, s, m, h, d, such as 30s".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a number must stand before the unit, such as 30s")?;
    number.checked_mul(microseconds).map(Duration::from_micros).ok_or_else(|| "that is too long".into())
}

/// A number of days: `90d`.
pub(crate) fn days(text: &str) -> Result<TimeDelta, String> {
    let number = text.strip_suffix('d').and_then(|number| number.parse().ok()).filter(|days| *days > 0);
    number.map(TimeDelta::days).filter(|days| *days <= LONGEST_RETENTION).ok_or_else(|| {
        format!("a number of days from 1d to {}d is needed, such as 90d", LONGEST_RETENTION.num_days())
    })
}

fn watch_returns(text: &str) -> Result<Duration, String> {
    let watch = duration(text)?;
    if watch <= LONGEST_WATCH { Ok(watch) } else { Err("must be 1d at most".into()) }
}

fn confirm_timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout <= MAX_CONFIRM_TIMEOUT { Ok(timeout) } else { Err("30s at most".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(duration("15m"), Ok(Duration::from_mins(15)));
        assert_eq!(days("90d"), Ok(TimeDelta::days(90)));
        for wrong in ["90", "0d", "-1d", "d", "1.5d", "99999999999d"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("3d"), Ok(Duration::from_hours(72)));
        assert!(watch_returns("1d").is_ok() && watch_returns("0s").is_ok() && watch_returns("25h").is_err());
        assert!(duration("5").is_err() && duration("ms").is_err() && duration("1 d").is_err());
    }
}
