//! Ownership from a YAML file:
//!
//! ```yaml
//! services:
//!   - service: term-deposit
//!     squad: nasa
//!   - service: "card-*"
//!     squad: gemini
//! ```

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::{Ownership, Rules};
use crate::live_file::LiveFile;

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

/// Reads the ownership file for the first time. It must exist and be valid.
pub fn open(path: &Path, ownership: &Ownership) -> anyhow::Result<LiveFile<Rules>> {
    LiveFile::open("ownership file", path, parse, ownership.rules.clone())
}

fn parse(text: &str) -> anyhow::Result<Rules> {
    let document: Document = serde_saphyr::from_str(text)
        .context("it needs `services:`, a list of entries with `service` and `squad`")?;
    Ok(Rules::new(document.services.into_iter().map(|rule| (rule.service, rule.squad))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_keeps_the_last_good_ownership() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "services:\n  - service: a\n    squad: nasa\n").unwrap();
        let ownership = Ownership::default();
        let mut opened = open(file.path(), &ownership).unwrap();
        assert_eq!(ownership.now().squad("a"), "nasa");
        std::fs::write(&file, "services: 7").unwrap();
        assert!(opened.reload().is_err());
        assert_eq!(ownership.now().squad("a"), "nasa");
        std::fs::write(&file, "services:\n  - {service: 'a*', squad: gemini}\n").unwrap();
        assert!(opened.reload().unwrap());
        assert_eq!(ownership.now().squad("abc"), "gemini");
    }
}
