//! What Backstage's users belong to, where their tokens do not say so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use serde::Deserialize;
use tracing::warn;

use crate::endpoint::Endpoint;

/// For so long an answer is used: a user who leaves a group keeps its rights no longer.
const FRESH: Duration = Duration::from_mins(1);
/// Users whose answers are kept.
const MOST_USERS: usize = 10_000;

type Answers = HashMap<String, (Instant, Vec<String>)>;

/// Asks Backstage, and keeps its answers for a minute. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct UserInfo {
    url: Url,
    endpoint: Endpoint,
    answers: Arc<Mutex<Answers>>,
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
        Self { url, endpoint, answers: Arc::default() }
    }

    /// The groups of a user, and what else it belongs to, by its token. `None`: Backstage does not answer.
    pub async fn belongs_to(&self, user: &str, token: &str) -> Option<Vec<String>> {
        if let Some(known) = self.known(user) {
            return Some(known);
        }
        match self.endpoint.get_as::<Answer>(&self.url, token).await {
            Ok(Answer { claims: Claims { ent } }) => {
                self.keep(user, &ent);
                Some(ent)
            }
            Err(error) => {
                warn!(error = format!("{error:#}"), "could not read the groups of a user from Backstage");
                None
            }
        }
    }

    fn known(&self, user: &str) -> Option<Vec<String>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(user).filter(|(since, _)| since.elapsed() < FRESH).map(|(_, groups)| groups.clone())
    }

    fn keep(&self, user: &str, belongs_to: &[String]) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST_USERS {
            answers.retain(|_, (since, _)| since.elapsed() < FRESH);
        }
        if answers.len() < MOST_USERS {
            answers.insert(user.to_owned(), (Instant::now(), belongs_to.to_vec()));
        }
    }
}
