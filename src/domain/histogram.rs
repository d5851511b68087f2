//! Histograms: intervals of arrival, all of one length, that a chart shows.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// The lengths that there are, by name.
pub const LENGTHS: [(&str, TimeDelta); 6] = [
    ("1m", TimeDelta::minutes(1)),
    ("5m", TimeDelta::minutes(5)),
    ("15m", TimeDelta::minutes(15)),
    ("1h", TimeDelta::hours(1)),
    ("6h", TimeDelta::hours(6)),
    ("1d", TimeDelta::days(1)),
];
/// Largest number of intervals.
pub const MAX_BUCKETS: i64 = 1500;
/// Number of intervals if no length is given.
const ENOUGH: i64 = 100;

/// What a histogram is split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The service.
    Service,
    /// The error group.
    ErrorGroup,
    /// The broker's reason.
    Reason,
}

impl Dimension {
    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "service" => Some(Self::Service),
            "errorGroup" => Some(Self::ErrorGroup),
            "reason" => Some(Self::Reason),
            _ => None,
        }
    }
}

/// Intervals of one length, without gaps, that begin at multiples of it (UTC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// The name of the length.
    pub name: &'static str,
    /// The length.
    pub length: TimeDelta,
    /// The beginning of the first.
    pub from: DateTime<Utc>,
    /// How many there are.
    pub count: i32,
}

impl Buckets {
    /// Whole intervals from the one that has `from` in it to the one that has what is just before `to`; of the length asked
    /// for, or the shortest of five minutes or more that does not make too many. `None` where there would be too many.
    pub fn cover(from: DateTime<Utc>, to: DateTime<Utc>, length: Option<&str>) -> Option<Self> {
        let named = |(name, length): &(&'static str, TimeDelta), most| {
            let from = from.duration_trunc(*length).ok()?;
            let whole =
                (to - from - TimeDelta::nanoseconds(1)).num_milliseconds() / length.num_milliseconds();
            let count = i32::try_from((whole + 1).max(1)).ok().filter(|count| i64::from(*count) <= most)?;
            Some(Self { name, length: *length, from, count })
        };
        match length {
            Some(wanted) => {
                LENGTHS.iter().find(|(name, _)| *name == wanted).and_then(|length| named(length, MAX_BUCKETS))
            }
            None => LENGTHS[1..]
                .iter()
                .find_map(|length| named(length, ENOUGH))
                .or_else(|| named(LENGTHS.last()?, MAX_BUCKETS)),
        }
    }

    /// The end of the last one.
    pub fn to(&self) -> DateTime<Utc> {
        self.from + self.length * self.count
    }

    /// The beginnings of all, and the end of the last one.
    pub fn edges(&self) -> Vec<DateTime<Utc>> {
        (0..=self.count).map(|number| self.from + self.length * number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(from: &str, to: &str, length: Option<&str>) -> Option<(&'static str, String, i32)> {
        let time = |text: &str| DateTime::parse_from_rfc3339(text).expect("a time").to_utc();
        Buckets::cover(time(from), time(to), length)
            .map(|buckets| (buckets.name, buckets.from.to_rfc3339(), buckets.count))
    }

    #[test]
    fn intervals_are_whole_and_not_too_many() {
        let (from, to) = ("2026-11-24T03:07:30Z", "2026-11-25T03:07:30Z");
        assert_eq!(cover(from, to, Some("1h")), Some(("1h", "2026-11-24T03:00:00+00:00".into(), 25)));
        assert_eq!(cover(from, to, None), Some(("15m", "2026-11-24T03:00:00+00:00".into(), 97)));
        assert_eq!(cover(from, "2027-11-25T03:07:30Z", Some("5m")), None);
        assert_eq!(cover(from, from, Some("5m")), Some(("5m", "2026-11-24T03:05:00+00:00".into(), 1)));
        assert_eq!(
            cover("2026-11-24T03:05:00Z", "2026-11-24T03:10:00Z", None),
            Some(("5m", "2026-11-24T03:05:00+00:00".into(), 1))
        );
    }
}
