//! Which squad owns which service: by the rules of a file, and by claims of a catalog. Joined on read, never stored with a dead letter.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::pattern;
use crate::latest::Latest;

mod catalog;
mod file;

pub use catalog::{Catalog, CatalogSettings, Claim, Conflict, Follower, MOST_NAMESPACES, TokenSource};
pub use file::open;

/// The squad of services without an owner.
pub const UNOWNED: &str = "unowned";

/// Optional prefix of the catalog's groups: `squad-nasa` and `nasa` are the same squad.
const SQUAD_PREFIX: &str = "squad-";

/// The current ownership. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ownership {
    rules: Latest<Rules>,
    /// Where squads come from a catalog.
    catalog: Latest<Option<Catalog>>,
}

impl Ownership {
    /// As it is now.
    pub fn now(&self) -> Arc<Owners> {
        Arc::new(Owners { rules: self.rules.now(), catalog: self.catalog.now() })
    }
}

/// Whose a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'o> {
    /// This squad's.
    Squad(&'o str),
    /// Nobody's.
    Nobody,
    /// The catalog leaves it undecided. It counts as nobody's, but what is granted for services without an owner is not granted for it.
    Undecided,
}

/// A snapshot of the ownership. The rules of the file win.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    rules: Arc<Rules>,
    catalog: Arc<Option<Catalog>>,
}

impl Owners {
    /// Whose the service is.
    pub fn owner(&self, service: &str) -> Owner<'_> {
        match (self.rules.squad(service), &*self.catalog) {
            (Some(squad), _) if same_squad(squad, UNOWNED) => Owner::Nobody,
            (Some(squad), _) => Owner::Squad(squad),
            (None, Some(catalog)) => catalog.owner(service),
            (None, None) => Owner::Nobody,
        }
    }

    /// The squad that owns the service, or [`UNOWNED`].
    pub fn squad(&self, service: &str) -> &str {
        match self.owner(service) {
            Owner::Squad(squad) => squad,
            Owner::Nobody | Owner::Undecided => UNOWNED,
        }
    }

    /// The services among these that the squad owns.
    pub fn of_squad(&self, squad: &str, services: impl IntoIterator<Item = String>) -> Vec<String> {
        services.into_iter().filter(|service| same_squad(self.squad(service), squad)).collect()
    }

    /// The catalog, if squads come from one.
    pub fn catalog(&self) -> Option<&Catalog> {
        self.catalog.as_ref().as_ref()
    }

    /// The services that the catalog leaves undecided, unless the file decides.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict<'_>> {
        let conflicts = self.catalog().into_iter().flat_map(Catalog::conflicts);
        conflicts.filter(|conflict| self.rules.squad(conflict.service).is_none())
    }
}

/// The rules of a file: exact names first, then patterns in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    exact: BTreeMap<String, String>,
    patterns: Vec<(String, String)>,
}

impl Rules {
    /// From the name of a service, or a pattern with `*` and `?`, each with its squad.
    fn new(rules: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut own = Self::default();
        for (service, squad) in rules {
            if service.contains(['*', '?']) {
                own.patterns.push((service, squad));
            } else {
                own.exact.entry(service).or_insert(squad);
            }
        }
        own
    }

    fn squad(&self, service: &str) -> Option<&str> {
        let by_pattern = || {
            let found = self.patterns.iter().find(|(pattern, _)| pattern::matches(pattern, service));
            found.map(|(_, squad)| squad)
        };
        self.exact.get(service).or_else(by_pattern).map(String::as_str)
    }
}

/// Whether both names mean the same squad.
pub fn same_squad(one: &str, other: &str) -> bool {
    let short = |name: &str| name.strip_prefix(SQUAD_PREFIX).unwrap_or(name).to_owned();
    short(one) == short(other)
}

/// A group without what is the same for all: `group:default/payments` of Backstage and `/payments` of Keycloak are `payments`.
pub(crate) fn short_group(name: &str) -> String {
    let name = name.strip_prefix("group:default/").or_else(|| name.strip_prefix("group:")).unwrap_or(name);
    name.strip_prefix('/').unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Owners {
        /// By rules alone.
        pub(crate) fn new(rules: impl IntoIterator<Item = (String, String)>) -> Self {
            Self { rules: Arc::new(Rules::new(rules)), catalog: Arc::default() }
        }
    }

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
