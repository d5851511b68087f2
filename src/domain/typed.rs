//! Reading headers back from JSON: the typed view of [`json::typed`](super::json::typed), and what people write without types.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::message::{Table, Value};

/// The value of a header as people write it: text, a whole number of 64 bits, a float, true or false; or with its type.
pub fn read(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::text(text)),
        Json::Bool(yes) => Some(Value::Bool(*yes)),
        Json::Number(number) if number.is_f64() => Some(Value::F64(number.as_f64()?)),
        Json::Number(number) => Some(Value::I64(number.as_i64()?)),
        _ => read_typed(json),
    }
}

/// A value of the typed view: `{"t": …, "v": …}`.
pub fn read_typed(json: &Json) -> Option<Value> {
    let tagged = json.as_object()?;
    if !tagged.keys().all(|name| matches!(name.as_str(), "t" | "v" | "bits" | "encoding")) {
        return None;
    }
    let value = tagged.get("v")?;
    Some(match tagged.get("t")?.as_str()? {
        "t" => Value::Bool(value.as_bool()?),
        "b" => Value::I8(whole(value)?),
        "B" => Value::U8(whole(value)?),
        "s" => Value::I16(whole(value)?),
        "u" => Value::U16(whole(value)?),
        "I" => Value::I32(whole(value)?),
        "i" => Value::U32(whole(value)?),
        "l" => Value::I64(value.as_i64().or_else(|| value.as_str()?.parse().ok())?),
        "f" => Value::F32(single(tagged, value)?),
        "d" => Value::F64(double(tagged, value)?),
        "D" => Value::Decimal { scale: whole(value.get("scale")?)?, value: whole(value.get("value")?)? },
        "S" => Value::LongString(bytes(tagged, value)?),
        "x" => Value::Bytes(bytes(tagged, value)?),
        "A" => Value::Array(value.as_array()?.iter().map(read_typed).collect::<Option<_>>()?),
        "T" => Value::Timestamp(value.as_u64().or_else(|| value.as_str()?.parse().ok())?),
        "F" => Value::Table(read_table(value.as_object()?)?),
        "V" => value.is_null().then_some(Value::Void)?,
        _ => return None,
    })
}

/// Headers of the typed view.
pub fn read_table(table: &Map<String, Json>) -> Option<Table> {
    let mut entries = Vec::with_capacity(table.len());
    for (name, value) in table {
        entries.push((is_name(name).then(|| name.clone().into_bytes())?, read_typed(value)?));
    }
    Some(Table(entries))
}

/// Whether a header can have this name.
pub fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
}

fn whole<N: TryFrom<i64>>(value: &Json) -> Option<N> {
    value.as_i64()?.try_into().ok()
}

fn double(tagged: &Map<String, Json>, value: &Json) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") if tagged.contains_key("bits") => {
            Some(f64::from_bits(bits(tagged, 16)?)).filter(|n| n.is_nan())
        }
        Some("NaN") => Some(f64::NAN),
        Some(name) => infinite(name),
    }
}

/// Like a double; but NaN has bits of its own, and of all numbers only those that a float has are taken.
fn single(tagged: &Map<String, Json>, value: &Json) -> Option<f32> {
    if value.as_str() == Some("NaN") && tagged.contains_key("bits") {
        let bits = u32::try_from(bits(tagged, 8)?).ok()?;
        return Some(f32::from_bits(bits)).filter(|n| n.is_nan());
    }
    let wide = double(tagged, value)?;
    #[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest float, as 0.1 must be")]
    let narrow = wide as f32;
    (narrow.is_finite() == wide.is_finite()).then_some(narrow)
}

/// This many hexadecimal digits.
fn bits(tagged: &Map<String, Json>, digits: usize) -> Option<u64> {
    let text = tagged.get("bits")?.as_str().filter(|text| text.len() == digits)?;
    u64::from_str_radix(text, 16).ok()
}

