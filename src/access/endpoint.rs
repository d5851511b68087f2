//! Addresses of issuers: verified, bounded, and never elsewhere.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder, Url};
use serde::de::DeserializeOwned;

use crate::tls::Tls;

/// Of keys, and of what is said about one user.
const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(3), largest_answer: 256 << 10 };

/// Bounds of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Until it is there.
    pub timeout: Duration,
    /// Its bytes.
    pub largest_answer: usize,
}

/// Fetches JSON from issuers.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    client: reqwest::Client,
    tls: Tls,
    bounds: Bounds,
}

impl Endpoint {
    pub fn new(tls: &Tls) -> anyhow::Result<Self> {
        // A redirect would be to an address that nobody configured.
        let mut client = reqwest::Client::builder().redirect(Policy::none());
        if let Some(authorities) = tls.authorities()? {
            for authority in Certificate::from_pem_bundle(authorities.as_bytes())? {
                client = client.add_root_certificate(authority);
            }
        }
        Ok(Self { client: client.build()?, tls: tls.clone(), bounds: BOUNDS })
    }

    /// The same, with other bounds.
    pub fn bounded(&self, bounds: Bounds) -> Self {
        Self { bounds, ..self.clone() }
    }

    /// Refuses addresses whose answers anybody on the way could have written.
    pub fn check(&self, url: &Url) -> anyhow::Result<()> {
        let is_verified = url.scheme() == "https";
        let may_be_plain = url.host_str().is_some_and(|host| self.tls.allows_plaintext(host));
        ensure!(
            is_verified || (url.scheme() == "http" && may_be_plain),
            "{url} is not encrypted: use https, or allow plain text with DEAD_LETTER_PLAINTEXT=issuer"
        );
        Ok(())
    }

    /// The answer of an address, if it is JSON of a sensible size.
    pub async fn get<T: DeserializeOwned>(&self, url: &Url) -> anyhow::Result<T> {
        self.answer(url, self.client.get(url.clone())).await
    }

    /// The same, to whoever has this token.
    pub async fn get_as<T: DeserializeOwned>(&self, url: &Url, token: &str) -> anyhow::Result<T> {
        self.answer(url, self.client.get(url.clone()).bearer_auth(token)).await
    }

    async fn answer<T: DeserializeOwned>(&self, url: &Url, request: RequestBuilder) -> anyhow::Result<T> {
        self.check(url)?;
        let Bounds { timeout, largest_answer } = self.bounds;
        let mut response = request.timeout(timeout).send().await?;
        ensure!(response.status() == 200, "{url} answered {}", response.status());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            ensure!(
                body.len() + part.len() <= largest_answer,
                "{url} answered more than {largest_answer} bytes"
            );
            body.extend_from_slice(&part);
        }
        serde_json::from_slice(&body).with_context(|| format!("{url} did not answer as expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Plaintext;

    #[test]
    fn plain_text_is_for_this_machine() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let of = |plaintext| Endpoint::new(&Tls { plaintext, ..Tls::default() }).unwrap();
        let is_allowed = |plaintext, url: &str| of(plaintext).check(&url.parse().unwrap()).is_ok();
        for url in [
            "https://id.example",
            "http://localhost:7007",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:80",
        ] {
            assert!(is_allowed(Plaintext::Loopback, url), "{url}");
        }
        for url in [
            "http://id.example",
            "http://localhost.id.example",
            "http://10.0.0.1",
            "ftp://localhost",
            "file:///etc/passwd",
        ] {
            assert!(!is_allowed(Plaintext::Loopback, url), "{url}");
        }
        assert!(is_allowed(Plaintext::Allowed, "http://id.example"));
        assert!(!is_allowed(Plaintext::Allowed, "ftp://id.example"));
    }
}
