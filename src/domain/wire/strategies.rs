//! Any properties that can be, for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::domain::message::{Properties, Table, Value};

/// Any value without another in it.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::I8),
        any::<u8>().prop_map(Value::U8),
        any::<i16>().prop_map(Value::I16),
        any::<u16>().prop_map(Value::U16),
        any::<i32>().prop_map(Value::I32),
        any::<u32>().prop_map(Value::U32),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Value::I64),
        // By their bits: quiet and signalling NaN with any payload, infinities, subnormals, both zeros.
        prop_oneof![any::<u32>(), 0x7f80_0000..=0x7fff_ffff_u32, Just(0x8000_0000)]
            .prop_map(|bits| Value::F32(f32::from_bits(bits))),
        prop_oneof![any::<u64>(), 0xfff0_0000_0000_0000..=u64::MAX, Just(1 << 63)]
            .prop_map(|bits| Value::F64(f64::from_bits(bits))),
        (any::<u8>(), any::<u32>()).prop_map(|(scale, value)| Value::Decimal { scale, value }),
        vec(any::<u8>(), 0..300).prop_map(Value::LongString),
        ".{0,20}".prop_map(Value::text),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        any::<u64>().prop_map(Value::Timestamp),
        Just(Value::Void),
    ]
}

fn table<S>(name: S, value: impl Strategy<Value = Value>) -> impl Strategy<Value = Table>
where
    S: Strategy<Value = Vec<u8>>,
{
    vec((name, value), 0..6).prop_map(Table)
}

/// Any properties, with short strings and header names of that kind.
pub fn properties<S>(short: S) -> impl Strategy<Value = Properties>
where
    S: Strategy<Value = Vec<u8>> + Clone + 'static,
{
    let name = short.clone();
    let value = scalar().prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            table(name.clone(), inner).prop_map(Value::Table),
        ]
    });
    let headers = table(short.clone(), value);
    let short = move || of(short.clone());
    let contents = (short(), short(), of(headers), of(any::<u8>()), of(any::<u8>()));
    let addresses = (short(), short(), short(), short(), of(any::<u64>()));
    let names = (short(), short(), short(), short());
    (contents, addresses, names).prop_map(|(contents, addresses, names)| {
        let (content_type, content_encoding, headers, delivery_mode, priority) = contents;
        let (correlation_id, reply_to, expiration, message_id, timestamp) = addresses;
        let (kind, user_id, app_id, cluster_id) = names;
        Properties {
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
        }
    })
}

/// Headers, themselves the first level, with arrays and tables in each other down to that level.
pub fn nested(levels: usize) -> Properties {
    let mut value = Value::Void;
    for level in 1..levels {
        value = if level % 2 == 0 {
            Value::Array(vec![value])
        } else {
            Value::Table(Table(vec![(b"n".to_vec(), value)]))
        };
    }
    Properties { headers: Some(Table(vec![(b"deep".to_vec(), value)])), ..Properties::default() }
}

/// Whether two properties are equal, floats by their bits.
pub fn same(one: &Properties, other: &Properties) -> bool {
    let headers = match (&one.headers, &other.headers) {
        (Some(one), Some(other)) => same_table(one, other),
        (None, None) => true,
        _ => false,
    };
    let rest = |properties: &Properties| Properties { headers: None, ..properties.clone() };
    headers && rest(one) == rest(other)
}

fn same_table(one: &Table, other: &Table) -> bool {
    one.0.len() == other.0.len()
        && one.0.iter().zip(&other.0).all(|(one, other)| one.0 == other.0 && same_value(&one.1, &other.1))
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::F32(one), Value::F32(other)) => one.to_bits() == other.to_bits(),
        (Value::F64(one), Value::F64(other)) => one.to_bits() == other.to_bits(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Table(one), Value::Table(other)) => same_table(one, other),
        _ => one == other,
    }
}
