//! What Backstage's users belong to, where their tokens do not say so.

use std::time::Duration;

use moka::future::Cache;
use reqwest::Url;
use serde::Deserialize;
use tracing::warn;

use crate::endpoint::Endpoint;

/// For so long an answer is used: a user who leaves a group keeps its rights no longer.
const FRESH: Duration = Duration::from_mins(1);
/// Users whose answers are kept.
const MOST_USERS: u64 = 10_000;

/// Asks Backstage once for all requests of a user, and keeps its answers for a minute. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct UserInfo {
    url: Url,
    endpoint: Endpoint,
    answers: Cache<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Answer {
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    ent: Vec<String>,
}

impl UserInfo {
    pub fn new(url: Url, endpoint: Endpoint) -> Self {
        let answers = Cache::builder().max_capacity(MOST_USERS).time_to_live(FRESH).build();
        Self { url, endpoint, answers }
    }

    /// The groups of a user, and what else it belongs to, by its token. `None`: Backstage does not answer.
    pub async fn belongs_to(&self, user: &str, token: &str) -> Option<Vec<String>> {
        let answer = self.answers.try_get_with_by_ref(user, self.ask(token)).await;
        answer
            .inspect_err(|error| {
                warn!(error = format!("{error:#}"), "could not read the groups of a user from Backstage");
            })
            .ok()
    }

    async fn ask(&self, token: &str) -> anyhow::Result<Vec<String>> {
        let Answer { claims: Claims { ent } } = self.endpoint.get_as(&self.url, token).await?;
        Ok(ent)
    }
}
