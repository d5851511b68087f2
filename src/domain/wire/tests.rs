//! Bytes to types and back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies::nested;
use super::*;
use crate::domain::message::{Properties, Table, Value};

/// Short strings of every length, seldom UTF-8, some of them often.
fn any_short() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![
        vec(b'a'..=b'b', 0..=1),
        vec(any::<u8>(), 0..10),
        vec(any::<u8>(), 0..=255),
        vec(any::<u8>(), 255),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_again_the_same(properties in strategies::properties(any_short())) {
        let bytes = encode(&properties).expect("it fits");
        prop_assert_eq!(bytes.capacity(), bytes.len(), "the size was known");
        let read = decode(&bytes).expect("what was written can be read");
        prop_assert!(strategies::same(&read, &properties), "{:?} became {:?}", properties, read);
        prop_assert_eq!(encode(&read).expect("it fits"), bytes);
    }

    #[test]
    fn whatever_ends_early_or_late_is_an_error(
        properties in strategies::properties(any_short()),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&properties).expect("it fits");
        prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        let length = bytes.len();
        bytes.push(0);
        prop_assert_eq!(decode(&bytes), Err(WireError::Trailing { offset: length, left: 1 }));
    }

    #[test]
    fn nothing_that_is_read_panics_and_all_that_can_be_read_is_kept(
        properties in strategies::properties(any_short()),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&properties).expect("it fits");
        for (at, octet) in changes {
            let at = at.index(bytes.len());
            bytes[at] = octet;
        }
        if let Ok(read) = decode(&bytes) {
            let again = encode(&read).expect("what was read fits");
            prop_assert_eq!(again.len(), bytes.len());
            prop_assert!(strategies::same(&decode(&again).expect("it can be read"), &read));
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..400), flags in any::<u16>()) {
        let _ = decode(&bytes);
        // With flags that mean something, so that the rest is looked at, too.
        let _ = decode(&[&(flags & !NO_PROPERTY | HEADERS).to_be_bytes()[..], &bytes].concat());
    }

    #[test]
    fn arbitrary_headers_do_not_panic(bytes in vec(prop_oneof![
        2 => any::<u8>(),
        4 => prop::sample::select(b"tbBsUuIilLfdDSxATFV".to_vec()),
        6 => 0..4_u8,
    ], 0..200)) {
        let length = u32::try_from(bytes.len()).expect("it is short").to_be_bytes();
        let _ = decode(&[&HEADERS.to_be_bytes()[..], &length, &bytes].concat());
    }
}

/// Every property and every type, written by hand from the specification and `RabbitMQ`'s deviations from it.
fn golden() -> Vec<u8> {
    [
        b"\xff\xfc".as_slice(),
        b"\x04text",
        b"\x04gzip",
        b"\x00\x00\x00\x82",
        b"\x01tt\x01",
        b"\x01bb\xfe",
        b"\x01BB\xfe",
        b"\x01ss\xff\xfe",
        b"\x01uu\xff\xfe",
        b"\x01II\xff\xff\xff\xfe",
        b"\x01ii\xff\xff\xff\xfe",
        b"\x01ll\xff\xff\xff\xff\xff\xff\xff\xfe",
        b"\x01ff\x3f\xc0\x00\x00",
        b"\x01dd\xbf\xf8\x00\x00\x00\x00\x00\x00",
        b"\x01DD\x02\x00\x00\x04\xd2",
        b"\x01SS\x00\x00\x00\x02\xc3\xa9",
        b"\x01xx\x00\x00\x00\x01\xff",
        b"\x01AA\x00\x00\x00\x03Vt\x00",
        b"\x01TT\x00\x00\x00\x00\x65\x53\xf1\x00",
        b"\x01FF\x00\x00\x00\x02\x00V",
        b"\x01VV",
        b"\x01VV",
        b"\x02\xff\xfeV",
        b"\x02",
        b"\x09",
        b"\x03cor",
        b"\x03rep",
        b"\x0560000",
        b"\x02\xff\x00",
        b"\x00\x00\x00\x00\x65\x53\xf1\x00",
        b"\x04type",
        b"\x05guest",
        b"\x00",
        b"\x01c",
    ]
    .concat()
}

/// What these bytes mean.
fn golden_properties() -> Properties {
    let named = |name: &[u8], value| (name.to_vec(), value);
    Properties {
        content_type: Some(b"text".to_vec()),
        content_encoding: Some(b"gzip".to_vec()),
        headers: Some(Table(vec![
            named(b"t", Value::Bool(true)),
            named(b"b", Value::I8(-2)),
            named(b"B", Value::U8(254)),
            named(b"s", Value::I16(-2)),
            named(b"u", Value::U16(65_534)),
            named(b"I", Value::I32(-2)),
            named(b"i", Value::U32(4_294_967_294)),
            named(b"l", Value::I64(-2)),
            named(b"f", Value::F32(1.5)),
            named(b"d", Value::F64(-1.5)),
            named(b"D", Value::Decimal { scale: 2, value: 1234 }),
            named(b"S", Value::text("é")),
            named(b"x", Value::Bytes(vec![0xff])),
            named(b"A", Value::Array(vec![Value::Void, Value::Bool(false)])),
            named(b"T", Value::Timestamp(1_700_000_000)),
            named(b"F", Value::Table(Table(vec![named(b"", Value::Void)]))),
            named(b"V", Value::Void),
            named(b"V", Value::Void),
            named(b"\xff\xfe", Value::Void),
        ])),
        delivery_mode: Some(2),
        priority: Some(9),
        correlation_id: Some(b"cor".to_vec()),
        reply_to: Some(b"rep".to_vec()),
        expiration: Some(b"60000".to_vec()),
        message_id: Some(b"\xff\x00".to_vec()),
        timestamp: Some(1_700_000_000),
        kind: Some(b"type".to_vec()),
        user_id: Some(b"guest".to_vec()),
        app_id: Some(vec![]),
        cluster_id: Some(b"c".to_vec()),
    }
}

