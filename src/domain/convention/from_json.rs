//! Headers that a library kept as JSON. Widths are lost, and so is what was a table or an array (such as `x-death`).

use serde_json::{Map, Value as Json};

use crate::domain::message::{Table, Value};

/// Longest name of a header, and longest short string.
const MAX_SHORT: usize = 255;

/// The headers, with what this makes of a text.
pub(super) fn headers(map: &Map<String, Json>, text: fn(&str) -> String) -> Table {
    let header = |(name, value): (&String, &Json)| {
        let value = match value {
            Json::Bool(yes) => Value::Bool(*yes),
            Json::Number(number) => number.as_i64().map(Value::I64).or(number.as_f64().map(Value::F64))?,
            Json::String(value) => Value::text(text(value)),
            Json::Null | Json::Array(_) | Json::Object(_) => return None,
        };
        (name.len() <= MAX_SHORT).then(|| (name.clone().into_bytes(), value))
    };
    Table(map.iter().filter_map(header).collect())
}

/// A property that is a short string.
pub(super) fn short(text: &str) -> Option<Vec<u8>> {
    (text.len() <= MAX_SHORT).then(|| text.as_bytes().to_vec())
}
