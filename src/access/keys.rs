//! The signing keys that an issuer publishes.
//!
//! A verifier neither stalls nor fails open: keys that are there are used without waiting, one request at a time asks the issuer
//! for new ones, and keys that could not be renewed for an hour are not used any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tracing::warn;

use super::Refused;
use super::claims::ALGORITHMS;
use super::signatures::RING;
use crate::endpoint::Endpoint;
use crate::latest::Latest;

/// Keys of this age are renewed while they are still used.
const FRESH: Duration = Duration::from_mins(10);
/// Keys of this age are not used.
const STALE: Duration = Duration::from_hours(1);
/// Between two requests to the issuer: tokens with made-up key ids must not make us ask all the time.
const COOL_DOWN: Duration = Duration::from_secs(5);
/// Keys of a set that are read.
const MOST_KEYS: usize = 100;

/// Where keys are published.
#[derive(Clone, Debug)]
pub(super) enum Published {
    /// At this address.
    At(Url),
    /// Where the discovery document of this issuer says.
    ByDiscovery(String),
}

/// A key, and the algorithms that it may be used with.
#[derive(Clone)]
pub(super) struct Key {
    pub decoding: DecodingKey,
    algorithm: Option<String>,
}

impl Key {
    /// The key of a JWK; none if it is not one to verify signatures with.
    fn of(jwk: &Jwk) -> Option<(String, Self)> {
        if jwk.common.public_key_use.as_ref().is_some_and(|of| *of != PublicKeyUse::Signature) {
            return None;
        }
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        let accepted = |algorithm: &Algorithm| algorithm.family() == decoding.family();
        ALGORITHMS.iter().find(|algorithm| accepted(algorithm))?;
        let algorithm = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        Some((jwk.common.key_id.clone()?, Self { decoding, algorithm }))
    }

    /// Whether the key may have been used with this algorithm.
    pub fn signs_by(&self, algorithm: Algorithm) -> bool {
        self.decoding.family() == algorithm.family()
            && self.algorithm.as_ref().is_none_or(|own| *own == format!("{algorithm:?}"))
    }
}

/// The keys of an issuer. Clones share them.
#[derive(Clone)]
pub(super) struct KeySet(Arc<Shared>);

struct Shared {
    published: Published,
    endpoint: Endpoint,
    snapshot: Latest<Snapshot>,
    /// When the issuer was last asked. Held by the one that asks.
    asked_at: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Snapshot {
    keys: HashMap<String, Key>,
    fetched_at: Option<Instant>,
}

impl Snapshot {
    fn age(&self) -> Duration {
        self.fetched_at.map_or(Duration::MAX, |at| at.elapsed())
    }

    fn key(&self, id: &str) -> Option<Key> {
        self.keys.get(id).filter(|_| self.age() < STALE).cloned()
    }
}

/// A set, as it is published. Keys are read one by one: one of a kind that is not understood does not spoil the others.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeySet").field(&self.0.published).finish()
    }
}

impl KeySet {
    /// An error if the address is not one to trust.
    pub fn new(published: Published, endpoint: Endpoint) -> anyhow::Result<Self> {
        // The first one installs it, the others find the same.
        let _ = RING.install_default();
        endpoint.check(&match &published {
            Published::At(url) => url.clone(),
            Published::ByDiscovery(issuer) => issuer.parse()?,
        })?;
        let (snapshot, asked_at) = Default::default();
        Ok(Self(Arc::new(Shared { published, endpoint, snapshot, asked_at })))
    }

    /// The key of this id. Waits for the issuer only if the key is not there.
    pub async fn key(&self, id: &str) -> Result<Key, Refused> {
        let snapshot = self.0.snapshot.now();
        if let Some(key) = snapshot.key(id) {
            if snapshot.age() >= FRESH {
                let set = self.clone();
                tokio::spawn(async move { set.renew(&snapshot).await });
            }
            return Ok(key);
        }
        self.renew(&snapshot).await;
        let snapshot = self.0.snapshot.now();
        snapshot.key(id).ok_or(if snapshot.age() < STALE { Refused::UnknownKey } else { Refused::NoKeys })
    }

    #[cfg(test)]
    pub async fn forget_when_asked(&self) {
        *self.0.asked_at.lock().await = None;
    }

    /// Asks the issuer, unless somebody else has just done so.
    async fn renew(&self, seen: &Arc<Snapshot>) {
        let mut asked_at = self.0.asked_at.lock().await;
        if !Arc::ptr_eq(seen, &self.0.snapshot.now()) || asked_at.is_some_and(|at| at.elapsed() < COOL_DOWN) {
            return;
        }
        *asked_at = Some(Instant::now());
        match self.fetch().await {
            Ok(keys) => {
                self.0.snapshot.replace(Snapshot { keys, fetched_at: Some(Instant::now()) });
            }
            Err(error) => warn!(error = format!("{error:#}"), "cannot fetch the issuer's signing keys"),
        }
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, Key>> {
        let Shared { published, endpoint, .. } = &*self.0;
        let url = match published {
            Published::At(url) => url.clone(),
            Published::ByDiscovery(issuer) => {
                let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let discovery: Discovery = endpoint.get(&document.parse()?).await?;
                ensure!(discovery.issuer == *issuer, "{document} is of another issuer: {}", discovery.issuer);
                discovery.jwks_uri.parse()?
            }
        };
        let set: Set = endpoint.get(&url).await?;
        let keys: HashMap<_, _> = readable(&set).collect();
        ensure!(!keys.is_empty(), "{url} has no key to verify signatures with");
        Ok(keys)
    }
}

fn readable(set: &Set) -> impl Iterator<Item = (String, Key)> {
    let jwks = set.keys.iter().take(MOST_KEYS).filter_map(|key| serde_json::from_str::<Jwk>(key.get()).ok());
    jwks.filter_map(|jwk| Key::of(&jwk))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    #[test]
    fn odd_keys_do_not_spoil_a_set() {
        let good =
            json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "good", "alg": "ES256", "use": "sig"});
        let with = |name: &str, value: serde_json::Value| {
            let mut key = good.clone();
            key["kid"] = json!(name);
            key[name] = value;
            key
        };
        let set = json!({"keys": [
            with("crv", json!("secp256k1")), with("use", json!("enc")), with("kty", json!("AKP")), with("x", json!(7)),
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"}, {"kty": "EC"}, 7, null, good,
        ]});
        let set: Set = serde_json::from_value(set).unwrap();
        let keys: HashMap<_, _> = readable(&set).collect();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["good"]);
        assert!(keys["good"].signs_by(Algorithm::ES256));
        for other in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != Algorithm::ES256) {
            assert!(!keys["good"].signs_by(other), "{other:?}");
        }
    }

    #[test]
    fn keys_are_used_for_an_hour() {
        let set: Set = serde_json::from_value(
            json!({"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "1"}]}),
        )
        .unwrap();
        let aged =
            |age| Snapshot { keys: readable(&set).collect(), fetched_at: Instant::now().checked_sub(age) };
        assert!(aged(STALE.saturating_sub(Duration::from_secs(5))).key("1").is_some());
        assert!(aged(STALE).key("1").is_none());
        assert!(aged(Duration::ZERO).key("2").is_none());
    }
}
