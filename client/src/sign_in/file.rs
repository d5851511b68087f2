//! The file of a sign-in, which only its owner can read.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::issuer::{Issuer, Tokens};
use crate::ending::Failure;
use crate::profile;
use crate::token::Token;

/// How long before its end an access token is renewed.
const MARGIN: TimeDelta = TimeDelta::seconds(30);

/// What is stored of a sign-in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored {
    /// The only server that the token is sent to.
    pub(crate) server: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) access_token: Token,
    /// Absent if the issuer gave none. The sign-in then ends with the access token.
    pub(crate) refresh_token: Option<Token>,
    /// Absent if the issuer did not tell.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Stored {
    pub(super) fn new(server: &Url, issuer: &Issuer, tokens: Tokens, now: DateTime<Utc>) -> Self {
        Self {
            server: server.as_str().to_owned(),
            issuer: issuer.name().to_owned(),
            client_id: issuer.client_id().to_owned(),
            expires_at: tokens.end(now),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
        }
    }

    /// The same sign-in with new tokens. The refresh token stays valid unless a new one replaces it: RFC 6749, section 6.
    pub(super) fn with(self, tokens: Tokens, now: DateTime<Utc>) -> Self {
        Self {
            expires_at: tokens.end(now),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token.or(self.refresh_token),
            ..self
        }
    }

    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether the access token has expired, or will soon.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.has_expired(now + MARGIN)
    }
}

/// Where the sign-in of a profile is stored: `tokens/PROFILE.json` in the folder of the configuration.
#[derive(Debug)]
pub(crate) struct TokenFile {
    folder: PathBuf,
    name: String,
}

/// The file, while no other command changes it.
pub(crate) struct Locked<'f> {
    file: &'f TokenFile,
    _lock: File,
}

impl TokenFile {
    /// `None` if there cannot be one: without a home, or with a name that is not a plain file name.
    pub(crate) fn of(profile: &str) -> Option<Self> {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let may_be = profile.chars().all(is_plain) && !profile.starts_with('.') && !profile.is_empty();
        let folder = profile::folder().filter(|_| may_be)?.join("tokens");
        Some(Self { folder, name: profile.to_owned() })
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    /// `None` if nobody has signed in. An error if others can read the file.
    pub(crate) fn read(&self) -> Result<Option<Stored>, Failure> {
        let path = self.path("json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::Refused(format!("Cannot read {}: {error}", path.display()))),
        };
        profile::check_mode(&path)?;
        // The parser's message may quote the file.
        let stored = serde_json::from_slice(&text).map_err(|_| {
            Failure::Refused(format!(
                "Cannot read the sign-in in {}. Remove the file and sign in again.",
                path.display()
            ))
        })?;
        Ok(Some(stored))
    }

    /// Waits for other commands that renew the same sign-in: a refresh token may be good for one use only.
    pub(crate) async fn lock(&self) -> Result<Locked<'_>, Failure> {
        let failed = |error: std::io::Error| {
            Failure::Failed(format!("Cannot store a sign-in in {}: {error}", self.folder.display()))
        };
        self.make_folder().map_err(failed)?;
        let mut open = OpenOptions::new();
        let lock = open
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.path("lock"))
            .map_err(failed)?;
        let locking = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        let lock = locking.map_err(std::io::Error::other).flatten().map_err(failed)?;
        Ok(Locked { file: self, _lock: lock })
    }

    fn make_folder(&self) -> std::io::Result<()> {
        if let Some(parent) = self.folder.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                std::fs::set_permissions(&self.folder, Permissions::from_mode(0o700))
            }
            made => made,
        }
    }
}

impl Locked<'_> {
    pub(crate) fn read(&self) -> Result<Option<Stored>, Failure> {
        self.file.read()
    }

    /// Replaces the file at once. Nobody else can read it at any time.
    pub(crate) fn write(&self, stored: &Stored) -> Result<(), Failure> {
        let write = || {
            let (new, path) = (self.file.path("new"), self.file.path("json"));
            let _ = std::fs::remove_file(&new);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(serde_json::to_string_pretty(stored)?.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(new, path)
        };
        write().map_err(|error: std::io::Error| {
            Failure::Failed(format!("Cannot store the sign-in in {}: {error}", self.file.folder.display()))
        })
    }

    pub(crate) fn remove(&self) -> Result<(), Failure> {
        let path = self.file.path("json");
        std::fs::remove_file(&path)
            .map_err(|error| Failure::Failed(format!("Cannot remove {}: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_plain_file_name() {
        for name in ["", ".", "..", "../config", "a/b", ".hidden", "a\0b", "ä"] {
            assert!(TokenFile::of(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        let now = crate::clock::now();
        let token = || "t".parse().unwrap_or_else(|never| match never {});
        let stored = |expires_at| Stored {
            server: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            access_token: token(),
            refresh_token: Some(token()),
            expires_at,
        };
        let states = |seconds| {
            let stored = stored(Some(now + TimeDelta::seconds(seconds)));
            (stored.is_due(now), stored.has_expired(now))
        };
        assert_eq!([31, 30, 1, 0].map(states), [(false, false), (true, false), (true, false), (true, true)]);
        assert!(!stored(None).is_due(now), "the issuer did not tell when");
        let renewed = stored(None).with(
            Tokens {
                access_token: token(),
                refresh_token: None,
                expires_in: Some(60),
                token_type: String::new(),
            },
            now,
        );
        assert_eq!(renewed.expires_at, Some(now + TimeDelta::seconds(60)));
        assert!(renewed.refresh_token.is_some(), "it stays valid");
    }
}
