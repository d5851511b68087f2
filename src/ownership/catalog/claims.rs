//! What the catalog's components claim.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ownership::{UNOWNED, same_squad, short_group};

/// The annotation of a component whose name is not that of its service, or that is several services: their names, separated by commas. The
/// plugin reads the same (`annotations.json`).
pub(super) const ANNOTATION: &str = "dead-letter/service-name";
/// The kind of entities that claim services.
pub(super) const KIND: &str = "component";
/// The relation from an entity to its owner.
const OWNED_BY: &str = "ownedBy";
/// As long as the name of a queue.
const LONGEST_SERVICE: usize = 255;

/// That a service belongs to a squad, says a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// The component: `component:default/webshop`.
    pub entity: String,
    /// The same, for as long as it is registered. Whoever registers the name again gets another one.
    pub(super) uid: String,
    /// The squad. `None`: the component belongs to no group.
    pub squad: Option<String>,
}

/// What is claimed of each service.
pub(super) type Claims = BTreeMap<String, BTreeSet<Claim>>;

/// An entity, as far as it is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Entity {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    relations: Vec<Relation>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
    uid: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Spec {
    owner: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relation {
    r#type: String,
    target_ref: String,
}

impl Entity {
    /// Adds what it claims, if it may claim anything.
    pub fn claim(&self, namespaces: &[String], claims: &mut Claims) {
        let namespace = self.metadata.namespace.as_deref().unwrap_or("default").to_lowercase();
        let is_accepted = self.kind.eq_ignore_ascii_case(KIND) && namespaces.contains(&namespace);
        if !is_accepted {
            return;
        }
        let entity = format!("{KIND}:{namespace}/{}", self.metadata.name.to_lowercase());
        let uid = self.metadata.uid.clone().unwrap_or_else(|| entity.clone());
        let mut squads = self.squads(&namespace);
        if squads.is_empty() {
            squads.insert(None);
        }
        let own = squads.into_iter().map(|squad| Claim { entity: entity.clone(), uid: uid.clone(), squad });
        let own: BTreeSet<_> = own.collect();
        for service in self.services() {
            claims.entry(service.to_owned()).or_default().extend(own.iter().cloned());
        }
    }

    /// The services: those of the annotation, or that of its name. An empty annotation means none.
    pub fn services(&self) -> BTreeSet<&str> {
        let names = match self.metadata.annotations.get(ANNOTATION) {
            Some(annotation) => {
                annotation.as_str().unwrap_or_default().split(',').map(str::trim_ascii).collect()
            }
            None => vec![self.metadata.name.as_str()],
        };
        let fits = |name: &&str| {
            (1..=LONGEST_SERVICE).contains(&name.len()) && !name.contains(|c: char| c.is_control())
        };
        names.into_iter().filter(fits).collect()
    }

    /// The squads of the groups that own it. Without a relation to an owner, that of `spec.owner`.
    fn squads(&self, namespace: &str) -> BTreeSet<Option<String>> {
        let mut owners = self.relations.iter().filter(|relation| relation.r#type == OWNED_BY).peekable();
        if owners.peek().is_some() {
            return owners.filter_map(|owner| squad(&owner.target_ref)).map(Some).collect();
        }
        let owner = self.spec.owner.as_ref().and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = owner.split_once(':').unwrap_or(("group", owner));
        let name = if name.contains('/') { name.to_owned() } else { format!("{namespace}/{name}") };
        squad(&format!("{kind}:{name}")).map(Some).into_iter().collect()
    }
}

/// The squad of a group `group:namespace/name`. Other owners have none.
fn squad(owner: &str) -> Option<String> {
    let owner = owner.to_lowercase();
    let name = owner.strip_prefix("group:")?.split_once('/')?.1;
    let squad = short_group(&owner);
    (!name.is_empty() && !same_squad(&squad, UNOWNED)).then_some(squad)
}
