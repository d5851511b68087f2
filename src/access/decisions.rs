//! What Backstage's permission policy allows its users, as its backend plugin `dead-letter` tells it.
//!
//! Only an answer allows anything: while there is none, callers are told to come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use moka::future::Cache;
use reqwest::Url;
use serde::Deserialize;
use tracing::warn;

use super::permission::Permission;
use super::scope::{Scope, Services};
use super::{Principal, Undecided};
use crate::endpoint::{Endpoint, Limits};
use crate::ownership::Owners;

/// For so long an answer is used.
const FRESH: Duration = Duration::from_mins(1);
/// Bytes of the answers that are kept.
const MOST_BYTES: u64 = 64 << 20;
/// Of an answer: it may name every service of the catalog for each permission, after Backstage has looked at every component.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), bytes: 4 << 20 };

/// What a user may do. What the answer does not name is not allowed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decisions(BTreeMap<Permission, Allowed>);

#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    Everything,
    On(Arc<BTreeSet<String>>),
}

#[derive(Deserialize)]
struct Answer {
    user: String,
    permissions: Vec<Decision>,
}

#[derive(Deserialize)]
struct Decision {
    permission: String,
    everything: bool,
    services: BTreeSet<String>,
}

impl Decisions {
    /// Where the user may do this.
    pub fn scope(&self, permission: Permission, owners: &Arc<Owners>) -> Scope {
        let names = match self.0.get(&permission) {
            Some(Allowed::Everything) => return Scope::everything(Arc::clone(owners)),
            Some(Allowed::On(names)) => Arc::clone(names),
            None => Arc::default(),
        };
        Scope::of(Arc::clone(owners), Services { names, ..Services::default() })
    }

    /// What an answer about a user says.
    fn of(user: &str, answer: Answer) -> anyhow::Result<Self> {
        ensure!(answer.user == user, "Backstage answered for another user");
        let mut decisions = BTreeMap::new();
        for Decision { permission: name, everything, services } in answer.permissions {
            // Permissions that a newer plugin knows.
            let Some(permission) = Permission::ALL.into_iter().find(|one| one.as_str() == name) else {
                continue;
            };
            let allowed = if everything { Allowed::Everything } else { Allowed::On(Arc::new(services)) };
            ensure!(decisions.insert(permission, allowed).is_none(), "Backstage decided twice on {name}");
        }
        Ok(Self(decisions))
    }

    fn size(&self) -> u32 {
        let named = self.0.values().filter_map(|allowed| match allowed {
            Allowed::On(names) => Some(names),
            Allowed::Everything => None,
        });
        let names = named.flat_map(|names| names.iter());
        let bytes: usize = names.map(|name| name.len() + size_of::<String>()).sum();
        u32::try_from(bytes + 1_024).unwrap_or(u32::MAX)
    }
}

/// Asks Backstage once for all requests of a user, and keeps its answers for a minute. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    url: Url,
    endpoint: Endpoint,
    answers: Cache<String, Arc<Decisions>>,
}

impl Asked {
    pub fn new(url: Url, endpoint: &Endpoint) -> Self {
        let answers = Cache::builder()
            .max_capacity(MOST_BYTES)
            .weigher(|_: &String, decisions: &Arc<Decisions>| decisions.size())
            .time_to_live(FRESH)
            .build();
        Self { url, endpoint: endpoint.limited(LIMITS), answers }
    }

    /// What Backstage allows this user, who has this token.
    pub async fn of(&self, user: &Principal, token: &str) -> Result<Arc<Decisions>, Undecided> {
        let answer = self.answers.try_get_with_by_ref(&user.id, self.ask(&user.id, token)).await;
        answer.map_err(|error: Arc<anyhow::Error>| {
            warn!(error = format!("{error:#}"), "could not ask Backstage what a user may do");
            Undecided
        })
    }

    async fn ask(&self, user: &str, token: &str) -> anyhow::Result<Arc<Decisions>> {
        let answer = self.endpoint.get_as(&self.url, token).await;
        let answer = answer.context(
            "its backend plugin dead-letter must be installed and `permission.enabled` be true, or set \
             DEAD_LETTER_BACKSTAGE_PERMISSIONS=ignore",
        )?;
        Ok(Arc::new(Decisions::of(user, answer)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decisions(answer: Value) -> anyhow::Result<Decisions> {
        Decisions::of("user:default/jane", serde_json::from_value(answer)?)
    }

    fn decision(permission: &str, everything: bool, services: &[&str]) -> Value {
        json!({"permission": permission, "everything": everything, "services": services})
    }

    #[test]
    fn only_what_is_named_is_allowed() {
        let answer = json!({"user": "user:default/jane", "permissions": [
            decision("read", true, &[]), decision("redeliver", false, &["webshop"]), decision("delete", false, &[]),
            decision("teleport", true, &[]),
        ]});
        let (decisions, owners) = (decisions(answer).unwrap(), Arc::default());
        let scope = |permission| decisions.scope(permission, &owners);
        assert!(scope(Permission::Read).is_everything());
        assert!(scope(Permission::Redeliver).covers("webshop"));
        assert!(!scope(Permission::Redeliver).covers("billing"));
        for permission in [Permission::Delete, Permission::Admin] {
            assert!(scope(permission).is_nothing(), "{permission}");
        }
    }

    #[test]
    fn odd_answers_are_none() {
        let jane = "user:default/jane";
        for odd in [
            json!({"user": "user:default/joe", "permissions": []}),
            json!({"user": jane, "permissions": [decision("read", true, &[]), decision("read", false, &[])]}),
            json!({"user": jane, "permissions": [{"permission": "read", "everything": "true", "services": []}]}),
            json!({"user": jane, "permissions": [{"permission": "read", "everything": true}]}),
            json!({"user": jane}),
            json!({"permissions": []}),
            json!([]),
        ] {
            assert!(decisions(odd.clone()).is_err(), "{odd}");
        }
    }
}
