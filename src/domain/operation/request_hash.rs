//! Whether two requests for an operation are the same, for idempotency keys. The hash is stored with the operation for as long as that is
//! kept, so it has to be the same in every release: it covers canonical JSON, and neither the names nor the order of fields in the code.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{NewOperation, Options};

/// To be raised if requests are to be hashed in another way; hashes of the version before should then be recognised, too.
const VERSION: u8 = 2;

/// The hash of a request: of what was asked for, but not by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash {
    current: Uuid,
    /// As releases up to 0.2 stored it: over Rust's debug output.
    first: Uuid,
}

impl RequestHash {
    /// Of this request.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn of(new: &NewOperation) -> serde_json::Result<Self> {
        let NewOperation { kind, asked, options, .. } = new;
        let current = serde_json::to_string(&(VERSION, kind.as_str(), asked, given(options)?))?;
        let first = format!("{kind:?} {asked} {options:?}");
        Ok(Self { current: hash(&current), first: hash(&first) })
    }

    /// What is stored with a new operation.
    pub fn to_store(self) -> Uuid {
        self.current
    }

    /// Whether an operation that this hash was stored with was asked for by the same request.
    pub fn is_that_of(self, stored: Uuid) -> bool {
        stored == self.current || stored == self.first
    }
}

/// The options that differ from the default ones, by name: one that a later release adds changes no hash of requests without it.
fn given(options: &Options) -> serde_json::Result<BTreeMap<String, Box<RawValue>>> {
    let members = |options: &Options| -> serde_json::Result<BTreeMap<String, Box<RawValue>>> {
        serde_json::from_str(&serde_json::to_string(options)?)
    };
    let default = members(&Options::default())?;
    let mut given = members(options)?;
    given.retain(|name, value| default.get(name).is_none_or(|default| default.get() != value.get()));
    Ok(given)
}

fn hash(text: &str) -> Uuid {
    let mut head = [0; 16];
    head.copy_from_slice(&Sha256::digest(text)[..16]);
    Uuid::new_v8(head)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::audit::Actor;
    use crate::domain::canary::Canary;
    use crate::domain::edit::Edit;
    use crate::domain::operation::{Kind, Selection, Sequence, Target};

    fn request() -> NewOperation {
        let patch = r#"[{"op": "add", "path": "/n", "value": 1.50e16}]"#;
        let target = Target::Explicit { exchange: "orders".into(), routing_key: "placed".into() };
        let canary = Canary { steps: vec![1, 10], wait_seconds: 30, max_failed_percent: 0.5 };
        let edit = Edit { patch: serde_json::from_str(patch).unwrap(), ..Edit::default() };
        let (rate, limit, max_queue_depth) = (Some(500), Some(1_000), Some(10_000));
        NewOperation {
            kind: Kind::Redeliver,
            selection: Selection::Ids(vec![]),
            asked: json!({"filter": {"service": "webshop", "error": "timeout"}, "all": false}),
            options: Options {
                target,
                rate,
                limit,
                canary,
                max_queue_depth,
                edit: Some(edit),
                order: Sequence::Oldest,
                note: Some("fixed".into()),
                ..Options::default()
            },
            within: None,
            approved_above: None,
            requested_by: Actor::default(),
            idempotency_key: Some("key".into()),
        }
    }

    /// Operations are stored with these hashes. A release that changes one answers 409 to requests that are repeated across its upgrade.
    #[test]
    fn the_hashes_of_known_requests_are_the_same_in_every_release() {
        let hash = RequestHash::of(&request()).unwrap();
        assert_eq!(hash.to_store().to_string(), "77cac04f-b320-891a-b1e5-cd537680fa08");
        let plain = NewOperation { kind: Kind::Delete, options: Options::default(), ..request() };
        assert_eq!(
            RequestHash::of(&plain).unwrap().to_store().to_string(),
            "bece11e7-e484-800e-9de9-fddc47336f60"
        );
    }

    /// As 0.2.0 computed it.
    #[test]
    fn the_hash_of_the_release_before_is_recognised() {
        let hash = RequestHash::of(&request()).unwrap();
        assert_eq!(hash.first.to_string(), "f3ec0476-2826-8c85-80b8-f0dd69c3fede");
        assert!(
            hash.is_that_of(hash.first) && hash.is_that_of(hash.current) && !hash.is_that_of(Uuid::nil())
        );
    }

    #[test]
    fn only_what_was_asked_for_matters() {
        let hash = RequestHash::of(&request()).unwrap();
        let by_another = NewOperation {
            requested_by: Actor { id: "another".into(), ..Actor::default() },
            idempotency_key: None,
            ..request()
        };
        assert_eq!(RequestHash::of(&by_another).unwrap(), hash);
        let again = NewOperation { options: Options { again: true, ..request().options }, ..request() };
        assert_ne!(RequestHash::of(&again).unwrap(), hash);
        // Digits that a number of JSON cannot keep.
        let mut edit = request().options.edit.unwrap();
        edit.patch =
            serde_json::from_str(r#"[{"op": "add", "path": "/n", "value": 15000000000000000}]"#).unwrap();
        let longer = NewOperation { options: Options { edit: Some(edit), ..request().options }, ..request() };
        assert_ne!(RequestHash::of(&longer).unwrap(), hash);
    }
}