fn infinite(name: &str) -> Option<f64> {
    match name {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn bytes(tagged: &Map<String, Json>, value: &Json) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    match tagged.get("encoding").map(Json::as_str) {
        None => Some(text.as_bytes().to_vec()),
        Some(Some("base64")) => STANDARD.decode(text).ok(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::json;

    fn view(table: &Table) -> Map<String, Json> {
        serde_json::from_value(serde_json::to_value(json::typed(table)).unwrap()).unwrap()
    }

    #[test]
    fn every_type_comes_back_from_its_view() {
        let inner = Table(vec![(b"a".to_vec(), Value::U8(1)), (b"b".to_vec(), Value::Void)]);
        let values = [
            Value::Bool(true),
            Value::I8(i8::MIN),
            Value::U8(u8::MAX),
            Value::I16(i16::MIN),
            Value::U16(u16::MAX),
            Value::I32(i32::MIN),
            Value::U32(u32::MAX),
            Value::I64(i64::MIN),
            Value::F32(0.1),
            Value::F32(f32::MAX),
            Value::F32(f32::NEG_INFINITY),
            Value::F64(-0.1),
            Value::F64(f64::INFINITY),
            Value::Decimal { scale: 2, value: 1234 },
            Value::text("é"),
            Value::LongString(b"a\xff".to_vec()),
            Value::Bytes(b"abc".to_vec()),
            Value::Array(vec![Value::I8(1), Value::Array(vec![])]),
            Value::Timestamp(u64::MAX),
            Value::Table(inner),
            Value::Void,
        ];
        let entries = (b'a'..).zip(values).map(|(name, value)| (vec![name], value));
        let table = Table(entries.collect());
        assert_eq!(read_table(&view(&table)), Some(table));
        for bits in [0x7ff0_0000_0000_0001, 0xfff8_0000_0000_0000] {
            let nan = view(&Table(vec![(b"n".to_vec(), Value::F64(f64::from_bits(bits)))]));
            let Some(Value::F64(read)) = read(&nan["n"]) else { panic!("{nan:?}") };
            assert_eq!(read.to_bits(), bits);
        }
        let nan = view(&Table(vec![(b"n".to_vec(), Value::F32(f32::from_bits(0xffc0_0001)))]));
        let Some(Value::F32(read)) = read(&nan["n"]) else { panic!("{nan:?}") };
        assert_eq!(read.to_bits(), 0xffc0_0001);
    }

    #[test]
    fn plain_values_have_the_widest_type_of_their_kind() {
        for (plain, value) in [
            (json!("t"), Value::text("t")),
            (json!(1), Value::I64(1)),
            (json!(-1), Value::I64(-1)),
            (json!(1.0), Value::F64(1.0)),
            (json!(false), Value::Bool(false)),
        ] {
            assert_eq!(read(&plain), Some(value), "{plain}");
        }
    }

    #[test]
    fn what_is_no_value_is_not_read() {
        for wrong in [
            json!(null),
            json!([1]),
            json!({}),
            json!(u64::MAX),
            json!({"t": "I"}),
            json!({"t": "Q", "v": 1}),
            json!({"t": "b", "v": 128}),
            json!({"t": "i", "v": -1}),
            json!({"t": "I", "v": 1.5}),
            json!({"t": "f", "v": 1e300}),
            json!({"t": "d", "v": "NaN", "bits": "0000000000000000"}),
            json!({"t": "d", "v": "NaN", "bits": "x"}),
            json!({"t": "S", "v": 1}),
            json!({"t": "S", "v": "!", "encoding": "base64"}),
            json!({"t": "S", "v": "a", "encoding": "hex"}),
            json!({"t": "V", "v": 1}),
            json!({"t": "I", "v": 1, "more": 1}),
            json!({"t": "A", "v": [1]}),
            json!({"t": "F", "v": {"": {"t": "V", "v": null}}}),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
