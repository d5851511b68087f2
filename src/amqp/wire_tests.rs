//! The wire form against an implementation of others.

use lapin::protocol::basic::{gen_properties, parse_properties};
use proptest::prelude::*;

use crate::domain::message::{Properties, Table, Value};
use crate::domain::wire::{self, strategies};

fn utf8() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![".{0,10}", "[a-b]", "[a-z-]{255}"].prop_map(String::into_bytes)
}

/// Each name of a table once, the first, and in order.
fn in_order(mut properties: Properties) -> Properties {
    fn sort(table: &mut Table) {
        table.0.sort_by(|one, other| one.0.cmp(&other.0));
        table.0.dedup_by(|later, first| later.0 == first.0);
        table.0.iter_mut().for_each(|(_, value)| sort_in(value));
    }
    fn sort_in(value: &mut Value) {
        match value {
            Value::Table(table) => sort(table),
            Value::Array(values) => values.iter_mut().for_each(sort_in),
            _ => {}
        }
    }
    properties.headers.iter_mut().for_each(sort);
    properties
}

proptest! {
    /// An implementation of others, as far as it goes: UTF-8 only, and each name once and in order.
    #[test]
    fn lapin_reads_and_writes_the_same_bytes(properties in strategies::properties(utf8())) {
        let bytes = wire::encode(&in_order(properties)).expect("it fits");
        let (rest, theirs) = parse_properties(bytes.as_slice()).expect("lapin reads it");
        prop_assert!(rest.is_empty());
        let written = gen_properties(&theirs)(Vec::new().into()).expect("there is room");
        prop_assert_eq!(written.into_inner().0, bytes);
    }
}
