//! The two JSON views of headers. [`plain`] is what people expect to read; it does not tell a short integer from a long
//! one, nor text from bytes. [`typed`] tells all that JSON can carry. Neither is what is stored, and nothing is made from
//! them: names that are not UTF-8 are shown with replacements, and of two of the same name the last is shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Number, Value as Json, json};

use super::message::{Table, Value};

/// Headers as people expect them: numbers as numbers, text as text, a time as RFC 3339, bytes that are not text in base64.
pub fn plain(table: &Table) -> impl Serialize {
    Headers { table, types: Types::Left }
}

/// Headers with their types: each value is `{"t": <the tag on the wire>, "v": <the value>}`.
///
/// Whole numbers of 64 bits are text, since JavaScript's are exact up to 2^53 only. A float that is no number is `"NaN"`
/// (with its `bits` in hexadecimal), `"Infinity"` or `"-Infinity"`. Bytes, and a string that is not UTF-8, are in base64
/// and marked `"encoding": "base64"`.
pub fn typed(table: &Table) -> impl Serialize {
    Headers { table, types: Types::Told }
}

#[derive(Clone, Copy)]
enum Types {
    Told,
    Left,
}

/// Written as they are gone through: a tree of JSON takes several hundred times the bytes of the headers (rule R16).
struct Headers<'t> {
    table: &'t Table,
    types: Types,
}

struct List<'t> {
    values: &'t [Value],
    types: Types,
}

struct One<'t> {
    value: &'t Value,
    types: Types,
}

/// A tag and a value that holds others.
struct Tagged<V> {
    tag: &'static str,
    value: V,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown: BTreeMap<Cow<'_, str>, &Value> = BTreeMap::new();
        for (name, value) in &self.table.0 {
            shown.insert(String::from_utf8_lossy(name), value);
        }
        let mut map = serializer.serialize_map(Some(shown.len()))?;
        for (name, value) in shown {
            map.serialize_entry(&name, &One { value, types: self.types })?;
        }
        map.end()
    }
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.values.len()))?;
        for value in self.values {
            list.serialize_element(&One { value, types: self.types })?;
        }
        list.end()
    }
}

impl<V: Serialize> Serialize for Tagged<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("t", self.tag)?;
        map.serialize_entry("v", &self.value)?;
        map.end()
    }
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let types = self.types;
        match (self.value, types) {
            (Value::Array(values), Types::Left) => List { values, types }.serialize(serializer),
            (Value::Array(values), Types::Told) => {
                Tagged { tag: "A", value: List { values, types } }.serialize(serializer)
            }
            (Value::Table(table), Types::Left) => Headers { table, types }.serialize(serializer),
            (Value::Table(table), Types::Told) => {
                Tagged { tag: "F", value: Headers { table, types } }.serialize(serializer)
            }
            (value, Types::Left) => plain_scalar(value).serialize(serializer),
            (value, Types::Told) => typed_scalar(value).serialize(serializer),
        }
    }
}

fn plain_scalar(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => Json::Bool(*yes),
        Value::I8(n) => Json::from(*n),
        Value::U8(n) => Json::from(*n),
        Value::I16(n) => Json::from(*n),
        Value::U16(n) => Json::from(*n),
        Value::I32(n) => Json::from(*n),
        Value::U32(n) => Json::from(*n),
        Value::I64(n) => Json::from(*n),
        // By way of its digits: 0.1 is to stay 0.1, and not to become the double next to the float next to it.
        Value::F32(n) => float(n.to_string().parse().unwrap_or_else(|_| f64::from(*n))),
        Value::F64(n) => float(*n),
        Value::Decimal { scale, value } => Json::String(decimal(*scale, *value)),
        Value::LongString(bytes) | Value::Bytes(bytes) => text_or_base64(bytes),
        Value::Timestamp(seconds) => time(*seconds),
        Value::Array(_) | Value::Table(_) | Value::Void => Json::Null,
    }
}

