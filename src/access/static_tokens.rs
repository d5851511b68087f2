//! Tokens for scripts, from a file that has their digests only:
//!
//! ```yaml
//! tokens:
//!   - name: load-test
//!     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//!     expires: 2027-06-30T00:00:00Z     # optional
//! ```
//!
//! Tokens are random, so a plain digest cannot be guessed; a slow one would let strangers keep the service busy.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Principal, Refused};
use crate::clock;

/// Secret scanners know a token by it.
const PREFIX: &str = "dlt_";
/// Random bytes of a token.
const RANDOM: usize = 32;
/// How often the file is read. Its content is compared, see ADR 0008.
const INTERVAL: Duration = Duration::from_secs(2);

type Digested = [u8; 32];

/// The tokens of a file. Clones share them.
#[derive(Clone, Debug)]
pub struct StaticTokens {
    path: PathBuf,
    tokens: Arc<RwLock<Arc<HashMap<Digested, Token>>>>,
}

#[derive(Clone, Debug)]
struct Token {
    name: String,
    expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    tokens: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    expires: Option<DateTime<Utc>>,
}

/// Whether it looks like a token that [`new_token`] made.
pub(super) fn has_form(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new token, and its digest for the file.
pub fn new_token() -> anyhow::Result<(String, String)> {
    let mut random = [0; RANDOM];
    OsRng.try_fill_bytes(&mut random).context("the system has no random bytes")?;
    let token = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
    let digest = digest(&token).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    Ok((token, digest))
}

fn digest(token: &str) -> Digested {
    Sha256::digest(token.as_bytes()).into()
}

impl StaticTokens {
    /// Reads the file, which must be there and be valid.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let tokens = read(path)?;
        Ok(Self { path: path.to_owned(), tokens: Arc::new(RwLock::new(Arc::new(tokens))) })
    }

    pub(super) fn principal(&self, token: &str) -> Result<Principal, Refused> {
        let tokens = Arc::clone(&self.tokens.read().unwrap_or_else(PoisonError::into_inner));
        let found =
            tokens.get(&digest(token)).filter(|token| token.expires.is_none_or(|at| clock::now() < at));
        let Token { name, .. } = found.ok_or(Refused::UnknownToken)?;
        let id = format!("token:{name}");
        Ok(Principal { name: id.clone(), id })
    }

    fn reload(&self) -> anyhow::Result<()> {
        let tokens = read(&self.path)?;
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        Ok(())
    }
}

/// Reads the file again whenever it changes, until the process stops. An invalid file keeps the last valid tokens.
pub async fn reload_on_change(tokens: StaticTokens, stop: CancellationToken) -> anyhow::Result<()> {
    let mut seen = std::fs::read(&tokens.path).ok();
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        let now = std::fs::read(&tokens.path).ok();
        if now == seen {
            continue;
        }
        seen = now;
        match tokens.reload() {
            Ok(()) => info!(file = %tokens.path.display(), "tokens file reloaded"),
            Err(error) => {
                error!(file = %tokens.path.display(), error = format!("{error:#}"), "cannot read the tokens file, keeping the last valid version");
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<HashMap<Digested, Token>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the tokens file {}", path.display()))?;
    parse(&text).with_context(|| format!("the tokens file {} is not valid", path.display()))
}

fn parse(text: &str) -> anyhow::Result<HashMap<Digested, Token>> {
    let document: Document = serde_saphyr::from_str(text)
        .context("it needs `tokens:`, a list of entries with `name` and `sha256`")?;
    let mut tokens = HashMap::new();
    for Entry { name, sha256, expires } in document.tokens {
        let is_name = |name: &str| {
            (1..=64).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        ensure!(
            is_name(&name),
            "`{name}`: a name has 1 to 64 letters, digits, dots, hyphens and underscores"
        );
        let digest =
            from_hex(&sha256).with_context(|| format!("{name}: sha256 must have 64 hexadecimal digits"))?;
        let token = Token { name, expires };
        if let Some(other) = tokens.insert(digest, token.clone()) {
            anyhow::bail!("{} and {} have the same digest", other.name, token.name);
        }
    }
    Ok(tokens)
}

fn from_hex(text: &str) -> Option<Digested> {
    let mut digest = Digested::default();
    if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_known_by_its_digest_until_it_expires() {
        let (token, digest) = new_token().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |more: &str| {
            std::fs::write(&file, format!("tokens:\n  - {{name: load-test, sha256: {digest}{more}}}\n"))
                .unwrap();
        };
        write("");
        let tokens = StaticTokens::open(file.path()).unwrap();
        let principal = tokens.principal(&token).unwrap();
        assert_eq!((principal.id.as_str(), principal.name.as_str()), ("token:load-test", "token:load-test"));
        let (other, _) = new_token().unwrap();
        for wrong in [other.as_str(), &token[..token.len() - 1], &digest, PREFIX] {
            assert_eq!(tokens.principal(wrong), Err(Refused::UnknownToken), "{wrong}");
        }
        write(", expires: 2020-01-01T00:00:00Z");
        tokens.reload().unwrap();
        assert_eq!(tokens.principal(&token), Err(Refused::UnknownToken));
        std::fs::write(&file, "tokens: 7").unwrap();
        assert!(tokens.reload().is_err());
    }

    #[test]
    fn a_file_that_is_not_valid_says_what_is_wrong() {
        let digest = "ab".repeat(32);
        let entry = |name: &str, digest: &str| format!("tokens: [{{name: '{name}', sha256: {digest}}}]");
        assert!(parse(&entry("a", &digest)).is_ok());
        assert!(parse("tokens: []").is_ok());
        for (wrong, says) in [
            (entry("a b", &digest), "letters, digits"),
            (entry("a", "abc"), "64 hexadecimal digits"),
            (entry("a", &"+f".repeat(32)), "64 hexadecimal digits"),
            (
                format!("tokens: [{{name: a, sha256: {digest}}}, {{name: b, sha256: {digest}}}]"),
                "same digest",
            ),
            (format!("tokens: [{{name: a, token: {digest}}}]"), "`name` and `sha256`"),
        ] {
            let error = format!("{:#}", parse(&wrong).unwrap_err());
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
