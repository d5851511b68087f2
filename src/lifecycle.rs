//! Start and stop of the process. On a signal work is finished within a grace period. A task that crashes ends the process.
//!
//! On SIGTERM no new work begins, but the API keeps its listener open for a moment: a load balancer learns of the stop from readiness, and
//! sends requests until then. Readiness and metrics are served until the process exits.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

/// The long-running tasks of the process.
#[derive(Debug)]
pub struct Lifecycle {
    stop: CancellationToken,
    close: CancellationToken,
    tasks: Tasks,
    until_exit: Tasks,
    drain_delay: Duration,
    grace: Duration,
}

type Tasks = JoinSet<(&'static str, anyhow::Result<()>)>;
type Ended = Result<(&'static str, anyhow::Result<()>), JoinError>;

impl Lifecycle {
    /// Without tasks. On SIGTERM listeners close after `drain_delay`. Tasks have to end within `grace`, from the signal on.
    pub fn new(drain_delay: Duration, grace: Duration) -> Self {
        let (stop, close) = (CancellationToken::new(), CancellationToken::new());
        Self { stop, close, tasks: JoinSet::new(), until_exit: JoinSet::new(), drain_delay, grace }
    }

    /// Cancelled when the process stops: finish work in progress, begin nothing new.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled after the drain delay: accept no more requests.
    pub fn close(&self) -> CancellationToken {
        self.close.clone()
    }

    /// Runs a task that ends only when the process stops.
    pub fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Runs a task that never ends. It is dropped after all others have ended.
    pub fn spawn_until_exit(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.until_exit.spawn(async move { (name, task.await) });
    }

    /// Waits for SIGTERM, SIGINT or the end of a task, then stops every other task. Fails if a task failed, panicked,
    /// ended before it was asked to, or did not end within the grace period.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let (mut outcome, delay) = tokio::select! {
            _ = terminate.recv() => {
                info!("SIGTERM: finishing work in progress");
                (Ok(()), self.drain_delay)
            }
            // Sent from a keyboard: there is no load balancer to wait for.
            _ = interrupt.recv() => {
                info!("SIGINT: finishing work in progress");
                (Ok(()), Duration::ZERO)
            }
            Some(ended) = self.tasks.join_next() => (too_early(ended), Duration::ZERO),
            Some(ended) = self.until_exit.join_next() => (too_early(ended), Duration::ZERO),
        };
        self.stop.cancel();
        let tasks = &mut self.tasks;
        let ended = tokio::time::timeout(self.grace, async {
            if tokio::time::timeout(delay, drain(tasks, &mut outcome)).await.is_err() {
                self.close.cancel();
                drain(tasks, &mut outcome).await;
            }
        });
        if ended.await.is_err() {
            bail!(
                "work did not finish within the grace period of {:?}; the broker will redeliver unacknowledged messages",
                self.grace
            );
        }
        outcome
    }
}

fn too_early(ended: Ended) -> anyhow::Result<()> {
    match ended {
        Ok((name, Ok(()))) => Err(anyhow::anyhow!("{name} ended by itself")),
        Ok((name, Err(error))) => Err(error.context(format!("{name} failed"))),
        Err(panic) => Err(anyhow::anyhow!("a task crashed: {panic}")),
    }
}

/// Waits until all tasks have ended. Keeps the last error.
async fn drain(tasks: &mut Tasks, outcome: &mut anyhow::Result<()>) {
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok((name, Ok(()))) => debug!(task = name, "ended"),
            Ok((name, Err(error))) => {
                error!(error = format!("{error:#}"), task = name, "failed while stopping");
                *outcome = Err(error.context(format!("{name} failed while stopping")));
            }
            Err(panic) => *outcome = Err(anyhow::anyhow!("a task crashed: {panic}")),
        }
    }
}
