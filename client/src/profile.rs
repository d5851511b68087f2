//! Profiles: named servers with their tokens or issuers, in `~/.config/dead-letter/config.toml`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ending::Failure;
use crate::token::Token;

/// The profile that is used if none is named.
pub(crate) const DEFAULT: &str = "default";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// One profile. Everything in it is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) server: Option<String>,
    pub(crate) token: Option<Token>,
    /// Defaults of `dead-letter login`.
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) audience: Option<String>,
}

impl Profile {
    /// The profile of this name. Without a name the default one, which need not exist.
    pub(crate) fn find(name: Option<&str>) -> Result<Self, Failure> {
        let path = folder().map(|folder| folder.join("config.toml"));
        let config = path.as_deref().map(read).transpose()?.unwrap_or_default();
        match (config.profiles.get(name.unwrap_or(DEFAULT)), name) {
            (Some(profile), _) => Ok(profile.clone()),
            (None, None) => Ok(Self::default()),
            (None, Some(name)) => {
                let path = path.unwrap_or_default();
                Err(Failure::Refused(format!("No profile {name} in {}.", path.display())))
            }
        }
    }
}

/// Where this program keeps its files. `None` without a home.
pub(crate) fn folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("dead-letter"))
}

/// A token in a file that others can read is not a secret.
pub(crate) fn check_mode(path: &Path) -> Result<(), Failure> {
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        return Err(Failure::Refused(format!(
            "{} contains a token, and others can read it. Run: chmod 600 {}",
            path.display(),
            path.display()
        )));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Config, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(Failure::Refused(format!("Cannot read {}: {error}", path.display()))),
    };
    // The parser's message quotes the file, which contains tokens.
    let config: Config = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        Failure::Refused(format!(
            "{}, line {number}: invalid profile. Expected [profiles.NAME] with server = \"URL\", and token = \"TOKEN\" or issuer = \
             \"URL\" and client_id = \"ID\".",
            path.display()
        ))
    })?;
    if config.profiles.values().any(|profile| profile.token.is_some()) {
        check_mode(path)?;
    }
    Ok(config)
}
