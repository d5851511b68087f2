//! Who may do what: a YAML file of grants. What is not granted is refused.
//!
//! ```yaml
//! squads:                          # optional: whose groups have other names than their squads
//!   payments: [payments-oncall, payments-leads]
//! grants:
//!   - to: [everyone]               # whoever has signed in
//!     on: own                      # the services of the squads that the caller is in
//!     may: [read, read-payload, triage, redeliver]
//!   - to: ["group:platform", "token:load-test", "user:default/jane"]
//!     on: everything
//!     may: [everything]
//!   - to: ["group:audit"]
//!     on: {squads: [payments, unowned], services: ["card-*"]}
//!     may: [read]
//! second-person:                   # optional: what one person may not do alone
//!   above: 1000
//!   for: [redeliver, delete]
//!   approved-by: ["group:leads"]
//! targets:                         # optional: where `redirect` may send messages to
//!   - {exchange: "", routing-key: "test-*"}
//! ```
//!
//! Principals are named by their stable id, never by the name that people know, which somebody else may take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::Principal;
use super::named::{among, check_name, shorten};
use super::permission::Permission;
use super::scope::{Scope, Services};
use super::second_person::SecondPerson;
use crate::domain::pattern;
use crate::latest::Latest;
use crate::live_file::LiveFile;
use crate::ownership::{Owners, UNOWNED, same_squad, short_group};

/// The grants of a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    #[serde(default)]
    squads: BTreeMap<String, Vec<String>>,
    grants: Vec<Grant>,
    second_person: Option<SecondPerson>,
    #[serde(default)]
    targets: Vec<AllowedTarget>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    to: Vec<String>,
    on: On,
    may: Vec<Granted>,
}

