//! The services on which somebody may do something.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::pattern;
use crate::ownership::{Owner, Owners, UNOWNED, same_squad};

/// The services on which a caller may do something, as a condition: new services fall under it, too.
#[derive(Clone, Debug)]
pub struct Scope {
    owners: Arc<Owners>,
    /// All of these must hold. None: everything.
    conditions: Vec<Services>,
}

/// Services, as grants name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Services {
    /// Those of these squads.
    pub squads: Vec<String>,
    /// Those whose name fits one of these patterns.
    pub patterns: Vec<String>,
    /// Those with these names.
    pub names: Arc<BTreeSet<String>>,
}

impl Services {
    fn is_empty(&self) -> bool {
        self.squads.is_empty() && self.patterns.is_empty() && self.names.is_empty()
    }

    fn cover(&self, service: &str, owner: Owner<'_>) -> bool {
        let are_of = |squad: &str| self.squads.iter().any(|ours| same_squad(ours, squad));
        let are_owner = match owner {
            Owner::Squad(squad) => are_of(squad),
            Owner::Nobody => are_of(UNOWNED),
            Owner::Undecided => false,
        };
        are_owner
            || self.patterns.iter().any(|pattern| pattern::matches(pattern, service))
            || self.names.contains(service)
    }
}

impl Scope {
    /// Everything.
    pub fn everything(owners: Arc<Owners>) -> Self {
        Self { owners, conditions: Vec::new() }
    }

    /// These services only.
    pub(super) fn of(owners: Arc<Owners>, services: Services) -> Self {
        Self { owners, conditions: vec![services] }
    }

    /// What both cover.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.conditions.extend(other.conditions);
        self
    }

    /// Whether it covers all services.
    pub fn is_everything(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether nothing was granted.
    pub fn is_nothing(&self) -> bool {
        self.conditions.iter().any(Services::is_empty)
    }

    /// Whether it covers this service.
    pub fn covers(&self, service: &str) -> bool {
        self.would_cover(service, self.owners.owner(service))
    }

    /// Whether it would cover this service if this were the owner.
    pub fn would_cover(&self, service: &str, owner: Owner<'_>) -> bool {
        self.conditions.iter().all(|services| services.cover(service, owner))
    }

    /// Whether it covers all of these services.
    pub fn covers_all<'s>(&self, services: impl IntoIterator<Item = &'s String>) -> bool {
        services.into_iter().all(|service| self.covers(service))
    }

    /// Those of these services that it covers.
    pub fn of_services(&self, services: impl IntoIterator<Item = String>) -> Vec<String> {
        services.into_iter().filter(|service| self.covers(service)).collect()
    }

    /// The squads that services belonged to when this was decided.
    pub fn owners(&self) -> &Owners {
        &self.owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undecided_is_not_granted_with_what_has_no_owner() {
        let services = |squads: &[&str], patterns: &[&str]| Services {
            squads: squads.iter().map(|&squad| squad.to_owned()).collect(),
            patterns: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..Services::default()
        };
        let covers = |services: Services| {
            let scope = Scope::of(Arc::default(), services);
            [Owner::Squad("nasa"), Owner::Nobody, Owner::Undecided]
                .map(|owner| scope.would_cover("shop", owner))
        };
        assert_eq!(covers(services(&["squad-nasa"], &[])), [true, false, false]);
        assert_eq!(covers(services(&[UNOWNED], &[])), [false, true, false]);
        assert_eq!(covers(services(&[], &["sh*"])), [true; 3]);
        assert_eq!(covers(services(&["nasa", UNOWNED], &["card-*"])), [true, true, false]);
        let everything = Scope::everything(Arc::default());
        assert!(everything.would_cover("shop", Owner::Undecided));
    }
}
