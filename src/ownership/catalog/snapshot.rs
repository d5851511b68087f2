//! What a catalog said at one time, and what was decided from it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::claims::{Claim, Claims};
use super::decision::{Decision, Holder, decide};
use crate::ownership::Owner;

/// The claims on each service, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// When it was taken, by the database's clock.
    pub taken_at: DateTime<Utc>,
    pub services: Services,
}

pub(super) type Services = BTreeMap<String, Claimed>;

/// A service in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claimed {
    claims: BTreeSet<Claim>,
    decision: Decision,
    holder: Option<Holder>,
}

/// A service that the catalog leaves undecided.
#[derive(Clone, Copy, Debug)]
pub struct Conflict<'s> {
    /// The service.
    pub service: &'s str,
    /// The claims on it.
    pub claims: &'s BTreeSet<Claim>,
    /// When the only squad that claims it takes it over. `None`: the claims contradict each other.
    pub takes_over_at: Option<DateTime<Utc>>,
}

impl Snapshot {
    pub fn owner(&self, service: &str) -> Owner<'_> {
        match self.services.get(service).map(|claimed| &claimed.decision) {
            Some(Decision::Squad(squad)) => Owner::Squad(squad),
            Some(Decision::Nobody) | None => Owner::Nobody,
            Some(Decision::Contested | Decision::Waits(_)) => Owner::Undecided,
        }
    }

    pub fn conflicts(&self) -> impl Iterator<Item = Conflict<'_>> {
        self.services.iter().filter_map(|(service, claimed)| {
            let takes_over_at = match claimed.decision {
                Decision::Contested => None,
                Decision::Waits(until) => Some(until),
                Decision::Squad(_) | Decision::Nobody => return None,
            };
            Some(Conflict { service, claims: &claimed.claims, takes_over_at })
        })
    }
}

/// What these claims amount to, after what was before.
pub(super) fn next(before: &Services, mut claims: Claims, now: DateTime<Utc>, delay: TimeDelta) -> Services {
    for service in before.keys() {
        claims.entry(service.clone()).or_default();
    }
    let each = claims.into_iter().filter_map(|(service, claims)| {
        let holder = before.get(&service).and_then(|claimed| claimed.holder.clone());
        let (decision, holder) = decide(&claims, holder, now, delay);
        let is_known = !claims.is_empty() || holder.is_some();
        is_known.then_some((service, Claimed { claims, decision, holder }))
    });
    each.collect()
}
