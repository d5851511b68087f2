//! The time, and ids that hold it. Nothing else in the program asks the system.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The current time.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A new UUID version 7: later ones of this process are greater.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
