//! Servers of its own for a doctor, with the management plugin, and the tools to plant faults.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{command, run};
use crate::support::{Broker, Database, Servers, text};

/// Whatever makes a dead-letter queue safe, beside the exchange.
pub const SAFE: [(&str, &str); 2] =
    [("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish")];

/// The sources of the virtual host `/`. The first one is sound.
pub const SOURCES: [&str; 14] = [
    "parked",
    "s-missing",
    "s-classic",
    "s-stream",
    "s-ttl",
    "s-ttl-policy",
    "s-length-policy",
    "s-bytes-operator",
    "s-expires",
    "s-limit",
    "s-limit-operator",
    "s-limit-default",
    "s-transient",
    "s-auto-delete",
];

/// What else is consumed: virtual hosts in which dead-letter declares the exchange and the queue `dead-letter`.
pub const DECLARED: [&str; 4] = ["typed", "unbound", "fresh", "no-exchange"];

pub struct Stand {
    // Dropped in this order.
    pub database: Database,
    pub broker: Broker,
    pub servers: Servers,
    /// The owner of the tables.
    owner: String,
    files: TempDir,
}

impl Stand {
    pub async fn start(name: &str) -> Self {
        let servers = Servers::start_managed(name, &[]).await;
        let broker = Broker::on(&servers.amqp_url).await;
        let database = Database::on(&servers.database_url).await.served().await;
        let (server, _) = servers.database_url.rsplit_once('/').unwrap();
        let (_, name) = database.url.rsplit_once('/').unwrap();
        let owner = format!("{server}/{name}");
        let stand = Self { database, broker, servers, owner, files: TempDir::new().unwrap() };
        stand.write_brokers(&[&SOURCES[..1], &[]].concat(), &[]);
        stand
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    pub fn write_ownership(&self, text: &str) {
        std::fs::write(self.file("ownership.yaml"), text).unwrap();
    }

    /// These sources of `/`, and these virtual hosts.
    pub fn write_brokers(&self, sources: &[&str], vhosts: &[&str]) {
        let vhosts: String = vhosts.iter().flat_map(|vhost| ["      - vhost: ", vhost, "\n"]).collect();
        let text = format!(
            "brokers:\n  - name: main\n    url: {}\n    managementUrlFile: {}\n    vhosts:\n      - vhost: /\n        \
             sources: [{}]\n{vhosts}",
            self.servers.amqp_url,
            self.file("management-url").display(),
            sources.join(", ")
        );
        std::fs::write(self.file("brokers.yaml"), text).unwrap();
    }

    pub async fn doctor(&self) -> (i32, Value) {
        self.doctor_with(&self.servers.management_url).await
    }

    /// With this address of the management API; without one where it is empty.
    pub async fn doctor_with(&self, management_url: &str) -> (i32, Value) {
        let ran = run(self.command(&["doctor", "--json"], management_url)).await;
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.code, report)
    }

    pub async fn text(&self) -> String {
        run(self.command(&["doctor"], &self.servers.management_url)).await.out
    }

    fn command(&self, arguments: &[&str], management_url: &str) -> tokio::process::Command {
        std::fs::write(self.file("management-url"), management_url).unwrap();
        let brokers = std::fs::read_to_string(self.file("brokers.yaml")).unwrap();
        let kept: Vec<_> = brokers
            .lines()
            .filter(|line| !management_url.is_empty() || !line.contains("management"))
            .collect();
        std::fs::write(self.file("brokers-now.yaml"), kept.join("\n")).unwrap();
        let mut command = command(arguments);
        command
            .env("DATABASE_URL", &self.database.url)
            .env("DEAD_LETTER_BROKERS_FILE", self.file("brokers-now.yaml"))
            .env("DEAD_LETTER_OWNERSHIP_FILE", self.file("ownership.yaml"))
            .env_remove("AMQP_URL");
        command
    }

