//! The straightforward consumer in Python: pika and psycopg.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::backlog;
use crate::letters::Letters;
use crate::run::rounds::Run;
use crate::run::world::World;

/// A virtual environment with the peer's libraries in it.
#[derive(Clone, Debug)]
pub struct Python(PathBuf);

#[derive(Deserialize)]
struct Figures {
    messages: u64,
    seconds: f64,
}

impl Python {
    /// Makes the environment, unless it is there.
    pub async fn install(folder: &Path) -> Result<Self> {
        let environment = folder.join("python");
        let python = environment.join("bin/python");
        let peers = peers();
        if !environment.join("complete").exists() {
            run_quietly("python3", &["-m".as_ref(), "venv".as_ref(), environment.as_os_str()]).await?;
            let requirements = peers.join("requirements.txt");
            let install: [&std::ffi::OsStr; 6] = [
                "-m".as_ref(),
                "pip".as_ref(),
                "install".as_ref(),
                "--quiet".as_ref(),
                "--requirement".as_ref(),
                requirements.as_ref(),
            ];
            run_quietly(&python.to_string_lossy(), &install).await?;
            std::fs::write(environment.join("complete"), "")?;
        }
        Ok(Self(python))
    }

    /// Fills a queue, and measures how fast it is stored, `batch` messages a transaction.
    pub async fn run(&self, world: &World, letters: &Letters, count: u64, batch: u32) -> Result<Run> {
        let database = world.database().await?;
        let connection = world.connect("python").await?;
        let queue = backlog(world, &connection, letters, count).await?;
        let processes = world.processes(None);
        let before = processes.usage();
        let output = Command::new(&self.0)
            .arg(peers().join("consumer.py"))
            .args(["--uri", &world.amqp_url, "--database", &database.url, "--queue", &queue])
            .args(["--count", &count.to_string(), "--batch", &batch.to_string()])
            .stdin(Stdio::null())
            .output()
            .await?;
        let cpu = processes.usage() - before;
        ensure!(
            output.status.success(),
            "the Python consumer failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let figures: Figures =
            serde_json::from_slice(&output.stdout).context("the Python consumer's figures")?;
        ensure!(figures.messages == count, "the Python consumer stored {} of {count}", figures.messages);
        world.delete_queue(&connection, &queue).await?;
        world.drop_database(&database).await?;
        Ok(Run { messages: count, took: Duration::from_secs_f64(figures.seconds), cpu })
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

async fn run_quietly(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<()> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot start {program}"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
