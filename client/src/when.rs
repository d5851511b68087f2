//! Times in flags: RFC 3339, or an age.

use std::time::Duration;

use crate::clock;

/// Parses an RFC 3339 time, or an age such as `2h` or `3d`. A text that looks like a time is left to the server to check.
pub(crate) fn time_or_age(text: &str) -> Result<String, String> {
    match humantime::parse_duration(text) {
        Ok(age) => before_now(age).ok_or_else(|| "too long ago".into()),
        Err(_) if text.contains(['-', ':']) || !text.starts_with(|first: char| first.is_ascii_digit()) => {
            Ok(text.into())
        }
        Err(_) => Err("expected a time such as 2026-11-23T03:00:00Z, or an age such as 2h or 3d".into()),
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
    fn a_time_or_an_age_is_accepted() {
        let given = "2026-11-23T03:00:00+01:00";
        assert_eq!(time_or_age(given), Ok(given.into()));
        let ago: DateTime<Utc> = time_or_age("3d").unwrap().parse().unwrap();
        assert!((clock::now() - ago - TimeDelta::days(3)).abs() < TimeDelta::minutes(1));
        for wrong in ["2", "2 moons", "99999999999d", "3x"] {
            assert!(time_or_age(wrong).is_err(), "{wrong}");
        }
        assert_eq!(time_or_age("yesterday"), Ok("yesterday".into()), "the server checks it");
    }
}