    pub fn ctl(&self, arguments: &[&str]) {
        self.servers.ctl(arguments);
    }

    pub fn policy(&self, name: &str, definition: &str) {
        self.ctl(&["set_policy", name, &format!("^{name}$"), definition, "--apply-to", "queues"]);
    }

    pub fn operator_policy(&self, name: &str, definition: &str) {
        self.ctl(&["set_operator_policy", name, &format!("^{name}"), definition, "--apply-to", "queues"]);
    }

    /// A durable queue of this type.
    pub async fn queue(&self, kind: &str, name: &str, arguments: &[(&str, AMQPValue)]) {
        self.queue_as(QueueDeclareOptions::durable(), kind, name, arguments).await;
    }

    pub async fn queue_as(
        &self,
        options: QueueDeclareOptions,
        kind: &str,
        name: &str,
        arguments: &[(&str, AMQPValue)],
    ) {
        let mut table = FieldTable::default();
        table.insert("x-queue-type".into(), text(kind));
        for (key, value) in arguments {
            table.insert((*key).into(), value.clone());
        }
        self.broker.channel.queue_declare(name.into(), options, table).await.unwrap();
    }

    /// A quorum queue as a source should be.
    pub async fn source(&self, name: &str, arguments: &[(&str, AMQPValue)]) {
        let unlimited = (self.broker.major() >= 4).then_some(("x-delivery-limit", AMQPValue::LongInt(-1)));
        let has_limit = arguments.iter().any(|(name, _)| *name == "x-delivery-limit");
        let arguments = arguments.iter().cloned().chain(unlimited.filter(|_| !has_limit)).collect::<Vec<_>>();
        self.queue("quorum", name, &arguments).await;
    }

    pub async fn exchange(&self, name: &str, kind: ExchangeKind) {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared =
            self.broker.channel.exchange_declare(name.into(), kind, options, FieldTable::default());
        declared.await.unwrap();
    }

    pub async fn bind(&self, exchange: &str, queue: &str, key: &str) {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        self.broker
            .channel
            .queue_bind(queue.into(), exchange.into(), key.into(), options, none)
            .await
            .unwrap();
    }

    /// A virtual host, with a connection to it.
    pub async fn vhost(&self, name: &str) -> Broker {
        self.ctl(&["add_vhost", name]);
        self.ctl(&["set_permissions", "--vhost", name, "guest", ".*", ".*", ".*"]);
        let (server, _) = self.servers.amqp_url.rsplit_once('/').unwrap();
        Broker::on(&format!("{server}/{name}")).await
    }

    /// As people would, who copy the commands.
    pub async fn apply(&self, commands: &[String]) {
        let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
        let (servers, folder, owner) = (servers.display(), self.servers.folder.display(), &self.owner);
        let binary = env!("CARGO_BIN_EXE_dead-letter");
        let tools = format!(
            "set -euo pipefail\n\
             rabbitmqctl() {{ '{servers}' ctl '{folder}' --quiet \"$@\"; }}\n\
             curl() {{ command curl --silent --show-error \"$@\"; }}\n\
             psql() {{ command psql --quiet --tuples-only '{owner}' \"$@\"; }}\n\
             dead-letter() {{ DATABASE_URL='{owner}' '{binary}' \"$@\"; }}\n"
        );
        let commands = commands.join("\n").replace("--user USER", "--user guest:guest");
        let script = format!("{tools}{commands}\n");
        let ran = tokio::task::spawn_blocking(move || {
            Command::new("bash").arg("-xc").arg(&script).output().unwrap()
        });
        let output = ran.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Each finding as its check and the name of the thing.
pub fn found(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| format!("{} {}", text(&finding["check"]), text(&finding["thing"]["name"])))
        .collect()
}

pub fn commands(report: &Value) -> Vec<String> {
    let commands = report["commands"].as_array().unwrap().iter();
    commands.map(|command| command.as_str().unwrap().to_owned()).collect()
}