fn typed_scalar(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => tagged("t", *yes),
        Value::I8(n) => tagged("b", *n),
        Value::U8(n) => tagged("B", *n),
        Value::I16(n) => tagged("s", *n),
        Value::U16(n) => tagged("u", *n),
        Value::I32(n) => tagged("I", *n),
        Value::U32(n) => tagged("i", *n),
        Value::I64(n) => tagged("l", n.to_string()),
        Value::F32(n) if n.is_nan() => tagged_nan("f", &format!("{:08x}", n.to_bits())),
        Value::F32(n) => tagged("f", float((*n).into())),
        Value::F64(n) if n.is_nan() => tagged_nan("d", &format!("{:016x}", n.to_bits())),
        Value::F64(n) => tagged("d", float(*n)),
        Value::Decimal { scale, value } => tagged("D", json!({"scale": scale, "value": value})),
        Value::LongString(bytes) => tagged_string(bytes),
        Value::Bytes(bytes) => tagged_base64("x", bytes),
        Value::Timestamp(seconds) => tagged("T", seconds.to_string()),
        Value::Array(_) | Value::Table(_) | Value::Void => tagged("V", Json::Null),
    }
}

fn tagged(tag: &str, value: impl Into<Json>) -> Json {
    json!({"t": tag, "v": value.into()})
}

fn tagged_nan(tag: &str, bits: &str) -> Json {
    json!({"t": tag, "v": "NaN", "bits": bits})
}

fn tagged_string(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => tagged("S", text),
        Err(_) => tagged_base64("S", bytes),
    }
}

fn tagged_base64(tag: &str, bytes: &[u8]) -> Json {
    json!({"t": tag, "v": STANDARD.encode(bytes), "encoding": "base64"})
}

fn text_or_base64(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => STANDARD.encode(bytes).into(),
    }
}

/// A number where JSON has it, else its name in JavaScript.
fn float(n: f64) -> Json {
    match Number::from_f64(n) {
        Some(number) => Json::Number(number),
        None if n.is_nan() => json!("NaN"),
        None if n > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    }
}

/// `value` × 10^-`scale`, with all its digits.
fn decimal(scale: u8, value: u32) -> String {
    let scale = usize::from(scale);
    // At least one digit before the point.
    let mut digits = format!("{value:0>width$}", width = scale + 1);
    if scale > 0 {
        digits.insert(digits.len() - scale, '.');
    }
    digits
}

