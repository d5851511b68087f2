//! The audit: who did what, chained by hashes so that no entry can be changed, removed or put in between unnoticed (rule R13).

use std::net::IpAddr;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::named::named;

/// Who does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    /// What identifies it: `token:load-test`, `user:default/jane`, `issuer|subject`. Empty: not signed in.
    pub id: String,
    /// As people know it.
    pub name: String,
    /// Where its request came from: the caller, or the last proxy before us.
    pub address: Option<IpAddr>,
}

named! {
    /// What was done.
    Action {
        /// An operation that redelivers was started.
        Redeliver = "redeliver",
        /// An operation that deletes was started.
        Delete = "delete",
        /// An operation that restores was started.
        Restore = "restore",
        /// An operation was paused.
        Pause = "pause",
        /// An operation was resumed.
        Resume = "resume",
        /// An operation was approved by a second person.
        Approve = "approve",
        /// An operation was cancelled.
        Cancel = "cancel",
        /// The rate of an operation was changed.
        Rate = "rate",
        /// An error group was resolved.
        Resolve = "resolve",
        /// An error group was reopened.
        Reopen = "reopen",
        /// An error group was muted.
        Mute = "mute",
        /// A note was added to an error group.
        Note = "note",
        /// An error group was assigned.
        Assign = "assign",
        /// The assignment of an error group was withdrawn.
        Unassign = "unassign",
        /// An error group was linked to a ticket.
        Link = "link",
        /// The link of an error group to a ticket was removed.
        Unlink = "unlink",
        /// Error groups were merged into another.
        Merge = "merge",
        /// Error groups that had been merged were split.
        Split = "split",
        /// A deployment was told.
        Deployment = "deployment",
        /// The body and the headers of a dead letter were read, or those of a sample.
        ReadPayload = "readPayload",
        /// The messages of a redelivery were previewed.
        Preview = "preview",
        /// Test notifications were sent to a squad.
        TestNotification = "testNotification",
        /// A caller was refused what it has no permission for.
        NotAllowed = "notAllowed",
        /// A caller was refused because nobody knows it.
        Unauthenticated = "unauthenticated",
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// UUID version 7 of its time.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// How often, where several of a kind are one entry.
    pub times: i64,
    /// The services that it is about.
    pub services: Vec<String>,
    /// The dead letter that it is about.
    pub dead_letter: Option<Uuid>,
    /// The operation that it is about.
    pub operation: Option<Uuid>,
    /// The error group that it is about.
    pub error_group: Option<Uuid>,
    /// What else is known.
    pub details: Value,
    /// Why, in the caller's words.
    pub reason: Option<String>,
}

impl Entry {
    /// An entry that is about nothing yet.
    pub fn new(id: Uuid, actor: Actor, action: Action) -> Self {
        Self {
            id,
            actor,
            action,
            times: 1,
            services: Vec::new(),
            dead_letter: None,
            operation: None,
            error_group: None,
            details: Value::Object(serde_json::Map::new()),
            reason: None,
        }
    }
}

/// The hash of an entry and of the hash before it.
pub type Hash = [u8; 32];

/// The hash before the first entry.
pub const BEGINNING: Hash = [0; 32];

/// The hash that follows: over the one before it and the entry as it is stored, as JSON.
pub fn chained(before: Hash, entry: &str) -> Hash {
    Sha256::new().chain_update(before).chain_update(entry).finalize().into()
}

/// As it is written.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_the_same_in_every_release() {
        let first = chained(BEGINNING, "a");
        assert_eq!(hex(&first), "41a0370c3d9f42773a59e8e01651911cf43b1e3f66944cbb690029debc4eb647");
        assert_ne!(chained(first, "a"), first);
        assert_ne!(chained(BEGINNING, "b"), first);
    }
}
