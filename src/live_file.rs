//! Configuration files whose changes take effect without a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::latest::Latest;

/// Interval of the checks. The content is compared, because Kubernetes swaps the files of a mounted `ConfigMap` by links, which
/// file notifications miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// A file, and the value that was last read from it.
#[derive(Clone, Debug)]
pub struct LiveFile<T> {
    name: &'static str,
    path: PathBuf,
    text: String,
    parse: fn(&str) -> anyhow::Result<T>,
    latest: Latest<T>,
}

impl<T> LiveFile<T> {
    /// Reads the file for the first time. It must exist and be valid.
    pub(crate) fn open(
        name: &'static str,
        path: &Path,
        parse: fn(&str) -> anyhow::Result<T>,
        latest: Latest<T>,
    ) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the {name} {}", path.display()))?;
        latest.replace(parse(&text).with_context(|| format!("the {name} {} is not right", path.display()))?);
        Ok(Self { name, path: path.to_owned(), text, parse, latest })
    }

    /// The value of this moment.
    pub fn now(&self) -> Arc<T> {
        self.latest.now()
    }

    /// Reads the file again if it has changed. If it is invalid, the last valid value stays.
    pub(crate) fn reload(&mut self) -> anyhow::Result<bool> {
        let text = std::fs::read_to_string(&self.path).context("cannot be read")?;
        if text == self.text {
            return Ok(false);
        }
        self.text = text;
        self.latest.replace((self.parse)(&self.text)?);
        Ok(true)
    }

    /// Reloads the file whenever it changes, until the process stops.
    pub async fn reload_on_change(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut failing = false;
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            match self.reload() {
                Ok(true) => info!(file = %self.path.display(), "{} reloaded", self.name),
                Ok(false) => {}
                Err(error) if !failing => {
                    error!(file = %self.path.display(), error = format!("{error:#}"), "could not read the {}, keeping the last valid version", self.name);
                    failing = true;
                    continue;
                }
                Err(_) => continue,
            }
            failing = false;
        }
        Ok(())
    }
}
