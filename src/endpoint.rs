//! Addresses of issuers, of Backstage's catalog and of the management APIs of brokers: verified, bounded, and never elsewhere.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;

use crate::tls::Tls;

/// Limits of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time until all of it has come.
    pub timeout: Duration,
    /// Bytes of it.
    pub bytes: usize,
}

/// Fetches JSON.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    client: reqwest::Client,
    tls: Tls,
    limits: Limits,
}

impl Endpoint {
    pub fn new(tls: &Tls, limits: Limits) -> anyhow::Result<Self> {
        Ok(Self { client: tls.client()?.build()?, tls: tls.clone(), limits })
    }

    /// The same, with other limits.
    pub fn limited(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Refuses addresses whose answers anybody on the way could have written.
    pub fn check(&self, url: &Url) -> anyhow::Result<()> {
        ensure!(
            self.tls.allows(url),
            "{} is not encrypted: use https, or allow plain text with DEAD_LETTER_PLAINTEXT=issuer",
            without_user(url)
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

    /// The same, to a user with a password.
    pub async fn get_by<T: DeserializeOwned>(
        &self,
        url: &Url,
        user: &str,
        password: &str,
    ) -> anyhow::Result<T> {
        self.answer(url, self.client.get(url.clone()).basic_auth(user, Some(password))).await
    }

    async fn answer<T: DeserializeOwned>(&self, url: &Url, request: RequestBuilder) -> anyhow::Result<T> {
        self.check(url)?;
        let Limits { timeout, bytes } = self.limits;
        let url = without_user(url);
        let mut response = request.timeout(timeout).send().await?;
        ensure!(response.status() == 200, "{url} answered {}", response.status());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            ensure!(body.len() + part.len() <= bytes, "{url} answered more than {bytes} bytes");
            body.extend_from_slice(&part);
        }
        serde_json::from_slice(&body).with_context(|| format!("{url} did not answer as expected"))
    }
}

/// An address as errors name it: without user and password (rule R14).
fn without_user(url: &Url) -> Url {
    let mut url = url.clone();
    // An address without a host has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Plaintext;

    #[test]
    fn plain_text_is_for_this_machine() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let limits = Limits { timeout: Duration::from_secs(1), bytes: 1 };
        let of = |plaintext| Endpoint::new(&Tls { plaintext, ..Tls::default() }, limits).unwrap();
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

    #[test]
    fn errors_name_neither_user_nor_password() {
        let limits = Limits { timeout: Duration::from_secs(1), bytes: 1 };
        let endpoint = Endpoint::new(&Tls::default(), limits).unwrap();
        let error = endpoint.check(&"http://user:secret@h.example/path".parse().unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("http://h.example/path is not encrypted"), "{error}");
    }
}