#[test]
fn every_property_and_every_type_are_what_the_broker_writes() {
    let (golden, properties) = (golden(), golden_properties());
    assert_eq!(encode(&properties).expect("it fits"), golden);
    assert_eq!(decode(&golden), Ok(properties));
    assert_eq!(decode(&[0, 0]), Ok(Properties::default()));
    let empty = Properties { headers: Some(Table::default()), ..Properties::default() };
    assert_eq!(decode(&[0x20, 0, 0, 0, 0, 0]), Ok(empty));
}

/// Headers of these bytes, as they would be read.
fn read(entries: &[u8]) -> Result<Vec<(Vec<u8>, Value)>, WireError> {
    let length = u32::try_from(entries.len()).expect("it is short").to_be_bytes();
    decode(&[&HEADERS.to_be_bytes()[..], &length, entries].concat())
        .map(|properties| properties.headers.expect("headers").0)
}

#[test]
fn other_marks_for_the_same_are_read_as_the_broker_reads_them() {
    assert_eq!(
        read(b"\x01aU\xff\xfe\x01bL\xff\xff\xff\xff\xff\xff\xff\xfe\x01ct\x02"),
        Ok(vec![
            (b"a".to_vec(), Value::I16(-2)),
            (b"b".to_vec(), Value::I64(-2)),
            (b"c".to_vec(), Value::Bool(true)),
        ])
    );
}

#[test]
fn faults_are_named_with_their_place() {
    let cut = |what, offset, needed, left| WireError::Truncated { what, offset, needed, left };
    assert_eq!(decode(&[]), Err(cut("property flags", 0, 2, 0)));
    assert_eq!(decode(&[0x80]), Err(cut("property flags", 0, 2, 1)));
    assert_eq!(decode(&[0x80, 1, 0]), Err(WireError::UnknownFlags { flags: 0x8001 }));
    assert_eq!(decode(&[0x80, 0, 3, b'a']), Err(cut("content-type", 3, 3, 1)));
    assert_eq!(decode(&[0, 0, 7]), Err(WireError::Trailing { offset: 2, left: 1 }));
    assert_eq!(decode(&[0x20, 0, 0xff, 0xff, 0xff, 0xff]), Err(cut("headers", 6, 0xffff_ffff, 0)));
    assert_eq!(read(b"\x01az"), Err(WireError::UnknownTag { tag: b'z', offset: 8 }));
    assert_eq!(read(b"\x01a"), Err(cut("type tag", 8, 1, 0)));
    // The array says that it is longer than the table which holds it, and the string than the array.
    assert_eq!(read(b"\x01aA\x00\x00\x00\x09VV"), Err(cut("array", 13, 9, 2)));
    assert_eq!(read(b"\x01aA\x00\x00\x00\x06S\x00\x00\x00\x02x\x01by"), Err(cut("string", 18, 2, 1)));
    assert_eq!(
        WireError::UnknownTag { tag: b'z', offset: 8 }.to_string(),
        "unknown type tag 0x7a at offset 8"
    );
}

#[test]
fn what_a_length_cannot_count_is_refused() {
    let of = |length| Properties { kind: Some(vec![b'k'; length]), ..Properties::default() };
    assert!(encode(&of(255)).is_ok());
    let error = WireError::TooLong { what: "type", offset: 2, length: 256, max: 255 };
    assert_eq!(encode(&of(256)), Err(error));
    let headers = Table(vec![(vec![b'n'; 256], Value::Void)]);
    let error = WireError::TooLong { what: "header name", offset: 6, length: 256, max: 255 };
    assert_eq!(encode(&Properties { headers: Some(headers), ..Properties::default() }), Err(error));
}

#[test]
fn nesting_is_bounded_both_ways() {
    let deepest = nested(MAX_DEPTH);
    let bytes = encode(&deepest).expect("as deep as may be");
    assert_eq!(decode(&bytes), Ok(deepest));
    assert!(matches!(encode(&nested(MAX_DEPTH + 1)), Err(WireError::TooDeep { .. })));

    let mut entries = vec![];
    for _ in 0..100_000 {
        entries.extend([b'A', 0xff, 0xff, 0xff, 0xff]);
    }
    assert!(read(&[b"\x01a", entries.as_slice()].concat()).is_err());
    // The same with lengths that are right.
    let mut value = vec![b'V'];
    for _ in 0..MAX_DEPTH {
        let length = u32::try_from(value.len()).expect("it is short").to_be_bytes();
        value = [b"A".as_slice(), &length, &value].concat();
    }
    let offset = 8 + 5 * (MAX_DEPTH - 1) + 1;
    assert_eq!(read(&[b"\x01a", value.as_slice()].concat()), Err(WireError::TooDeep { offset }));
}
