//! Operations so large that one person may not start them alone.

use anyhow::ensure;
use serde::Deserialize;

use super::Principal;
use super::named::{among, check_name, shorten};
use crate::domain::operation::Kind;

/// Operations that need somebody else's approval.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecondPerson {
    above: u64,
    #[serde(rename = "for", default = "Watched::most")]
    kinds: Vec<Watched>,
    #[serde(default = "everyone")]
    approved_by: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Watched {
    Redeliver,
    Delete,
    Restore,
}

impl SecondPerson {
    /// With more dead letters than this an operation of this kind needs one.
    pub fn above(&self, kind: Kind) -> Option<u64> {
        let kind = match kind {
            Kind::Redeliver => Watched::Redeliver,
            Kind::Delete => Watched::Delete,
            Kind::Restore => Watched::Restore,
        };
        self.kinds.contains(&kind).then_some(self.above)
    }

    /// Whether the principal may be the second person, of operations that others asked for.
    pub fn is_approved_by(&self, principal: &Principal) -> bool {
        among(&self.approved_by, principal)
    }

    /// With names as they are compared.
    ///
    /// # Errors
    /// A list is empty, or names nobody.
    pub(super) fn checked(&mut self) -> anyhow::Result<()> {
        let Self { kinds, approved_by, .. } = self;
        ensure!(!kinds.is_empty(), "`second-person` needs something in `for`");
        ensure!(!approved_by.is_empty(), "`second-person` needs somebody in `approved-by`");
        approved_by.iter().try_for_each(|to| check_name(to))?;
        shorten(approved_by);
        Ok(())
    }
}

impl Watched {
    /// What cannot be taken back, or not for long.
    fn most() -> Vec<Self> {
        vec![Self::Redeliver, Self::Delete]
    }
}

fn everyone() -> Vec<String> {
    vec!["everyone".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ownership::short_group;

    fn principal(id: &str, groups: &[&str]) -> Principal {
        let groups = groups.iter().map(|group| short_group(group)).collect();
        Principal { id: id.into(), name: String::new(), groups, expires: None, backstage: None }
    }

    #[test]
    fn a_second_person_is_for_what_the_policy_says() {
        let second = |text: &str| {
            let mut second: SecondPerson = serde_saphyr::from_str(text).unwrap();
            second.checked().unwrap();
            second
        };
        let usual = second("{above: 1000}");
        assert_eq!(
            [Kind::Redeliver, Kind::Delete, Kind::Restore].map(|kind| usual.above(kind)),
            [Some(1_000), Some(1_000), None]
        );
        assert!(usual.is_approved_by(&principal("user:default/joe", &[])));
        let strict =
            second("{above: 0, for: [restore], approved-by: ['group:default/leads', 'token:robot']}");
        assert_eq!((strict.above(Kind::Delete), strict.above(Kind::Restore)), (None, Some(0)));
        assert!(!strict.is_approved_by(&principal("user:default/joe", &["cards"])));
        assert!(strict.is_approved_by(&principal("user:default/joe", &["/leads"])));
        assert!(strict.is_approved_by(&principal("token:robot", &[])));
    }
}
