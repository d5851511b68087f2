//! Secrets of channels: never in the notifications file itself, never logged, never answered (R14).

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// Where a secret is: `{file: /etc/dead-letter/pagerduty}` or `{env: PAGERDUTY_KEY}`. It is read whenever it is used, so that it can be
/// replaced without a restart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Document")]
pub(super) enum Secret {
    /// The content of this file.
    File(PathBuf),
    /// The environment variable of this name.
    Env(String),
}

/// Not an enum: a parser's message would quote a secret that stands in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a secret as {file: PATH} or {env: NAME}")]
struct Document {
    file: Option<PathBuf>,
    env: Option<String>,
}

impl TryFrom<Document> for Secret {
    type Error = anyhow::Error;

    fn try_from(document: Document) -> anyhow::Result<Self> {
        match document {
            Document { file: Some(path), env: None } => Ok(Self::File(path)),
            Document { file: None, env: Some(name) } => Ok(Self::Env(name)),
            _ => bail!("a secret needs either `file` or `env`"),
        }
    }
}

impl Secret {
    /// The secret itself.
    pub fn read(&self) -> anyhow::Result<String> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the secret in {}", path.display()))?,
            Self::Env(name) => {
                std::env::var(name).map_err(|_| anyhow::anyhow!("the environment has no variable {name}"))?
            }
        };
        let text = text.trim();
        ensure!(!text.is_empty(), "the secret in {} is empty", self.place());
        Ok(text.to_owned())
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Env(name) => name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_in_a_file_or_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "hidden\n").unwrap();
        let secret = Secret::File(file.path().to_owned());
        assert_eq!(secret.read().unwrap(), "hidden");
        assert!(!format!("{secret:?}").contains("hidden"));
        std::fs::write(&file, " \n").unwrap();
        assert!(secret.read().unwrap_err().to_string().ends_with("is empty"));
        let absent = Secret::Env("DEAD_LETTER_TEST_ABSENT".into());
        let error = absent.read().unwrap_err().to_string();
        assert_eq!(error, "the environment has no variable DEAD_LETTER_TEST_ABSENT");
    }
}
