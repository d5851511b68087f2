//! The time zone of times in text output.

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::Value;

use crate::text::{age, parse_time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// `TZ`, or the time zone of the system.
    Local,
    Utc,
}

impl Zone {
    /// A time of the API's JSON in seconds, as RFC 3339 with its offset: `2026-11-24T13:00:01+01:00`. Filters accept it as it is.
    pub(crate) fn time(self, value: &Value, name: &str) -> String {
        parse_time(value, name).map_or_else(String::new, |time| self.shown(time))
    }

    /// The time with its age.
    pub(crate) fn time_and_age(self, value: &Value, name: &str, now: DateTime<Utc>) -> String {
        match self.time(value, name) {
            time if time.is_empty() => time,
            time => format!("{time} ({})", age(value, name, now)),
        }
    }

    /// The offset from UTC now: `+01:00`.
    pub(crate) fn offset(self) -> String {
        match self {
            Self::Local => Local::now().offset().to_string(),
            Self::Utc => "+00:00".into(),
        }
    }

    fn shown(self, time: DateTime<Utc>) -> String {
        match self {
            Self::Local => time.with_timezone(&Local).to_rfc3339_opts(SecondsFormat::Secs, false),
            Self::Utc => time.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_names_its_offset() {
        let at = json!({"at": "2026-11-24T12:00:01.234567Z"});
        assert_eq!(Zone::Utc.time(&at, "at"), "2026-11-24T12:00:01Z");
        let local = Zone::Local.time(&at, "at");
        let offset = &local.as_bytes()[19..];
        assert!(offset.len() == 6 && matches!(offset[0], b'+' | b'-') && offset[3] == b':', "{local}");
        assert_eq!(local.parse::<DateTime<Utc>>().unwrap().timestamp(), 1_795_521_601);
        assert_eq!(Zone::Local.time(&at, "absent"), "");
    }
}
