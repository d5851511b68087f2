//! How the process begins and ends: a soft stop that lets work finish, within a grace period; a task that crashes ends all.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// The long-running tasks of the process.
#[derive(Debug)]
pub struct Lifecycle {
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    grace: Duration,
}

impl Lifecycle {
    /// No tasks yet; once asked to stop, they will have so long.
    pub fn new(grace: Duration) -> Self {
        Self { stop: CancellationToken::new(), tasks: JoinSet::new(), grace }
    }

    /// Cancelled when the process is to stop: finish what is in hand, begin nothing new.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a task that ends only when the process is to stop.
    pub fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Waits for SIGTERM, SIGINT or the end of a task, then stops every other task. Fails if a task failed, panicked,
    /// ended before it was asked to, or did not end within the grace period.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let mut outcome = tokio::select! {
            _ = terminate.recv() => { info!("SIGTERM: finishing what is in hand"); Ok(()) }
            _ = interrupt.recv() => { info!("SIGINT: finishing what is in hand"); Ok(()) }
            Some(ended) = self.tasks.join_next() => match ended {
                Ok((name, Ok(()))) => Err(anyhow::anyhow!("{name} ended by itself")),
                Ok((name, Err(error))) => Err(error.context(format!("{name} failed"))),
                Err(panic) => Err(anyhow::anyhow!("a task crashed: {panic}")),
            },
        };
        self.stop.cancel();
        let drained = tokio::time::timeout(self.grace, async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok((_, Ok(()))) => {}
                    Ok((name, Err(error))) => {
                        error!(error = format!("{error:#}"), task = name, "failed while stopping");
                        outcome = Err(error.context(format!("{name} failed while stopping")));
                    }
                    Err(panic) => outcome = Err(anyhow::anyhow!("a task crashed: {panic}")),
                }
            }
        });
        if drained.await.is_err() {
            bail!(
                "not finished within the grace period of {:?}: what is not acknowledged comes again",
                self.grace
            );
        }
        outcome
    }
}
