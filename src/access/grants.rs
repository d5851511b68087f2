//! What a caller may do: what the policy file grants and, for users of Backstage, what Backstage's permission policy allows.

use std::sync::Arc;

use super::decisions::Decisions;
use super::second_person::SecondPerson;
use super::{Access, Permission, Policy, PolicyFile, Principal, Scope};
use crate::ownership::Owners;

/// Backstage's permission policy counts, and Backstage does not say what it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

/// What was granted to one caller, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Without a policy, everything is.
    policy: Option<Arc<Policy>>,
    /// Where it counts.
    backstage: Option<Arc<Decisions>>,
}

impl Grants {
    /// Where the caller may do this. `None` is a caller who has not signed in.
    pub fn scope(
        &self,
        principal: Option<&Principal>,
        permission: Permission,
        owners: &Arc<Owners>,
    ) -> Scope {
        let ours = match &self.policy {
            None => Scope::everything(Arc::clone(owners)),
            Some(policy) => policy.scope(principal, permission, owners),
        };
        match &self.backstage {
            None => ours,
            Some(backstage) => ours.and(backstage.scope(permission, owners)),
        }
    }

    /// Which operations need a second person.
    pub fn second_person(&self) -> Option<&SecondPerson> {
        self.policy.as_ref()?.second_person()
    }

    /// Whether messages may be sent there on request.
    pub fn allow_target(&self, exchange: &str, routing_key: &str) -> bool {
        self.policy.as_ref().is_none_or(|policy| policy.allows_target(exchange, routing_key))
    }
}

impl Access {
    /// What is granted to this caller now. `None` is a caller who has not signed in.
    pub async fn grants(&self, principal: Option<&Principal>) -> Result<Grants, Undecided> {
        let policy = self.policy.as_ref().map(PolicyFile::now);
        let backstage = match (&self.verifiers.backstage, principal) {
            (Some(backstage), Some(user)) => backstage.decisions(user).await?,
            _ => None,
        };
        Ok(Grants { policy, backstage })
    }
}
