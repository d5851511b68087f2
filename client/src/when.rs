//! Times in flags: RFC 3339, an age, or a time of day.

use std::time::Duration;

use chrono::{DateTime, Days, Local, NaiveTime, TimeZone, Utc};

use crate::clock;

/// Parses an RFC 3339 time, an age such as `2h` or `3d`, or a time of day such as `22:00`, which means the last one. A text that looks
/// like a time is left to the server to check.
pub(crate) fn time_or_age(text: &str) -> Result<String, String> {
    if let Ok(of_day) = NaiveTime::parse_from_str(text, "%H:%M") {
        let time = last(&Local, of_day, clock::now()).ok_or("no such time today or yesterday")?;
        return Ok(written(time));
    }
    match humantime::parse_duration(text) {
        Ok(age) => before_now(age).ok_or_else(|| "too long ago".into()),
        Err(_) if text.contains(['-', ':']) || !text.starts_with(|first: char| first.is_ascii_digit()) => {
            Ok(text.into())
        }
        Err(_) => {
            Err("expected a time such as 2026-11-23T03:00:00Z or 22:00, or an age such as 2h or 3d".into())
        }
    }
}

fn before_now(age: Duration) -> Option<String> {
    let time = clock::now().checked_sub_signed(chrono::TimeDelta::from_std(age).ok()?)?;
    Some(written(time))
}

fn written(time: DateTime<Utc>) -> String {
    time.format("%FT%T%.3fZ").to_string()
}

/// When it was this time of day, in this zone, for the last time. A day may lack it, when clocks are put forward.
fn last<Z: TimeZone>(zone: &Z, of_day: NaiveTime, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(zone).date_naive();
    [Some(today), today.checked_sub_days(Days::new(1))]
        .into_iter()
        .flatten()
        .filter_map(|day| zone.from_local_datetime(&day.and_time(of_day)).earliest())
        .map(|time| time.to_utc())
        .find(|time| *time <= now)
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, TimeDelta};

    use super::*;

    #[test]
    fn a_time_of_day_is_the_last_one() {
        let zone: FixedOffset = "+01:00".parse().unwrap();
        let now: DateTime<Utc> = "2026-11-29T05:30:00Z".parse().unwrap();
        let at = |text: &str| last(&zone, text.parse().unwrap(), now).unwrap().to_string();
        assert_eq!(at("22:00:00"), "2026-11-28 21:00:00 UTC");
        assert_eq!(at("06:30:00"), "2026-11-29 05:30:00 UTC");
        assert_eq!(at("06:31:00"), "2026-11-28 05:31:00 UTC");
    }

    #[test]
    fn a_time_or_an_age_is_accepted() {
        let given = "2026-11-23T03:00:00+01:00";
        assert_eq!(time_or_age(given), Ok(given.into()));
        let ago: DateTime<Utc> = time_or_age("3d").unwrap().parse().unwrap();
        assert!((clock::now() - ago - TimeDelta::days(3)).abs() < TimeDelta::minutes(1));
        for wrong in ["2", "2 moons", "99999999999d", "3x"] {
            assert!(time_or_age(wrong).is_err(), "{wrong}");
        }
        let at_ten: DateTime<Utc> = time_or_age("22:00").unwrap().parse().unwrap();
        let passed = clock::now() - at_ten;
        assert!(passed >= TimeDelta::zero() && passed < TimeDelta::hours(26), "{passed}");
        assert!(time_or_age("25:00").is_ok(), "the server checks it");
        assert_eq!(time_or_age("yesterday"), Ok("yesterday".into()), "the server checks it");
    }
}
