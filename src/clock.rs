//! The time, ids that contain it, and jitter. No other module asks the system for the time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
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

/// Half to all of the duration, at random, so that replicas do not act at the same moment.
pub fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(rand::rng().random_range(0.5..1.0))
}
