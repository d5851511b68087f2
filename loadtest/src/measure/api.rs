//! The few questions that are asked of the HTTP API.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};
use serde::Deserialize;

/// No answer is worth waiting longer for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The API at one address. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    search: Url,
    overview: Url,
}

/// Messages by squad.
pub(crate) type Stored = BTreeMap<String, u64>;

#[derive(Deserialize)]
struct SquadOverview {
    squad: String,
    messages: u64,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<serde::de::IgnoredAny>,
}

impl Api {
    pub(crate) fn new(base: &str, token: Option<&str>) -> Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).context("not a token")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder().timeout(TIMEOUT).default_headers(headers).no_proxy().build()?;
        let url =
            |path| Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).context("--api is not a URL");
        Ok(Self { client, search: url("/dead-letters")?, overview: url("/dead-letters/squad-overview")? })
    }

    /// How many messages are stored, by squad.
    pub(crate) async fn stored(&self) -> Result<Stored> {
        let response = self.get(self.overview.clone()).await?;
        let squads: Vec<SquadOverview> = response.json().await.context("not a squad overview")?;
        Ok(squads.into_iter().map(|squad| (squad.squad, squad.messages)).collect())
    }

    /// Whether a message can be found by its id.
    pub(crate) async fn has(&self, message_id: &str) -> Result<bool> {
        let mut url = self.search.clone();
        url.query_pairs_mut().append_pair("messageId", message_id).append_pair("limit", "1");
        let page: Page = self.get(url).await?.json().await.context("not a page of messages")?;
        Ok(!page.messages.is_empty())
    }

    /// The newest fifty, as a page would show them.
    pub(crate) async fn newest(&self) -> Result<()> {
        let mut url = self.search.clone();
        url.query_pairs_mut().append_pair("limit", "50");
        // The whole body is read, since who shows a page needs all of it.
        self.get(url).await?.bytes().await?;
        Ok(())
    }

    async fn get(&self, url: Url) -> Result<Response> {
        let response = self.client.get(url.clone()).send().await?;
        ensure!(response.status().is_success(), "{} answered {}", url.path(), response.status());
        Ok(response)
    }
}
