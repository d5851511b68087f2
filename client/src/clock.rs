//! The current time. Nothing else in this crate asks the system for it.

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "the only place that asks")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
