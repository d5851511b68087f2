//! What a scenario runs in: private servers, fresh databases and queues, and the service under test.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use lapin::Connection;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use sqlx::{Connection as _, Executor, PgConnection};
use tokio::process::Command;

use super::cpu::Processes;
use super::service::Service;
use crate::amqp;

/// The servers and the program that a scenario works with.
#[derive(Debug)]
pub struct World {
    /// Where the broker's state folder is, for `servers.sh`.
    broker: PathBuf,
    /// The broker, or the first of its nodes.
    pub amqp_url: String,
    /// A database from which others are made.
    database_url: String,
    processes: Processes,
    /// dead-letter.
    binary: PathBuf,
    /// Where reports and logs go.
    pub folder: PathBuf,
    /// Replicas of each queue.
    pub replicas: u32,
    names: AtomicU32,
}

/// A database of its own.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its URL.
    pub url: String,
    name: String,
}

impl World {
    /// Takes the servers that `servers.sh with` has started, and a cluster beside them where there are to be replicas.
    pub async fn enter(replicas: u32, binary: PathBuf, folder: PathBuf) -> Result<Self> {
        let servers = std::env::var_os("DEAD_LETTER_SERVERS")
            .map(PathBuf::from)
            .context("scenarios run on private servers: start them by `make loadtest SCENARIO=…`")?;
        let mut env = read_env(&servers)?;
        let database = env.get("POSTGRES_PID").and_then(|pid| pid.parse().ok());
        let database_url = take(&mut env, "DATABASE_URL")?;
        let broker = if replicas > 1 {
            let cluster = servers.join(format!("cluster-{replicas}"));
            eprintln!("starting a cluster of {replicas} nodes");
            servers_script(&["cluster".as_ref(), cluster.as_os_str(), replicas.to_string().as_ref()]).await?;
            env = read_env(&cluster)?;
            cluster
        } else {
            servers
        };
        let pids = env.get("RABBITMQ_PIDS").or_else(|| env.get("RABBITMQ_PID")).cloned().unwrap_or_default();
        let processes = Processes {
            broker: pids.split([',', ' ']).filter_map(|pid| pid.parse().ok()).collect(),
            database,
            service: None,
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let amqp_url = take(&mut env, "AMQP_URL")?;
        Ok(Self {
            broker,
            amqp_url,
            database_url,
            processes,
            binary,
            folder,
            replicas,
            names: AtomicU32::new(0),
        })
    }

    /// The processes whose CPU counts, the service among them.
    pub fn processes(&self, service: Option<&Service>) -> Processes {
        Processes { service: service.and_then(Service::pid), ..self.processes.clone() }
    }

    /// A name that nothing else in this run has.
    pub fn name(&self, what: &str) -> String {
        format!("{what}-{}-{}", std::process::id(), self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// A database with nothing in it.
    pub async fn database(&self) -> Result<Database> {
        let name = format!("loadtest_{}", self.names.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.database_url).await?;
        connection.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str()).await?;
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await?;
        let (server, _) = self.database_url.rsplit_once('/').context("DATABASE_URL names no database")?;
        Ok(Database { url: format!("{server}/{name}"), name })
    }

    /// Removes a database, and writes what waits to be written, so that the next round begins as the one before.
    pub async fn drop_database(&self, database: &Database) -> Result<()> {
        let mut connection = PgConnection::connect(&self.database_url).await?;
        connection.execute(format!("DROP DATABASE {} WITH (FORCE)", database.name).as_str()).await?;
        connection.execute("CHECKPOINT").await?;
        Ok(())
    }

    /// The version of the database server.
    pub async fn database_version(&self) -> Result<String> {
        let mut connection = PgConnection::connect(&self.database_url).await?;
        Ok(sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?)
    }

    /// A connection to the broker.
    pub async fn connect(&self, purpose: &str) -> Result<Connection> {
        amqp::connect(&self.amqp_url, &format!("loadtest {purpose}")).await
    }

    /// A quorum queue of its own, with as many replicas as the run has.
    pub async fn queue(&self, connection: &Connection, what: &str) -> Result<String> {
        let name = self.name(what);
        let channel = connection.create_channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), amqp::text("quorum"));
        let replicas = i32::try_from(self.replicas).unwrap_or(i32::MAX);
        arguments.insert("x-quorum-initial-group-size".into(), AMQPValue::LongInt(replicas));
        let _ = channel.queue_delete(amqp::short(&name)?, QueueDeleteOptions::default()).await;
        let channel = connection.create_channel().await?;
        channel.queue_declare(amqp::short(&name)?, QueueDeclareOptions::durable(), arguments).await?;
        Ok(name)
    }

    /// Removes a queue with what is in it.
    pub async fn delete_queue(&self, connection: &Connection, queue: &str) -> Result<()> {
        let channel = connection.create_channel().await?;
        channel.queue_delete(amqp::short(queue)?, QueueDeleteOptions::default()).await?;
        Ok(())
    }

    /// Starts dead-letter on this queue and this database.
    pub async fn service(
        &self,
        queue: &str,
        database: &Database,
        settings: &[(&str, &str)],
    ) -> Result<Service> {
        self.service_of(&self.binary, queue, database, settings).await
    }

    /// Starts this build of dead-letter on this queue and this database.
    pub async fn service_of(
        &self,
        binary: &Path,
        queue: &str,
        database: &Database,
        settings: &[(&str, &str)],
    ) -> Result<Service> {
        let mut all = vec![
            ("DATABASE_URL", database.url.as_str()),
            ("AMQP_URL", self.amqp_url.as_str()),
            ("DEAD_LETTER_SOURCES", queue),
        ];
        all.extend_from_slice(settings);
        let log = self.folder.join(format!("{queue}.log"));
        Service::start(binary, &all, &log).await
    }

    /// Runs dead-letter with these arguments to its end.
    pub async fn run_binary(&self, arguments: &[&str]) -> Result<()> {
        let status = Command::new(&self.binary).args(arguments).stdin(Stdio::null()).status().await;
        let status = status.with_context(|| format!("cannot start {}", self.binary.display()))?;
        ensure!(status.success(), "dead-letter {} ended with {status}", arguments.join(" "));
        Ok(())
    }

    /// Runs `rabbitmqctl`.
    pub async fn rabbitmqctl(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["ctl".as_ref(), self.broker.as_os_str()];
        all.extend(arguments.iter().map(AsRef::<std::ffi::OsStr>::as_ref));
        servers_script(&all).await
    }
}

fn take(env: &mut HashMap<String, String>, name: &str) -> Result<String> {
    env.remove(name).with_context(|| format!("the servers' env file lacks {name}"))
}

/// The file that `servers.sh` writes: `export NAME=value` a line.
fn read_env(folder: &Path) -> Result<HashMap<String, String>> {
    let file = folder.join("env");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let pairs = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    Ok(pairs.map(|(name, value)| (name.into(), value.trim_matches(['\'', '"']).into())).collect())
}

async fn servers_script(arguments: &[&std::ffi::OsStr]) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/servers.sh");
    let output = Command::new(script).args(arguments).stdin(Stdio::null()).output().await?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "servers.sh {:?} failed: {}", arguments, error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
