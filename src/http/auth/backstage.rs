//! Tokens of Backstage's users, as its proxy passes them on (`credentials: forward`).
//!
//! Backstage publishes the keys that it signs them with. They change about hourly, and stay published for three times as long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use tracing::warn;

use super::signatures::RING;

/// `typ` of a user's token. Those of plugins have others, and say nothing of who asks.
const TYPE: &str = "vnd.backstage.user";
const AUDIENCE: &str = "backstage";
/// What `auth.identityTokenAlgorithm` may be, ES256 by default. None with a shared secret: that would be the public key.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
/// For how long keys are taken as they are.
const FRESH: Duration = Duration::from_mins(10);
/// Between two requests for keys, so that tokens with made-up keys cannot make us ask all the time.
const COOL_DOWN: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(3);

/// The Backstage whose users' tokens are taken.
#[derive(Clone, Debug)]
pub struct Backstage {
    keys_at: Url,
    issuer: String,
    client: reqwest::Client,
    keys: Arc<Mutex<Keys>>,
}

/// As they were last published.
#[derive(Debug, Default)]
struct Keys {
    set: Vec<Jwk>,
    fetched_at: Option<Instant>,
    asked_at: Option<Instant>,
}

/// What we read of a token; its times, its issuer and its audience are checked.
#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Backstage {
    /// At this address of its backend, such as `https://backstage.example.com`; which must be as its `backend.baseUrl` says.
    ///
    /// # Errors
    /// The address is none.
    pub fn at(url: &Url) -> anyhow::Result<Self> {
        // Whoever came first has installed the same.
        let _ = RING.install_default();
        let issuer = format!("{}/api/auth", url.as_str().trim_end_matches('/'));
        Ok(Self {
            keys_at: format!("{issuer}/.well-known/jwks.json").parse()?,
            issuer,
            client: reqwest::Client::builder().timeout(TIMEOUT).build()?,
            keys: Arc::default(),
        })
    }

    /// The user that a token is of; an error says why it is not taken, without the token (R14).
    pub async fn user_of(&self, token: &str) -> Result<String, String> {
        let header = decode_header(token).map_err(|_| "this is no token of Backstage".to_owned())?;
        let Header { typ: Some(typ), kid: Some(kid), alg, .. } = header else {
            return Err("The token has no type or no key id.".into());
        };
        if typ != TYPE {
            return Err("The token is not that of a Backstage user.".into());
        }
        if !ALGORITHMS.contains(&alg) {
            return Err("The token is signed with an algorithm that is not accepted.".into());
        }
        let key = self.key(&kid).await?;
        let key = DecodingKey::from_jwk(&key)
            .map_err(|_| "The signing key of the token cannot be read.".to_owned())?;
        let mut validation = Validation::new(alg);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        match decode::<Claims>(token, &key, &validation) {
            Ok(token) => Ok(token.claims.sub),
            Err(error) => Err(format!("The token is not valid: {error}.")),
        }
    }

    async fn key(&self, id: &str) -> Result<Jwk, String> {
        let mut keys = self.keys.lock().await;
        let known =
            |keys: &Keys| keys.set.iter().find(|key| key.common.key_id.as_deref() == Some(id)).cloned();
        let is_fresh = keys.fetched_at.is_some_and(|at| at.elapsed() < FRESH);
        if let Some(key) = known(&keys)
            && is_fresh
        {
            return Ok(key);
        }
        if keys.asked_at.is_none_or(|at| at.elapsed() >= COOL_DOWN) {
            keys.asked_at = Some(Instant::now());
            match self.fetch().await {
                Ok(set) => {
                    keys.set = set;
                    keys.fetched_at = Some(Instant::now());
                }
                Err(error) => {
                    warn!(%error, url = %self.keys_at, "Backstage's signing keys could not be fetched");
                }
            }
        }
        // Those that were published before stand until others are.
        known(&keys).ok_or_else(|| format!("The token is signed with a key that is not at {}.", self.keys_at))
    }

    async fn fetch(&self) -> reqwest::Result<Vec<Jwk>> {
        let response = self.client.get(self.keys_at.clone()).send().await?.error_for_status()?;
        Ok(response.json::<JwkSet>().await?.keys)
    }
}
