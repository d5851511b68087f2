//! Limits that can be switched off.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Largest limit: more would be none.
const LARGEST: u32 = 1_000_000_000;

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// At most so many.
    At(NonZeroU32),
    /// Any number.
    Off,
}

impl Limit {
    /// The number, unless any will do.
    pub fn number(self) -> Option<NonZeroU32> {
        match self {
            Self::At(number) => Some(number),
            Self::Off => None,
        }
    }

    /// Whether so many are more than it allows.
    pub fn is_below(self, count: i64) -> bool {
        self.number().is_some_and(|most| count > i64::from(most.get()))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => number.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= LARGEST);
        number.map(Self::At).ok_or_else(|| format!("expected a number from 1 to {LARGEST}, or off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_off() {
        let limit = |text: &str| text.parse::<Limit>();
        assert_eq!(limit("off"), Ok(Limit::Off));
        assert_eq!(limit("5").map(|limit| limit.to_string()), Ok("5".into()));
        assert!(
            [("5", 5, false), ("5", 6, true), ("off", i64::MAX, false)]
                .into_iter()
                .all(|(text, count, is_below)| limit(text).unwrap().is_below(count) == is_below)
        );
        for wrong in ["0", "-1", "", "none", "1.5", "9999999999"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
