//! The current time, and ids that contain it. Nothing else in this crate asks the system for the time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The current time.
#[expect(clippy::disallowed_methods, reason = "the only place that asks")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A new UUID version 7, greater than all earlier ones of this process.
#[expect(clippy::disallowed_methods, reason = "the only place that asks")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
