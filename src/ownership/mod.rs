//! Which squad owns which service. Joined on read, never stored with a dead letter.

use std::collections::BTreeMap;

use crate::domain::pattern;
use crate::latest::Latest;

mod file;

pub use file::open;

/// The squad of services without an owner.
pub const UNOWNED: &str = "unowned";

/// Optional prefix of the catalog's groups: `squad-nasa` and `nasa` are the same squad.
const SQUAD_PREFIX: &str = "squad-";

/// The current ownership. Clones share it.
pub type Ownership = Latest<Owners>;

/// A snapshot of the ownership: exact names first, then patterns in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    exact: BTreeMap<String, String>,
    patterns: Vec<(String, String)>,
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

    /// The services among these that the squad owns.
    pub fn of_squad(&self, squad: &str, services: impl IntoIterator<Item = String>) -> Vec<String> {
        services.into_iter().filter(|service| same_squad(self.squad(service), squad)).collect()
    }

    /// A snapshot from rules: the name of a service, or a pattern with `*` and `?`, with its squad.
    pub(crate) fn new(rules: impl IntoIterator<Item = (String, String)>) -> Self {
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

/// Whether both names mean the same squad.
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
