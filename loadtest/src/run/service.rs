//! dead-letter as a process of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// It makes its schema within a second or two.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// It has 30 s itself to finish what is in hand.
const END_WITHIN: Duration = Duration::from_secs(40);

/// A running service; killed with the value.
#[derive(Debug)]
pub struct Service {
    child: Child,
    client: Client,
    /// The API.
    pub api: String,
    admin: String,
}

impl Service {
    /// Starts it on ports of its own, with its log in `log`, and waits until it is ready.
    pub async fn start(binary: &Path, settings: &[(&str, &str)], log: &Path) -> Result<Self> {
        let (api, admin) = (free_address()?, free_address()?);
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new(binary)
            .arg("serve")
            .envs(settings.iter().copied())
            .envs([
                ("HTTP_ADDR", api.as_str()),
                ("ADMIN_ADDR", admin.as_str()),
                ("DEAD_LETTER_LOG_FORMAT", "json"),
                ("DEAD_LETTER_DRAIN_DELAY", "0s"),
            ])
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start {}: build it by `cargo build --release`", binary.display())
            })?;
        let client = Client::builder().no_proxy().build()?;
        let mut service =
            Self { child, client, api: format!("http://{api}"), admin: format!("http://{admin}") };
        service.until_ready().await?;
        Ok(service)
    }

    async fn until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("dead-letter ended with {status}; its log says why");
            }
            let ready = self.client.get(format!("{}/health/ready", self.admin)).send().await;
            if ready.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "dead-letter was not ready within {} s",
                READY_WITHIN.as_secs()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The sum of a metric over all its labels.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.client.get(format!("{}/metrics", self.admin)).send().await?.text().await?;
        Ok(sum_of(&text, name))
    }

    /// An answer of the API as JSON; anything but success is an error.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.client.get(format!("{}{path}", self.api)).send().await?;
        ensure!(answer.status().is_success(), "GET {path} answered {}", answer.status());
        Ok(answer.json().await?)
    }

    /// The same for a POST.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.post(format!("{}{path}", self.api)).json(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "POST {path} answered {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// SIGTERM, and waits until it has finished what it had in hand.
    pub async fn stop(mut self) -> Result<()> {
        let pid =
            self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(
            pid.context("dead-letter has ended already")?,
            rustix::process::Signal::TERM,
        )?;
        let status = tokio::time::timeout(END_WITHIN, self.child.wait())
            .await
            .with_context(|| format!("dead-letter did not end within {} s", END_WITHIN.as_secs()))??;
        ensure!(status.success(), "dead-letter ended with {status}");
        Ok(())
    }
}

fn sum_of(metrics: &str, name: &str) -> f64 {
    let samples = metrics.lines().filter_map(|line| line.strip_prefix(name));
    samples
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter_map(|rest| rest.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let text = "# TYPE a counter\na{s=\"x y\"} 3\na{s=\"z\"} 4.5\nab 7\n";
        assert!((super::sum_of(text, "a") - 7.5).abs() < 1e-9);
    }
}
