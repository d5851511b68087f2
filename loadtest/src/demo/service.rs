//! Who is in the demo.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the services, each of which fails in a style of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Service {
    /// Here, in Rust: tells why in headers.
    Webshop,
    /// Here, in Rust: rejects.
    Notification,
    /// Python, Celery; this and those below are in `demo-clients`, and say over HTTP how they fare.
    Billing,
    /// Python, Dramatiq.
    Statements,
    /// Node, Rascal.
    Shipping,
}

impl Service {
    /// In the order of their declaration.
    pub(super) const ALL: [Self; 5] =
        [Self::Webshop, Self::Notification, Self::Billing, Self::Statements, Self::Shipping];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Webshop => "webshop",
            Self::Notification => "notification",
            Self::Billing => "billing",
            Self::Statements => "statements",
            Self::Shipping => "shipping",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
