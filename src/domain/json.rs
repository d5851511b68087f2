//! The two JSON views of headers. [`plain`] is what people expect to read; it does not tell a short integer from a long
//! one, nor text from bytes. [`typed`] tells all that JSON can carry. Neither is what is stored, and nothing is made from
//! them: names that are not UTF-8 are shown with replacements, and of two of the same name the last is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Number, Value as Json, json};

use super::message::{Table, Value};

/// Headers as people expect them: numbers as numbers, text as text, a time as RFC 3339, bytes that are not text in base64.
pub fn plain(table: &Table) -> Map<String, Json> {
    view(table, plain_value)
}

/// Headers with their types: each value is `{"t": <the tag on the wire>, "v": <the value>}`.
///
/// Whole numbers of 64 bits are text, since JavaScript's are exact up to 2^53 only. A float that is no number is `"NaN"`
/// (with its `bits` in hexadecimal), `"Infinity"` or `"-Infinity"`. Bytes, and a string that is not UTF-8, are in base64
/// and marked `"encoding": "base64"`.
pub fn typed(table: &Table) -> Map<String, Json> {
    view(table, typed_value)
}

fn view(table: &Table, value_view: fn(&Value) -> Json) -> Map<String, Json> {
    // Loops, here and below, and not iterators: headers may be 512 levels deep, and each costs its frames.
    let mut map = Map::new();
    for (name, value) in &table.0 {
        map.insert(String::from_utf8_lossy(name).into_owned(), value_view(value));
    }
    map
}

fn list(values: &[Value], value_view: fn(&Value) -> Json) -> Json {
    let mut list = Vec::with_capacity(values.len());
    for value in values {
        list.push(value_view(value));
    }
    Json::Array(list)
}

fn plain_value(value: &Value) -> Json {
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
        Value::Array(values) => list(values, plain_value),
        Value::Timestamp(seconds) => time(*seconds),
        Value::Table(table) => Json::Object(plain(table)),
        Value::Void => Json::Null,
    }
}

fn typed_value(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => tagged("t", Json::Bool(*yes)),
        Value::I8(n) => tagged("b", Json::from(*n)),
        Value::U8(n) => tagged("B", Json::from(*n)),
        Value::I16(n) => tagged("s", Json::from(*n)),
        Value::U16(n) => tagged("u", Json::from(*n)),
        Value::I32(n) => tagged("I", Json::from(*n)),
        Value::U32(n) => tagged("i", Json::from(*n)),
        Value::I64(n) => tagged("l", Json::String(n.to_string())),
        Value::F32(n) if n.is_nan() => tagged_nan("f", &format!("{:08x}", n.to_bits())),
        Value::F32(n) => tagged("f", float((*n).into())),
        Value::F64(n) if n.is_nan() => tagged_nan("d", &format!("{:016x}", n.to_bits())),
        Value::F64(n) => tagged("d", float(*n)),
        Value::Decimal { scale, value } => tagged("D", json!({"scale": scale, "value": value})),
        Value::LongString(bytes) => tagged_string(bytes),
        Value::Bytes(bytes) => tagged_base64("x", bytes),
        Value::Array(values) => tagged("A", list(values, typed_value)),
        Value::Timestamp(seconds) => tagged("T", Json::String(seconds.to_string())),
        Value::Table(table) => tagged("F", Json::Object(typed(table))),
        Value::Void => tagged("V", Json::Null),
    }
}

fn tagged(tag: &str, value: Json) -> Json {
    let mut tagged = Map::new();
    tagged.insert("t".into(), tag.into());
    tagged.insert("v".into(), value);
    Json::Object(tagged)
}

fn tagged_nan(tag: &str, bits: &str) -> Json {
    json!({"t": tag, "v": "NaN", "bits": bits})
}

fn tagged_string(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => tagged("S", text.into()),
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
            assert_eq!(Json::Object(plain(&headers)), json!({"h": expected_plain}), "plain {value:?}");
            assert_eq!(Json::Object(typed(&headers)), json!({"h": expected_typed}), "typed {value:?}");
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
            assert_eq!((plain_value(&value), typed_value(&value)), (expected_plain, expected_typed));
        }
        assert_eq!(plain_value(&Value::F32(f32::MAX)).as_f64(), Some(3.402_823_5e38));
        assert_eq!(typed_value(&Value::F64(-0.0))["v"].to_string(), "-0.0");
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
        assert_eq!(plain_value(&Value::Timestamp(0)), json!("1970-01-01T00:00:00Z"));
        assert_eq!(plain_value(&Value::Timestamp(253_402_300_799)), json!("9999-12-31T23:59:59Z"));
        assert_eq!(plain_value(&Value::Timestamp(253_402_300_800)), json!(253_402_300_800_u64));
        assert_eq!(plain_value(&Value::Timestamp(u64::MAX)), json!(u64::MAX));
        assert_eq!(typed_value(&Value::Timestamp(u64::MAX)), json!({"t": "T", "v": "18446744073709551615"}));
    }

    #[test]
    fn odd_names_are_shown_and_the_last_of_twins_wins() {
        let headers = table(vec![(b"a", Value::I8(1)), (b"\xff", Value::Void), (b"a", Value::I8(2))]);
        assert_eq!(Json::Object(plain(&headers)), json!({"a": 2, "\u{fffd}": null}));
        assert_eq!(typed(&headers)["a"], json!({"t": "b", "v": 2}));
        assert_eq!(plain(&Table::default()), Map::new());
    }

    #[test]
    fn the_deepest_headers_that_are_stored_can_be_shown() {
        let mut deepest = Table::default();
        for _ in 1..512 {
            deepest = table(vec![(b"n", Value::Table(deepest))]);
        }
        assert_eq!(Json::Object(plain(&deepest)).to_string().matches('{').count(), 512);
        assert_eq!(Json::Object(typed(&deepest)).to_string().matches('{').count(), 1023);
    }
}
