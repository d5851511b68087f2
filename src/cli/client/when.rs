//! Times as people give them: RFC 3339, or how long ago.

use std::time::Duration;

use crate::clock;
use crate::config::duration;

/// Of a flag: a time as in RFC 3339, or how long ago it is, such as `2h` or `3d`. What is neither is for the server to refuse.
pub(super) fn time_or_age(text: &str) -> Result<String, String> {
    match duration(text) {
        Ok(age) => before_now(age).ok_or_else(|| "is too long ago".into()),
        Err(_) if text.contains(['-', ':']) || !text.starts_with(|first: char| first.is_ascii_digit()) => {
            Ok(text.into())
        }
        Err(_) => {
            Err("must be a time such as 2026-11-23T03:00:00Z, or how long ago it is, such as 2h or 3d".into())
        }
    }
}

fn before_now(age: Duration) -> Option<String> {
    let time = clock::now().checked_sub_signed(chrono::TimeDelta::from_std(age).ok()?)?;
    Some(time.format("%FT%T%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    #[test]
    fn a_time_is_given_or_said_to_be_so_long_ago() {
        let given = "2026-11-23T03:00:00+01:00";
        assert_eq!(time_or_age(given), Ok(given.into()));
        let ago: DateTime<Utc> = time_or_age("3d").unwrap().parse().unwrap();
        assert!((clock::now() - ago - TimeDelta::days(3)).abs() < TimeDelta::minutes(1));
        for wrong in ["2", "2 h", "99999999999d", "3y"] {
            assert!(time_or_age(wrong).is_err(), "{wrong}");
        }
        assert_eq!(time_or_age("yesterday"), Ok("yesterday".into()), "the server says what is wrong");
    }
}