/// RFC 3339, which has four digits for the year; the number itself where that is not enough.
fn time(seconds: u64) -> Json {
    const YEAR_10000: u64 = 253_402_300_800;
    i64::try_from(seconds)
        .ok()
        .filter(|_| seconds < YEAR_10000)
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map_or_else(|| seconds.into(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(view: impl Serialize) -> Json {
        serde_json::to_value(view).unwrap()
    }

    fn table(entries: Vec<(&[u8], Value)>) -> Table {
        Table(entries.into_iter().map(|(name, value)| (name.to_vec(), value)).collect())
    }

    #[test]
    fn every_type_has_both_views() {
        let inner = table(vec![(b"queue", Value::text("q")), (b"none", Value::Void)]);
        let cases = [
            (Value::Bool(true), json!(true), json!({"t": "t", "v": true})),
            (Value::I8(-1), json!(-1), json!({"t": "b", "v": -1})),
            (Value::U8(255), json!(255), json!({"t": "B", "v": 255})),
            (Value::I16(i16::MIN), json!(-32_768), json!({"t": "s", "v": -32_768})),
            (Value::U16(u16::MAX), json!(65_535), json!({"t": "u", "v": 65_535})),
            (Value::I32(i32::MIN), json!(-2_147_483_648), json!({"t": "I", "v": -2_147_483_648})),
            (Value::U32(u32::MAX), json!(4_294_967_295_u32), json!({"t": "i", "v": 4_294_967_295_u32})),
            (Value::I64(i64::MIN), json!(i64::MIN), json!({"t": "l", "v": "-9223372036854775808"})),
            (Value::F32(0.1), json!(0.1), json!({"t": "f", "v": 0.100_000_001_490_116_12})),
            (Value::F64(-0.1), json!(-0.1), json!({"t": "d", "v": -0.1})),
            (
                Value::Decimal { scale: 2, value: 1234 },
                json!("12.34"),
                json!({"t": "D", "v": {"scale": 2, "value": 1234}}),
            ),
            (Value::text("é"), json!("é"), json!({"t": "S", "v": "é"})),
            (
                Value::LongString(b"a\xff".to_vec()),
                json!("Yf8="),
                json!({"t": "S", "v": "Yf8=", "encoding": "base64"}),
            ),
            (
                Value::Bytes(b"abc".to_vec()),
                json!("abc"),
                json!({"t": "x", "v": "YWJj", "encoding": "base64"}),
            ),
            (
                Value::Bytes(b"a\xff".to_vec()),
                json!("Yf8="),
                json!({"t": "x", "v": "Yf8=", "encoding": "base64"}),
            ),
            (
                Value::Array(vec![Value::I8(1), Value::Array(vec![])]),
                json!([1, []]),
                json!({"t": "A", "v": [{"t": "b", "v": 1}, {"t": "A", "v": []}]}),
            ),
            (
                Value::Timestamp(1_795_392_000),
                json!("2026-11-23T00:00:00Z"),
                json!({"t": "T", "v": "1795392000"}),
            ),
            (
                Value::Table(inner),
                json!({"queue": "q", "none": null}),
                json!({"t": "F", "v": {"queue": {"t": "S", "v": "q"}, "none": {"t": "V", "v": null}}}),
            ),
            (Value::Void, json!(null), json!({"t": "V", "v": null})),
        ];
        for (value, expected_plain, expected_typed) in cases {
            let headers = table(vec![(b"h", value.clone())]);
            assert_eq!(shown(plain(&headers)), json!({"h": expected_plain}), "plain {value:?}");
            assert_eq!(shown(typed(&headers)), json!({"h": expected_typed}), "typed {value:?}");
        }
    }

    #[test]
    fn floats_that_json_lacks_are_named_and_the_kind_of_nan_is_kept() {
        let cases = [
            (Value::F32(f32::INFINITY), json!("Infinity"), json!({"t": "f", "v": "Infinity"})),
            (Value::F64(f64::NEG_INFINITY), json!("-Infinity"), json!({"t": "d", "v": "-Infinity"})),
            (
                Value::F32(f32::from_bits(0xffc0_0001)),
                json!("NaN"),
                json!({"t": "f", "v": "NaN", "bits": "ffc00001"}),
            ),
            (
                Value::F64(f64::from_bits(0x7ff0_0000_0000_0001)),
                json!("NaN"),
                json!({"t": "d", "v": "NaN", "bits": "7ff0000000000001"}),
            ),
        ];
        for (value, expected_plain, expected_typed) in cases {
            assert_eq!((plain_scalar(&value), typed_scalar(&value)), (expected_plain, expected_typed));
        }
        assert_eq!(plain_scalar(&Value::F32(f32::MAX)).as_f64(), Some(3.402_823_5e38));
        assert_eq!(typed_scalar(&Value::F64(-0.0))["v"].to_string(), "-0.0");
    }

    #[test]
    fn a_decimal_has_its_point_where_the_scale_says() {
        assert_eq!(decimal(0, 1234), "1234");
        assert_eq!(decimal(0, 0), "0");
        assert_eq!(decimal(4, 1234), "0.1234");
        assert_eq!(decimal(6, 1234), "0.001234");
        assert_eq!(decimal(2, 5), "0.05");
        assert_eq!(decimal(2, 0), "0.00");
        assert_eq!(decimal(255, u32::MAX).len(), 257);
    }

    #[test]
    fn a_time_beyond_rfc_3339_stays_a_number() {
        assert_eq!(plain_scalar(&Value::Timestamp(0)), json!("1970-01-01T00:00:00Z"));
        assert_eq!(plain_scalar(&Value::Timestamp(253_402_300_799)), json!("9999-12-31T23:59:59Z"));
        assert_eq!(plain_scalar(&Value::Timestamp(253_402_300_800)), json!(253_402_300_800_u64));
        assert_eq!(plain_scalar(&Value::Timestamp(u64::MAX)), json!(u64::MAX));
        assert_eq!(typed_scalar(&Value::Timestamp(u64::MAX)), json!({"t": "T", "v": "18446744073709551615"}));
    }

    #[test]
    fn odd_names_are_shown_and_the_last_of_twins_wins() {
        let headers = table(vec![(b"a", Value::I8(1)), (b"\xff", Value::Void), (b"a", Value::I8(2))]);
        assert_eq!(shown(plain(&headers)), json!({"a": 2, "\u{fffd}": null}));
        assert_eq!(shown(typed(&headers))["a"], json!({"t": "b", "v": 2}));
        assert_eq!(shown(plain(&Table::default())), json!({}));
    }

    #[test]
    fn the_deepest_headers_that_are_stored_can_be_shown() {
        let mut deepest = Table::default();
        for _ in 1..512 {
            deepest = table(vec![(b"n", Value::Table(deepest))]);
        }
        assert_eq!(serde_json::to_string(&plain(&deepest)).unwrap().matches('{').count(), 512);
        assert_eq!(serde_json::to_string(&typed(&deepest)).unwrap().matches('{').count(), 1023);
    }
}
