//! Which squad owns which service: joined when it is read, never stored with a dead letter.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::pattern;

mod file;

pub use file::{OwnershipFile, watch};

/// The squad of the services that nobody owns.
pub const UNOWNED: &str = "unowned";

/// Prefix that the catalog's groups bear and people leave out: `squad-nasa` and `nasa` are the same squad.
const SQUAD_PREFIX: &str = "squad-";

/// The ownership as it is known now. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Ownership(Arc<RwLock<Arc<Owners>>>);

/// A snapshot of the ownership: exact names first, then patterns in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    exact: BTreeMap<String, String>,
    patterns: Vec<(String, String)>,
}

impl Ownership {
    /// The ownership as it is now.
    pub fn now(&self) -> Arc<Owners> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, owners: Owners) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(owners);
    }
}

impl Owners {
    /// The squad that owns the service, or [`UNOWNED`].
    pub fn squad(&self, service: &str) -> &str {
        self.exact
            .get(service)
            .or_else(|| {
                let found = self.patterns.iter().find(|(pattern, _)| pattern::matches(pattern, service));
                found.map(|(_, squad)| squad)
            })
            .map_or(UNOWNED, String::as_str)
    }

    /// Those of the services that the squad owns.
    pub fn of_squad(&self, squad: &str, services: impl IntoIterator<Item = String>) -> Vec<String> {
        services.into_iter().filter(|service| same_squad(self.squad(service), squad)).collect()
    }

    /// Makes a snapshot of rules, each a service's name or a pattern with `*` and `?`, and its squad.
    fn new(rules: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut owners = Self::default();
        for (service, squad) in rules {
            if service.contains(['*', '?']) {
                owners.patterns.push((service, squad));
            } else {
                owners.exact.entry(service).or_insert(squad);
            }
        }
        owners
    }
}

/// Whether both names are the same squad's.
pub fn same_squad(one: &str, other: &str) -> bool {
    let short = |name: &str| name.strip_prefix(SQUAD_PREFIX).unwrap_or(name).to_owned();
    short(one) == short(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_win_then_the_first_pattern() {
        let owners = Owners::new(
            [("card-*", "cards"), ("*", "rest"), ("card-legacy", "museum")]
                .map(|(service, squad)| (service.to_owned(), squad.to_owned())),
        );
        assert_eq!(owners.squad("card-legacy"), "museum");
        assert_eq!(owners.squad("card-api"), "cards");
        assert_eq!(owners.squad("loans"), "rest");
        assert_eq!(Owners::default().squad("loans"), UNOWNED);
        assert_eq!(owners.of_squad("squad-cards", ["card-api".to_owned(), "loans".to_owned()]), ["card-api"]);
    }
}