/// Which services a grant is for.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum On {
    Word(OnWord),
    Services(OnServices),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum OnWord {
    Everything,
    Own,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnServices {
    #[serde(default)]
    squads: Vec<String>,
    #[serde(default)]
    services: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Granted {
    One(Permission),
    All(Everything),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Everything {
    Everything,
}

/// An exchange and routing keys that messages may be sent to, both as patterns with `*` and `?`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AllowedTarget {
    exchange: String,
    routing_key: String,
}

/// The file of a policy, and the policy of this moment.
pub type PolicyFile = LiveFile<Policy>;

impl Policy {
    /// Reads the file, which must be there and be valid.
    pub fn open(path: &Path) -> anyhow::Result<PolicyFile> {
        LiveFile::open("policy file", path, parse, Latest::default())
    }

    /// Where the principal may do this. `None` is a caller who has not signed in.
    pub fn scope(
        &self,
        principal: Option<&Principal>,
        permission: Permission,
        owners: &Arc<Owners>,
    ) -> Scope {
        let mut services = Services::default();
        for grant in &self.grants {
            if !grant.is_to(principal) || !grant.permits(permission) {
                continue;
            }
            match &grant.on {
                On::Word(OnWord::Everything) => return Scope::everything(Arc::clone(owners)),
                On::Word(OnWord::Own) => services.squads.extend(self.squads_of(principal)),
                On::Services(of) => {
                    services.squads.extend(of.squads.iter().cloned());
                    services.patterns.extend(of.services.iter().cloned());
                }
            }
        }
        Scope::of(Arc::clone(owners), services)
    }

    /// Which operations need a second person.
    pub fn second_person(&self) -> Option<&SecondPerson> {
        self.second_person.as_ref()
    }

    /// Whether messages may be sent there on request.
    pub fn allows_target(&self, exchange: &str, routing_key: &str) -> bool {
        self.targets.iter().any(|target| {
            pattern::matches(&target.exchange, exchange) && pattern::matches(&target.routing_key, routing_key)
        })
    }

    /// The squads of a principal: those with the name of one of its groups, unless `squads` says whose they are.
    fn squads_of(&self, principal: Option<&Principal>) -> Vec<String> {
        let groups = principal.map(|principal| principal.groups.as_slice()).unwrap_or_default();
        let listed = self.squads.iter().filter(|(_, members)| members.iter().any(|of| groups.contains(of)));
        let is_listed = |squad: &str| self.squads.keys().any(|listed| same_squad(listed, squad));
        let alike = groups.iter().filter(|group| !is_listed(group) && !same_squad(group, UNOWNED));
        listed.map(|(squad, _)| squad).chain(alike).cloned().collect()
    }
}

impl Grant {
    fn is_to(&self, principal: Option<&Principal>) -> bool {
        match principal {
            None => self.to.iter().any(|to| to == "anonymous"),
            Some(principal) => among(&self.to, principal),
        }
    }

    fn permits(&self, permission: Permission) -> bool {
        self.may.iter().any(|may| match may {
            Granted::One(one) => *one == permission,
            Granted::All(Everything::Everything) => true,
        })
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.to.is_empty(), "a grant needs somebody in `to`");
        ensure!(!self.may.is_empty(), "the grant to {} needs permissions in `may`", self.to.join(", "));
        self.to.iter().filter(|to| *to != "anonymous").try_for_each(|to| check_name(to))?;
        if let On::Services(OnServices { squads, services }) = &self.on {
            ensure!(!squads.is_empty() || !services.is_empty(), "`on` needs `squads` or `services`");
        }
        Ok(())
    }
}

fn parse(text: &str) -> anyhow::Result<Policy> {
    let mut policy: Policy = serde_saphyr::from_str(text).with_context(|| {
        let permissions = Permission::ALL.map(Permission::as_str).join(", ");
        format!(
            "it needs `grants:`, a list of entries with `to`, `on` (everything, own, or `squads` and `services`) and `may` \
             ({permissions}, or everything)"
        )
    })?;
    for grant in &mut policy.grants {
        grant.check()?;
        shorten(&mut grant.to);
    }
    policy.second_person.as_mut().map(SecondPerson::checked).transpose()?;
    for groups in policy.squads.values_mut() {
        for group in groups {
            *group = short_group(group);
        }
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
squads: {payments: [group:default/payments-oncall]}
grants:
  - {to: [everyone], on: own, may: [read, redeliver]}
  - {to: ["group:default/platform", "token:load-test"], on: everything, may: [everything]}
  - {to: ["user:default/jane"], on: {squads: [unowned], services: ["card-*"]}, may: [read]}
  - {to: [anonymous], on: {services: [status]}, may: [read]}
targets: [{exchange: "", routing-key: "test-*"}]
"#;

    fn owners() -> Arc<Owners> {
        let rules = [("pay", "payments"), ("loan", "loans"), ("card-a", "cards"), ("odd", "unowned")];
        Arc::new(Owners::new(rules.map(|(service, squad)| (service.to_owned(), squad.to_owned()))))
    }

    fn principal(id: &str, groups: &[&str]) -> Principal {
        let groups = groups.iter().map(|group| short_group(group)).collect();
        Principal { id: id.into(), name: "token:load-test".into(), groups, expires: None, backstage: None }
    }

    fn covered(principal: Option<&Principal>, permission: Permission) -> Vec<String> {
        let scope = parse(POLICY).unwrap().scope(principal, permission, &owners());
        let all = ["pay", "loan", "card-a", "odd", "strange", "status"].map(str::to_owned);
        scope.of_services(all)
    }

    #[test]
    fn own_services_are_those_of_the_squads_of_ones_groups() {
        let one = |groups: &[&str]| covered(Some(&principal("user:default/joe", groups)), Permission::Read);
        assert_eq!(one(&["/loans"]), ["loan"]);
        assert_eq!(one(&["squad-loans", "cards"]), ["loan", "card-a"]);
        // This squad's group has another name.
        assert_eq!(one(&["payments"]), [] as [&str; 0]);
        assert_eq!(one(&["group:default/payments-oncall"]), ["pay"]);
        // Nobody gets what has no owner by the name of a group.
        assert_eq!(one(&["unowned"]), [] as [&str; 0]);
        assert_eq!(one(&[]), [] as [&str; 0]);
    }

    #[test]
    fn only_what_is_granted_is_allowed() {
        let joe = principal("user:default/joe", &["loans"]);
        assert_eq!(covered(Some(&joe), Permission::Redeliver), ["loan"]);
        for permission in
            [Permission::Delete, Permission::Edit, Permission::Redirect, Permission::ReadPayload]
        {
            assert_eq!(covered(Some(&joe), permission), [] as [&str; 0], "{permission}");
        }
        let jane = principal("user:default/jane", &[]);
        assert_eq!(covered(Some(&jane), Permission::Read), ["card-a", "odd", "strange", "status"]);
        assert_eq!(covered(None, Permission::Read), ["status"]);
        assert_eq!(covered(None, Permission::Redeliver), [] as [&str; 0]);
    }

    #[test]
    fn principals_are_known_by_their_id() {
        for one in [principal("token:load-test", &[]), principal("x|y", &["group:default/platform"])] {
            assert_eq!(covered(Some(&one), Permission::Delete).len(), 6, "{one:?}");
        }
        // Its name is that of the load test's token.
        assert_eq!(covered(Some(&principal("user:default/mallory", &[])), Permission::Delete).len(), 0);
        assert_eq!(
            covered(Some(&principal("user:default/x", &["other/platform"])), Permission::Read).len(),
            0
        );
    }

    #[test]
    fn two_permissions_are_needed_on_the_same_service() {
        let policy = parse(
            "grants:\n  - {to: [everyone], on: {services: [a, b]}, may: [redeliver]}\n  - {to: [everyone], on: {services: [b, c]}, may: [edit]}\n",
        )
        .unwrap();
        let one = principal("token:a", &[]);
        let scope = |permission| policy.scope(Some(&one), permission, &owners());
        let both = scope(Permission::Redeliver).and(scope(Permission::Edit));
        assert_eq!(both.of_services(["a", "b", "c"].map(str::to_owned)), ["b"]);
        assert!(scope(Permission::Redeliver).and(scope(Permission::Delete)).is_nothing());
    }

    #[test]
    fn targets_are_those_of_the_list() {
        let policy = parse(POLICY).unwrap();
        assert!(policy.allows_target("", "test-orders"));
        assert!(!policy.allows_target("", "payments") && !policy.allows_target("x", "test-orders"));
        assert!(!parse("grants: []").unwrap().allows_target("", "test-orders"));
    }

    #[test]
    fn a_file_that_is_not_valid_says_what_is_wrong() {
        let grant = |text: &str| format!("grants: [{{{text}}}]");
        for (wrong, says) in [
            ("grants: 7".to_owned(), "needs `grants:`"),
            ("{}".to_owned(), "needs `grants:`"),
            (grant("to: [everyone], on: own, may: [reed]"), "read-payload"),
            (grant("to: [everyone], on: all, may: [read]"), "everything, own"),
            (grant("to: [], on: own, may: [read]"), "somebody"),
            (grant("to: [everyone], on: own, may: []"), "permissions in `may`"),
            (grant("to: [jane], on: own, may: [read]"), "`jane` is nobody"),
            (grant("to: ['group:'], on: own, may: [read]"), "is nobody"),
            (grant("to: [everyone], on: {squads: []}, may: [read]"), "`squads` or `services`"),
            (grant("to: [everyone], on: {teams: [a]}, may: [read]"), "`squads` and `services`"),
            (grant("to: [everyone], on: own, may: [read], until: never"), "`to`, `on`"),
            ("grants: []\nsecond-person: {above: 1, approved-by: [jane]}".to_owned(), "`jane` is nobody"),
            ("grants: []\nsecond-person: {above: 1, approved-by: [anonymous]}".to_owned(), "is nobody"),
            ("grants: []\nsecond-person: {above: 1, for: []}".to_owned(), "`for`"),
        ] {
            let error = format!("{:#}", parse(&wrong).unwrap_err());
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
