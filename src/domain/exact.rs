//! JSON that can be read and written again without a change of what it says.
//!
//! `serde_json` keeps whole numbers of 64 bits and doubles; other numbers become the nearest double. Of two members of one name it keeps
//! the last. A body that has either is not to be sent altered.

use serde_json::{Number, Value};
use thiserror::Error;

/// Why JSON cannot be read and written again.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Inexact {
    /// It is no JSON, or not as we read it.
    #[error("it is not JSON, or nested too deep")]
    NotJson,
    /// A number would become another one.
    #[error("it has a number with more digits than can be kept")]
    Number,
    /// One of two members of the same name would get lost.
    #[error("it has two members of the same name in one object")]
    Twins,
}

/// Reads what can be written again.
pub fn read(json: &[u8]) -> Result<Value, Inexact> {
    let value = serde_json::from_slice(json).map_err(|_| Inexact::NotJson)?;
    let (members, numbers_are_kept) = scan(json);
    if !numbers_are_kept {
        return Err(Inexact::Number);
    }
    if members != count_members(&value) {
        return Err(Inexact::Twins);
    }
    Ok(value)
}

/// Whether each number of this JSON is the same when it is written again.
pub fn keeps_numbers(json: &[u8]) -> bool {
    scan(json).1
}

/// How many members all objects have together, and whether each number is kept. What stands in strings is neither.
fn scan(json: &[u8]) -> (usize, bool) {
    let (mut members, mut at) = (0, 0);
    while let Some(&byte) = json.get(at) {
        at += match byte {
            b'"' => string_length(&json[at..]),
            b'-' | b'0'..=b'9' => {
                let number = &json[at..];
                let length = number.iter().take_while(|byte| is_of_number(**byte)).count();
                if !is_kept(&number[..length]) {
                    return (members, false);
                }
                length
            }
            b':' => {
                members += 1;
                1
            }
            _ => 1,
        };
    }
    (members, true)
}

/// From quote to quote.
fn string_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_kept(number: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(number) else { return false };
    serde_json::from_str::<Number>(text)
        .is_ok_and(|number| Decimal::of(text) == Decimal::of(&number.to_string()))
}

/// A number as its digits, without zeros at either end, and where they stand: equal for equal numbers.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// `None` where the exponent is beyond all reason.
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        if significant.trim_start_matches('0').is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(zeros)?;
        Some(Self {
            is_negative,
            digits: significant.trim_start_matches('0').to_owned(),
            exponent: exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?,
        })
    }
}

fn count_members(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(count_members).sum::<usize>(),
        Value::Array(values) => values.iter().map(count_members).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_are_kept_and_numbers_that_are_not() {
        for kept in [
            "0",
            "-0",
            "1.0",
            "1.50",
            "1e2",
            "1E+2",
            "0.1",
            "12.34",
            "-7",
            "18446744073709551615",
            "-9223372036854775808",
            "0.30000000000000004",
            "1e308",
            "5e-324",
            "1e16",
            "0e999",
            "100000000000000000000",
        ] {
            assert!(keeps_numbers(kept.as_bytes()), "{kept}");
        }
        for lost in [
            "18446744073709551616",
            "-9223372036854775809",
            "0.1000000000000000055511151231257827",
            "1e-400",
            "1e400",
            "9007199254740993.0",
            "1e99999999999999999999",
            "123456789012345678901234567890",
        ] {
            assert!(!keeps_numbers(lost.as_bytes()), "{lost}");
        }
    }

    #[test]
    fn what_would_be_altered_is_not_read() {
        assert_eq!(read(br#"{"a": [1, {"b": "1e400:\":"}]}"#).unwrap()["a"][0], 1);
        assert_eq!(read(b"<a/>"), Err(Inexact::NotJson));
        assert_eq!(read(b"\xff"), Err(Inexact::NotJson));
        assert_eq!(read(b""), Err(Inexact::NotJson));
        assert_eq!(read("[".repeat(200).as_bytes()), Err(Inexact::NotJson));
        assert_eq!(read(br#"{"a": 1.00000000000000000001}"#), Err(Inexact::Number));
        assert_eq!(read(br#"{"a": {"b": 1, "b": 1}}"#), Err(Inexact::Twins));
        assert_eq!(read(br#"{"a": 1, "\u0061": 2}"#), Err(Inexact::Twins));
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_kept(double in proptest::num::f64::NORMAL, whole: i64, unsigned: u64) {
            let json = serde_json::json!([double, whole, {"a": unsigned}]).to_string();
            prop_assert_eq!(read(json.as_bytes()).unwrap().to_string(), json);
        }
    }
}
