//! The time, in the two forms that messages bear it.

use chrono::{DateTime, SecondsFormat, Utc};

/// Seconds since 1970: the only times that AMQP knows.
pub fn unix_seconds() -> u64 {
    u64::try_from(now().timestamp()).unwrap_or_default()
}

/// As texts bear it, in UTC and to the millisecond.
pub fn rfc3339() -> String {
    now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where these programs read the clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
