//! Numbers of JSON by what they say. `serde_json` keeps whole numbers of 64 bits and doubles; others become the nearest double.

use serde_json::Number;

use super::bounded::string_end;

/// Whether each number of this JSON is the same when it is written again.
pub fn keeps_numbers(json: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at = match byte {
            b'"' => string_end(json, at),
            b'-' | b'0'..=b'9' => {
                let end = at + json[at..].iter().take_while(|byte| is_of_number(**byte)).count();
                if !std::str::from_utf8(&json[at..end]).is_ok_and(is_kept) {
                    return false;
                }
                end
            }
            _ => at + 1,
        };
    }
    true
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Whether this number is the same when `serde_json` has read it and writes it again.
pub fn is_kept(number: &str) -> bool {
    serde_json::from_str::<Number>(number)
        .is_ok_and(|kept| is_same_number(number.as_bytes(), kept.to_string().as_bytes()))
}

/// Whether two numbers are equal, however they are written.
pub fn is_same_number(one: &[u8], other: &[u8]) -> bool {
    let decimal = |number| Decimal::of(std::str::from_utf8(number).ok()?);
    one == other || decimal(one).is_some_and(|one| decimal(other).is_some_and(|other| one == other))
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

/// Whether both are numbers of JSON, and equal: `1.50` and `1.5`.
pub fn are_equal_numbers(one: &str, other: &str) -> bool {
    let is_number =
        |text: &str| !text.contains(char::is_whitespace) && serde_json::from_str::<Number>(text).is_ok();
    is_number(one) && is_number(other) && is_same_number(one.as_bytes(), other.as_bytes())
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
            assert!(is_kept(kept), "{kept}");
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
            "\"1\"",
        ] {
            assert!(!is_kept(lost), "{lost}");
        }
        assert!(keeps_numbers(br#"{"1e400": [1, "1e400\"1e400", -0.5]}"#));
        assert!(!keeps_numbers(br#"{"a": [1, {"b":1e400}]}"#));
    }

    #[test]
    fn numbers_are_equal_however_they_are_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("-0", "0.00"),
            ("0.5e1", "5"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert!(is_same_number(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1e2", "1e3"),
            ("18446744073709551616", "18446744073709551615"),
            ("1e99999999999999999999", "2e99999999999999999999"),
        ] {
            assert!(!is_same_number(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }

    #[test]
    fn numbers_may_be_written_in_several_ways() {
        for (one, other) in [("4711", "4711.0"), ("1e2", "100"), ("-0.50", "-5e-1"), ("0", "-0")] {
            assert!(are_equal_numbers(one, other), "{one} {other}");
        }
        for (one, other) in
            [("4711", "04711"), ("1", "1 "), ("1", "one"), ("1", ""), ("inf", "inf"), ("1", "-1")]
        {
            assert!(!are_equal_numbers(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_kept(double in proptest::num::f64::NORMAL, whole: i64, unsigned: u64) {
            for number in [serde_json::json!(double), serde_json::json!(whole), serde_json::json!(unsigned)] {
                prop_assert!(is_kept(&number.to_string()), "{}", number);
            }
        }
    }
}
