//! How fast, and how many: the arithmetic of `--publish-spacing`, `--rate`, `--count` and `--duration`.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::figures;

/// The flags that say how fast to publish, and how much.
#[derive(Args, Clone, Debug, Default)]
pub struct PaceArgs {
    /// Time between two messages, which is 1 / rate (769us is 1,300 a second; 0 as fast as it goes)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "rate")]
    pub publish_spacing: Option<Duration>,
    /// Messages a second [default: 1300]
    #[arg(long)]
    pub rate: Option<f64>,
    /// Messages in all, which is rate × duration
    #[arg(long, conflicts_with = "duration")]
    pub count: Option<u64>,
    /// How long to publish, as 60s, 5m or 1h [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
}

/// A number of messages, one every so often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Between two messages; zero for as fast as it goes.
    pub spacing: Duration,
    /// Messages in all.
    pub count: u64,
}

const DEFAULT_RATE: f64 = 1300.0;
const DEFAULT_DURATION: Duration = Duration::from_mins(1);

impl PaceArgs {
    /// What the flags come to.
    pub fn pace(&self) -> Result<Pace> {
        let spacing = match (self.publish_spacing, self.rate) {
            (Some(spacing), _) => spacing,
            (None, rate) => {
                let rate = rate.unwrap_or(DEFAULT_RATE);
                ensure!(rate > 0.0 && rate <= 1e9, "--rate must be above 0 (and at most 1e9): {rate}");
                Duration::from_secs_f64(1.0 / rate)
            }
        };
        let count = match (self.count, self.duration.unwrap_or(DEFAULT_DURATION)) {
            (Some(count), _) => count,
            (None, _) if spacing.is_zero() => {
                bail!("without a spacing it takes --count to know when to stop")
            }
            (None, duration) => times(duration, spacing),
        };
        ensure!(count > 0, "that comes to no message at all");
        Ok(Pace { spacing, count })
    }
}

impl Pace {
    /// When the message with this index is due, counted from the first one.
    pub fn due(&self, index: u64) -> Duration {
        let spacing = u64::try_from(self.spacing.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(spacing.saturating_mul(index))
    }

    /// The rate that is meant, or none for as fast as it goes.
    pub fn rate(&self) -> Option<f64> {
        (!self.spacing.is_zero()).then(|| 1.0 / self.spacing.as_secs_f64())
    }

    /// How many messages lie between two samples, so that about `per_second` are taken.
    pub fn stride(&self, per_second: f64) -> u64 {
        match self.rate() {
            Some(rate) if per_second > 0.0 => figures::whole(rate / per_second).max(1),
            // Nobody knows the rate in advance: an even thousand samples over the run.
            _ => (self.count / 1000).max(1),
        }
    }
}

/// How often a spacing fits into a duration, to the nearest: 60 s of 769 µs spacing are 78,023 messages.
fn times(duration: Duration, spacing: Duration) -> u64 {
    figures::whole(duration.as_secs_f64() / spacing.as_secs_f64())
}

/// Reads `769us`, `5ms`, `1.5s`, `2m` or `1h`; a bare 0 is the only number that needs no unit.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(|| format!("{text} lacks a unit: ns, us, ms, s, m or h"))?;
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().map_err(|_| format!("not a number: {number:?}"))?;
    let unit = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        other => return Err(format!("unknown unit {other:?}: ns, us, ms, s, m or h")),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("769us"), Ok(Duration::from_micros(769)));
        assert_eq!(parse_duration("5ms"), Ok(Duration::from_millis(5)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "60", "5 parsecs", "s", "1.2.3s", "-1s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn spacing_and_count_are_taken_as_they_are() {
        let args = PaceArgs {
            publish_spacing: Some(Duration::from_micros(769)),
            count: Some(78_000),
            ..PaceArgs::default()
        };
        let pace = args.pace().expect("valid flags");
        assert_eq!(pace, Pace { spacing: Duration::from_micros(769), count: 78_000 });
        assert_eq!(pace.due(78_000), Duration::from_millis(59_982));
    }

    #[test]
    fn rate_and_duration_come_to_the_same() {
        let args =
            PaceArgs { rate: Some(1300.0), duration: Some(Duration::from_mins(1)), ..PaceArgs::default() };
        let pace = args.pace().expect("valid flags");
        assert_eq!(pace.count, 78_000);
        assert_eq!(pace.spacing, Duration::from_nanos(769_231));
        assert_eq!(pace.stride(20.0), 65);
        assert_eq!(PaceArgs::default().pace().expect("the defaults are valid"), pace);
    }

    #[test]
    fn nonsense_is_refused() {
        let none = PaceArgs { rate: Some(0.0), ..PaceArgs::default() };
        assert!(none.pace().is_err());
        let endless = PaceArgs { publish_spacing: Some(Duration::ZERO), ..PaceArgs::default() };
        assert!(endless.pace().is_err());
        let nothing = PaceArgs { count: Some(0), ..PaceArgs::default() };
        assert!(nothing.pace().is_err());
    }
}
