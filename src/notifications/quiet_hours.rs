//! Quiet hours of a route.

use anyhow::ensure;
use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::domain::incident::Severity;

/// Quiet days in a row, at most.
const MOST_DAYS: usize = 8;

/// When a route is quiet: at night, on whole days, or both, by the clock of a place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Document")]
pub(super) struct QuietHours {
    hours: Option<(NaiveTime, NaiveTime)>,
    days: Vec<Weekday>,
    zone: Tz,
    unless: Severity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Document {
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    days: Vec<String>,
    zone: String,
    unless: Option<Severity>,
}

impl TryFrom<Document> for QuietHours {
    type Error = anyhow::Error;

    fn try_from(document: Document) -> anyhow::Result<Self> {
        let time = |text: &String| {
            NaiveTime::parse_from_str(text, "%H:%M")
                .map_err(|_| anyhow::anyhow!("`{text}` is no time such as \"22:00\""))
        };
        let hours = match (document.from.as_ref().map(time), document.to.as_ref().map(time)) {
            (Some(from), Some(to)) => Some((from?, to?)),
            (None, None) => None,
            _ => anyhow::bail!("`quiet-hours` needs both `from` and `to`"),
        };
        ensure!(
            hours.is_none_or(|(from, to)| from != to),
            "`from` and `to` are the same: list whole days in `days`"
        );
        ensure!(
            hours.is_some() || !document.days.is_empty(),
            "`quiet-hours` needs `from` and `to`, or `days`"
        );
        let day = |text: &String| {
            text.parse().map_err(|_| anyhow::anyhow!("`{text}` is no day of the week such as sat"))
        };
        let days: Vec<Weekday> = document.days.iter().map(day).collect::<Result<_, _>>()?;
        ensure!(days.len() < 7, "`days` has every day: remove the route instead");
        let zone = document.zone.parse().map_err(|_| {
            anyhow::anyhow!("`{}` is no time zone such as Europe/Berlin or UTC", document.zone)
        })?;
        Ok(Self { hours, days, zone, unless: document.unless.unwrap_or(Severity::Critical) })
    }
}

impl QuietHours {
    /// When an incident of this severity that begins now is told, if that is later.
    pub fn held_until(&self, severity: Severity, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if severity >= self.unless {
            return None;
        }
        let begin = now.with_timezone(&self.zone).naive_local();
        let mut at = begin;
        for _ in 0..2 * MOST_DAYS {
            match self.end_of(at) {
                Some(end) => at = end,
                None => break,
            }
        }
        (at > begin).then(|| self.utc(at))
    }

    /// The end of the quiet night or day that this time is in.
    fn end_of(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        let tomorrow = at.date().checked_add_days(Days::new(1))?;
        if self.days.contains(&at.weekday()) {
            return Some(tomorrow.and_time(NaiveTime::MIN));
        }
        let (from, to) = self.hours?;
        let time = at.time();
        match (from < to, time >= from, time < to) {
            (true, true, true) | (false, false, true) => Some(at.date().and_time(to)),
            (false, true, _) => Some(tomorrow.and_time(to)),
            _ => None,
        }
    }

    /// A time that a change of the clock leaves out is an hour later.
    fn utc(&self, at: NaiveDateTime) -> DateTime<Utc> {
        let local = self.zone.from_local_datetime(&at).earliest();
        let local = local.or_else(|| self.zone.from_local_datetime(&(at + TimeDelta::hours(1))).earliest());
        local.map_or_else(|| at.and_utc(), |local| local.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(text: &str) -> anyhow::Result<QuietHours> {
        Ok(serde_saphyr::from_str(text)?)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_night_is_held_until_the_morning_of_its_zone() {
        let night = quiet("{from: '22:00', to: '07:00', zone: Europe/Berlin}").unwrap();
        let held = |text: &str| night.held_until(Severity::Warning, at(text));
        // A Monday in winter: Berlin is an hour ahead.
        assert_eq!(held("2026-11-30T20:59:59Z"), None);
        assert_eq!(held("2026-11-30T21:00:00Z"), Some(at("2026-12-01T06:00:00Z")));
        assert_eq!(held("2026-12-01T05:59:59Z"), Some(at("2026-12-01T06:00:00Z")));
        assert_eq!(held("2026-12-01T06:00:00Z"), None);
        assert_eq!(held("2026-07-01T21:00:00Z"), Some(at("2026-07-02T05:00:00Z")), "summer time");
        assert_eq!(night.held_until(Severity::Critical, at("2026-11-30T22:00:00Z")), None);
    }

    #[test]
    fn whole_days_and_nights_add_up() {
        let weekend = quiet("{from: '18:00', to: '08:00', days: [sat, sun], zone: UTC}").unwrap();
        let held = |text: &str| weekend.held_until(Severity::Warning, at(text));
        // From a Friday evening to a Monday morning.
        assert_eq!(held("2026-12-04T18:00:00Z"), Some(at("2026-12-07T08:00:00Z")));
        assert_eq!(held("2026-12-04T17:59:00Z"), None);
        let noon = quiet("{from: '12:00', to: '13:00', zone: UTC}").unwrap();
        assert_eq!(
            noon.held_until(Severity::Info, at("2026-12-04T12:30:00Z")),
            Some(at("2026-12-04T13:00:00Z"))
        );
    }

    #[test]
    fn an_hour_that_the_clock_leaves_out_ends_an_hour_later() {
        let night = quiet("{from: '22:00', to: '02:30', zone: Europe/Berlin}").unwrap();
        let held = night.held_until(Severity::Warning, at("2026-03-28T23:00:00Z"));
        assert_eq!(held, Some(at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, says) in [
            ("{from: '22:00', zone: UTC}", "needs both"),
            ("{from: '22', to: '07:00', zone: UTC}", "is no time"),
            ("{from: '07:00', to: '07:00', zone: UTC}", "are the same"),
            ("{zone: UTC}", "or `days`"),
            ("{days: [someday], zone: UTC}", "no day of the week"),
            ("{days: [mon, tue, wed, thu, fri, sat, sun], zone: UTC}", "every day"),
            ("{days: [sat], zone: Berlin}", "no time zone"),
            ("{days: [sat], zone: UTC, till: '7'}", "till"),
        ] {
            let error = format!("{:#}", quiet(text).unwrap_err());
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
