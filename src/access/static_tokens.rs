//! Tokens for scripts, from a file that has their digests only:
//!
//! ```yaml
//! tokens:
//!   - name: load-test
//!     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//!     groups: [platform]                # optional: the groups that the policy knows
//!     expires: 2027-06-30T00:00:00Z     # optional
//! ```
//!
//! Tokens are random, so a plain digest cannot be guessed; a slow one would let strangers keep the service busy.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Principal, Refused};
use crate::clock;
use crate::config::plain_name;
use crate::domain::audit::hex;
use crate::latest::Latest;
use crate::live_file::LiveFile;
use crate::ownership::short_group;

/// Secret scanners know a token by it.
const PREFIX: &str = "dlt_";
/// Random bytes of a token.
const RANDOM: usize = 32;

type Digested = [u8; 32];
type Tokens = HashMap<Digested, Token>;

/// The tokens of a file. Clones share them.
#[derive(Clone, Debug)]
pub struct StaticTokens(LiveFile<Tokens>);

#[derive(Clone, Debug)]
struct Token {
    name: String,
    groups: Vec<String>,
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
    #[serde(default)]
    groups: Vec<String>,
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
    let digest = hex(&digest(&token));
    Ok((token, digest))
}

fn digest(token: &str) -> Digested {
    Sha256::digest(token.as_bytes()).into()
}

impl StaticTokens {
    /// Reads the file, which must be there and be valid.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(LiveFile::open("tokens file", path, parse, Latest::default())?))
    }

    /// Reloads the file whenever it changes, until the process stops.
    pub async fn reload_on_change(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.0.reload_on_change(stop).await
    }

    pub(super) fn principal(&self, token: &str) -> Result<Principal, Refused> {
        let tokens = self.0.now();
        let found =
            tokens.get(&digest(token)).filter(|token| token.expires.is_none_or(|at| clock::now() < at));
        let Token { name, groups, expires } = found.ok_or(Refused::UnknownToken)?;
        let id = format!("token:{name}");
        Ok(Principal { name: id.clone(), id, groups: groups.clone(), expires: *expires, backstage: None })
    }
}

fn parse(text: &str) -> anyhow::Result<Tokens> {
    let document: Document = serde_saphyr::from_str(text)
        .context("it needs `tokens:`, a list of entries with `name` and `sha256`")?;
    let mut tokens = HashMap::new();
    for Entry { name, sha256, groups, expires } in document.tokens {
        plain_name(&name).map_err(|why| anyhow!("`{name}`: {why}"))?;
        let digest =
            from_hex(&sha256).with_context(|| format!("{name}: sha256 must have 64 hexadecimal digits"))?;
        let groups = groups.iter().map(|group| short_group(group)).collect();
        let token = Token { name, groups, expires };
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
        let mut tokens = StaticTokens::open(file.path()).unwrap();
        let principal = tokens.principal(&token).unwrap();
        assert_eq!((principal.id.as_str(), principal.name.as_str()), ("token:load-test", "token:load-test"));
        let (other, _) = new_token().unwrap();
        for wrong in [other.as_str(), &token[..token.len() - 1], &digest, PREFIX] {
            assert_eq!(tokens.principal(wrong), Err(Refused::UnknownToken), "{wrong}");
        }
        write(", expires: 2020-01-01T00:00:00Z");
        tokens.0.reload().unwrap();
        assert_eq!(tokens.principal(&token), Err(Refused::UnknownToken));
        std::fs::write(&file, "tokens: 7").unwrap();
        assert!(tokens.0.reload().is_err());
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
