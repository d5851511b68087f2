//! The exact length of written properties, so that the buffer is allocated once. It stays in memory until the row is stored.

use super::MAX_DEPTH;
use crate::domain::message::{Properties, Table, Value};

/// The length of the properties in bytes.
pub(super) fn size(properties: &Properties) -> usize {
    let Properties {
        content_type,
        content_encoding,
        headers,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        timestamp,
        kind,
        user_id,
        app_id,
        cluster_id,
    } = properties;
    let short = [
        content_type,
        content_encoding,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        kind,
        user_id,
        app_id,
        cluster_id,
    ];
    2 + short.into_iter().flatten().map(|bytes| 1 + bytes.len()).sum::<usize>()
        + headers.as_ref().map_or(0, |headers| table_size(headers, 1))
        + usize::from(delivery_mode.is_some())
        + usize::from(priority.is_some())
        + timestamp.map_or(0, |_| 8)
}

fn table_size(table: &Table, depth: usize) -> usize {
    4 + table.0.iter().map(|(name, value)| 1 + name.len() + value_size(value, depth)).sum::<usize>()
}

fn value_size(value: &Value, depth: usize) -> usize {
    1 + match value {
        // It is too deep to be written at all.
        Value::Array(_) | Value::Table(_) if depth == MAX_DEPTH => 0,
        Value::Void => 0,
        Value::Bool(_) | Value::I8(_) | Value::U8(_) => 1,
        Value::I16(_) | Value::U16(_) => 2,
        Value::I32(_) | Value::U32(_) | Value::F32(_) => 4,
        Value::Decimal { .. } => 5,
        Value::I64(_) | Value::F64(_) | Value::Timestamp(_) => 8,
        Value::LongString(bytes) | Value::Bytes(bytes) => 4 + bytes.len(),
        Value::Array(values) => 4 + values.iter().map(|value| value_size(value, depth + 1)).sum::<usize>(),
        Value::Table(table) => table_size(table, depth + 1),
    }
}
