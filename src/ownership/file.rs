//! Ownership from a YAML file:
//!
//! ```yaml
//! services:
//!   - service: term-deposit
//!     squad: nasa
//!   - service: "card-*"
//!     squad: gemini
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Owners, Ownership};

/// Interval of the checks. The content is compared, because Kubernetes swaps the files of a mounted `ConfigMap` by links, which
/// file notifications miss.
const INTERVAL: Duration = Duration::from_secs(2);

/// The ownership file.
#[derive(Clone, Debug)]
pub struct OwnershipFile {
    path: PathBuf,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    services: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    service: String,
    squad: String,
}

impl OwnershipFile {
    /// Reads the file for the first time. It must exist and be valid.
    pub fn open(path: &Path, ownership: &Ownership) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the ownership file {}", path.display()))?;
        let owners =
            parse(&text).with_context(|| format!("the ownership file {} is not right", path.display()))?;
        ownership.replace(owners);
        Ok(Self { path: path.to_owned(), text })
    }

    /// Reads the file again if it has changed. If it is invalid, the last valid ownership stays.
    fn reload(&mut self, ownership: &Ownership) -> anyhow::Result<bool> {
        let text = std::fs::read_to_string(&self.path).context("cannot be read")?;
        if text == self.text {
            return Ok(false);
        }
        self.text = text;
        ownership.replace(parse(&self.text)?);
        Ok(true)
    }
}

/// Reloads the file whenever it changes, until the process stops.
pub async fn reload_on_change(
    mut file: OwnershipFile,
    ownership: Ownership,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut failing = false;
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        match file.reload(&ownership) {
            Ok(true) => info!(file = %file.path.display(), "ownership file reloaded"),
            Ok(false) => {}
            Err(error) if !failing => {
                error!(file = %file.path.display(), error = format!("{error:#}"), "could not read the ownership file, keeping the last valid version");
                failing = true;
                continue;
            }
            Err(_) => continue,
        }
        failing = false;
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<Owners> {
    let document: Document = serde_saphyr::from_str(text)
        .context("it needs `services:`, a list of entries with `service` and `squad`")?;
    Ok(Owners::new(document.services.into_iter().map(|rule| (rule.service, rule.squad))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_keeps_the_last_good_ownership() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "services:\n  - service: a\n    squad: nasa\n").unwrap();
        let ownership = Ownership::default();
        let mut opened = OwnershipFile::open(file.path(), &ownership).unwrap();
        assert_eq!(ownership.now().squad("a"), "nasa");
        std::fs::write(&file, "services: 7").unwrap();
        assert!(opened.reload(&ownership).is_err());
        assert_eq!(ownership.now().squad("a"), "nasa");
        std::fs::write(&file, "services:\n  - {service: 'a*', squad: gemini}\n").unwrap();
        assert!(opened.reload(&ownership).unwrap());
        assert_eq!(ownership.now().squad("abc"), "gemini");
    }
}
