//! Sends HTTP requests to receivers: verified, bounded in time, never redirected.

use std::time::Duration;

use anyhow::ensure;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use crate::tls::Tls;

/// Time until a receiver has confirmed. Far shorter than a lease.
pub(in crate::notifications) const TIMEOUT: Duration = Duration::from_secs(10);

/// The address of a receiver, as the notifications file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Address(pub Url);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| "an address is no URL".into())
    }
}

/// What channels send with.
#[derive(Clone, Debug)]
pub struct Courier {
    client: reqwest::Client,
    tls: Tls,
}

impl Courier {
    /// With these trusted authorities.
    pub fn new(tls: &Tls) -> anyhow::Result<Self> {
        let agent = concat!("dead-letter/", env!("CARGO_PKG_VERSION"));
        let client = tls.client()?.timeout(TIMEOUT).user_agent(agent);
        Ok(Self { client: client.build()?, tls: tls.clone() })
    }

    /// How connections are secured.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Posts JSON, and returns if the receiver has confirmed it with a status of success. URLs may be secrets: no error has one.
    pub(super) async fn post(
        &self,
        url: &Url,
        body: Vec<u8>,
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> anyhow::Result<()> {
        check(url, &self.tls)?;
        let request = self.client.post(url.clone()).header("content-type", "application/json").body(body);
        let answer = complete(request).send().await.map_err(reqwest::Error::without_url)?;
        ensure!(answer.status().is_success(), "the receiver answered {}", answer.status());
        Ok(())
    }
}

/// Refuses addresses on whose way anybody could read or change a notification (R18).
pub(super) fn check(url: &Url, tls: &Tls) -> anyhow::Result<()> {
    ensure!(
        tls.allows(url),
        "its address is not encrypted: use https, or allow plain text with DEAD_LETTER_PLAINTEXT=notifications"
    );
    Ok(())
}
