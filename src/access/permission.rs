//! What somebody may do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A permission. It is granted for services, and each route of the API names those that it needs (`x-permissions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See dead letters, counts, error groups and operations, but neither bodies nor headers.
    Read,
    /// See bodies and headers, and search in them.
    ReadPayload,
    /// Resolve, mute, reopen and annotate error groups, and tell deployments.
    Triage,
    /// Put messages back where they died; steer such an operation.
    Redeliver,
    /// Send messages somewhere else, or copies of them.
    Redirect,
    /// Change messages before they are sent.
    Edit,
    /// Delete dead letters, and restore deleted ones; steer such an operation.
    Delete,
    /// Read the audit.
    Admin,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::ReadPayload,
        Self::Triage,
        Self::Redeliver,
        Self::Redirect,
        Self::Edit,
        Self::Delete,
        Self::Admin,
    ];

    /// The name in the policy and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadPayload => "read-payload",
            Self::Triage => "triage",
            Self::Redeliver => "redeliver",
            Self::Redirect => "redirect",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }

    /// What it allows, as the end of "You may not …".
    pub fn verb(self) -> &'static str {
        match self {
            Self::Read => "see dead letters",
            Self::ReadPayload => "see or search bodies and headers",
            Self::Triage => "change error groups or tell deployments",
            Self::Redeliver => "redeliver messages",
            Self::Redirect => "send messages to a place of your choice",
            Self::Edit => "edit messages",
            Self::Delete => "delete or restore dead letters",
            Self::Admin => "read the audit",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_has_one_name() {
        for permission in Permission::ALL {
            let json = serde_json::to_value(permission).unwrap();
            assert_eq!(json, permission.as_str());
            assert_eq!(serde_json::from_value::<Permission>(json).unwrap(), permission);
        }
    }
}
