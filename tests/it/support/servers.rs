//! Servers of its own for a test that kills them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::until;

/// Servers take a while to start: one test at a time has its own.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// Waits for the turn of a test that has servers of another kind.
pub async fn turn() -> SemaphorePermit<'static> {
    ONE_AT_A_TIME.acquire().await.unwrap()
}

/// A private `PostgreSQL` and `RabbitMQ`, stopped and removed with the value.
pub struct Servers {
    pub folder: PathBuf,
    pub database_url: String,
    pub amqp_url: String,
    /// Of the management API; empty without the plugin.
    pub management_url: String,
    settings: String,
    plugins: Option<&'static str>,
    _turn: SemaphorePermit<'static>,
}

impl Servers {
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, &[]).await
    }

    /// With these settings of `RabbitMQ`, such as `{consumer_timeout, 3000}`.
    pub async fn start_with(name: &str, rabbitmq: &[&str]) -> Self {
        Self::start_as(name, rabbitmq, None).await
    }

    /// With the management plugin, and these settings of `RabbitMQ`.
    pub async fn start_managed(name: &str, rabbitmq: &[&str]) -> Self {
        Self::start_as(name, rabbitmq, Some("rabbitmq_shovel,rabbitmq_management")).await
    }

    async fn start_as(name: &str, rabbitmq: &[&str], plugins: Option<&'static str>) -> Self {
        let turn = ONE_AT_A_TIME.acquire().await.unwrap();
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("target/servers")
            .join(format!("it-{name}-{}", std::process::id()));
        let (database_url, amqp_url, management_url) = (String::new(), String::new(), String::new());
        let settings = rabbitmq.join(", ");
        let mut servers =
            Self { folder, database_url, amqp_url, management_url, settings, plugins, _turn: turn };
        servers.run("start", None);
        let env = std::fs::read_to_string(servers.folder.join("env")).unwrap();
        let values: HashMap<_, _> = env
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name, value.trim_matches(['\'', '"'])))
            .collect();
        servers.database_url = String::from(values["DATABASE_URL"]);
        servers.amqp_url = String::from(values["AMQP_URL"]);
        servers.management_url =
            values.get("MANAGEMENT_URL").map_or_else(String::new, |url| String::from(*url));
        servers
    }

    /// SIGKILL of `postgres` or `rabbitmq`.
    pub fn kill(&self, server: &str) {
        self.run("kill", Some(server));
    }

    /// Starts it again, on the same port and data.
    pub fn start_again(&self, server: &str) {
        self.run("start", Some(server));
    }

    /// What the broker has logged.
    pub fn broker_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("rabbitmq/log/rabbitmq.log")).unwrap_or_default()
    }

    /// Waits until the broker has written down that this queue exists. It does so half a second after the declaration, and
    /// a queue of a broker that is killed before never has a leader again, nor its messages.
    pub async fn until_registered(&self, queue: &str) {
        let name = format!("%2F_{queue}").into_bytes();
        until("the queue is registered on disk", || async {
            let registry = find_registry(&self.folder.join("rabbitmq/data"))?;
            let bytes = std::fs::read(registry).ok()?;
            bytes.windows(name.len()).any(|window| window == name).then_some(())
        })
        .await;
    }

    /// Runs rabbitmqctl for the broker.
    pub fn ctl(&self, arguments: &[&str]) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
        let output = Command::new(script).arg("ctl").arg(&self.folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, action: &str, server: Option<&str>) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
        let mut command = Command::new(script);
        command.arg(action).arg(&self.folder).args(server).env_remove("DATABASE_URL").env_remove("AMQP_URL");
        command.env("RABBITMQ_SETTINGS", &self.settings);
        command.envs(self.plugins.map(|plugins| ("RABBITMQ_PLUGINS", plugins)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{action}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn find_registry(folder: &Path) -> Option<PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries.into_iter().find_map(|path| {
        let is_registry = path.ends_with("names.dets") && folder.parent()?.ends_with("quorum");
        if is_registry { Some(path) } else { find_registry(&path) }
    })
}

impl Drop for Servers {
    fn drop(&mut self) {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
        let _ = Command::new(script).arg("destroy").arg(&self.folder).output();
    }
}
