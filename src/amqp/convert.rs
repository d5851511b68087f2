//! The bridge between lapin's types and ours: nothing outside of [`amqp`](super) knows lapin's.
//!
//! lapin is narrower than the wire. Its names and short strings are UTF-8, and a table has each name once: it delivers
//! nothing else, and can send nothing else.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, DecimalValue, FieldTable, ShortString};
use thiserror::Error;

use crate::domain::message::{Message, Properties, Table, Value};

/// Why lapin can't send the properties. Names the property, and shows nothing of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ConvertError {
    /// Bytes that AMQP allows, but lapin does not.
    #[error("{what} is not UTF-8")]
    NotUtf8 {
        /// The property, or `header name`.
        what: &'static str,
    },
    /// More bytes than a short string has.
    #[error("{what} is {length} bytes long, but cannot exceed 255")]
    TooLong {
        /// The property, or `header name`.
        what: &'static str,
        /// How long it is.
        length: usize,
    },
}

/// A delivery's tag and message. The body is moved.
pub(crate) fn message_from(delivery: Delivery) -> (u64, Message) {
    let Delivery { delivery_tag, exchange, routing_key, properties, data, .. } = delivery;
    let message = Message {
        exchange: exchange.into(),
        routing_key: routing_key.into(),
        properties: properties_from(&properties),
        body: data,
    };
    (delivery_tag, message)
}

/// Our properties for lapin's.
pub(crate) fn properties_from(properties: &BasicProperties) -> Properties {
    let short = |short: &Option<ShortString>| short.as_ref().map(|short| short.as_str().as_bytes().to_vec());
    Properties {
        content_type: short(properties.content_type()),
        content_encoding: short(properties.content_encoding()),
        headers: properties.headers().as_ref().map(table_from),
        delivery_mode: *properties.delivery_mode(),
        priority: *properties.priority(),
        correlation_id: short(properties.correlation_id()),
        reply_to: short(properties.reply_to()),
        expiration: short(properties.expiration()),
        message_id: short(properties.message_id()),
        timestamp: *properties.timestamp(),
        kind: short(properties.kind()),
        user_id: short(properties.user_id()),
        app_id: short(properties.app_id()),
        cluster_id: short(properties.cluster_id()),
    }
}

fn table_from(table: &FieldTable) -> Table {
    Table(
        table
            .into_iter()
            .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value_from(value)))
            .collect(),
    )
}

fn value_from(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(yes) => Value::Bool(*yes),
        AMQPValue::ShortShortInt(n) => Value::I8(*n),
        AMQPValue::ShortShortUInt(n) => Value::U8(*n),
        AMQPValue::ShortInt(n) => Value::I16(*n),
        AMQPValue::ShortUInt(n) => Value::U16(*n),
        AMQPValue::LongInt(n) => Value::I32(*n),
        AMQPValue::LongUInt(n) => Value::U32(*n),
        AMQPValue::LongLongInt(n) => Value::I64(*n),
        AMQPValue::Float(n) => Value::F32(*n),
        AMQPValue::Double(n) => Value::F64(*n),
        AMQPValue::DecimalValue(n) => Value::Decimal { scale: n.scale, value: n.value },
        // There is no tag for it, so it does not come from a broker.
        AMQPValue::ShortString(text) => Value::LongString(text.as_str().as_bytes().to_vec()),
        AMQPValue::LongString(bytes) => Value::LongString(bytes.as_bytes().to_vec()),
        AMQPValue::ByteArray(bytes) => Value::Bytes(bytes.as_slice().to_vec()),
        AMQPValue::FieldArray(values) => Value::Array(values.as_slice().iter().map(value_from).collect()),
        AMQPValue::Timestamp(seconds) => Value::Timestamp(*seconds),
        AMQPValue::FieldTable(table) => Value::Table(table_from(table)),
        AMQPValue::Void => Value::Void,
    }
}

/// lapin's properties for ours. Of two headers of one name the first is taken, which is the one that the broker reads.
pub(crate) fn properties_to(properties: &Properties) -> Result<BasicProperties, ConvertError> {
    let mut to = BasicProperties::default();
    if let Some(bytes) = &properties.content_type {
        to = to.with_content_type(short_to("content-type", bytes)?);
    }
    if let Some(bytes) = &properties.content_encoding {
        to = to.with_content_encoding(short_to("content-encoding", bytes)?);
    }
    if let Some(headers) = &properties.headers {
        to = to.with_headers(table_to(headers)?);
    }
    if let Some(mode) = properties.delivery_mode {
        to = to.with_delivery_mode(mode);
    }
    if let Some(priority) = properties.priority {
        to = to.with_priority(priority);
    }
    if let Some(bytes) = &properties.correlation_id {
        to = to.with_correlation_id(short_to("correlation-id", bytes)?);
    }
    if let Some(bytes) = &properties.reply_to {
        to = to.with_reply_to(short_to("reply-to", bytes)?);
    }
    if let Some(bytes) = &properties.expiration {
        to = to.with_expiration(short_to("expiration", bytes)?);
    }
    if let Some(bytes) = &properties.message_id {
        to = to.with_message_id(short_to("message-id", bytes)?);
    }
    if let Some(seconds) = properties.timestamp {
        to = to.with_timestamp(seconds);
    }
    if let Some(bytes) = &properties.kind {
        to = to.with_type(short_to("type", bytes)?);
    }
    if let Some(bytes) = &properties.user_id {
        to = to.with_user_id(short_to("user-id", bytes)?);
    }
    if let Some(bytes) = &properties.app_id {
        to = to.with_app_id(short_to("app-id", bytes)?);
    }
    if let Some(bytes) = &properties.cluster_id {
        to = to.with_cluster_id(short_to("cluster-id", bytes)?);
    }
    Ok(to)
}

fn short_to(what: &'static str, bytes: &[u8]) -> Result<ShortString, ConvertError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ConvertError::NotUtf8 { what })?;
    ShortString::try_new(text).map_err(|_| ConvertError::TooLong { what, length: bytes.len() })
}

fn table_to(table: &Table) -> Result<FieldTable, ConvertError> {
    let mut to = BTreeMap::new();
    for (name, value) in &table.0 {
        if let Entry::Vacant(entry) = to.entry(short_to("header name", name)?) {
            entry.insert(value_to(value)?);
        }
    }
    Ok(to.into())
}

fn value_to(value: &Value) -> Result<AMQPValue, ConvertError> {
    Ok(match value {
        Value::Bool(yes) => AMQPValue::Boolean(*yes),
        Value::I8(n) => AMQPValue::ShortShortInt(*n),
        Value::U8(n) => AMQPValue::ShortShortUInt(*n),
        Value::I16(n) => AMQPValue::ShortInt(*n),
        Value::U16(n) => AMQPValue::ShortUInt(*n),
        Value::I32(n) => AMQPValue::LongInt(*n),
        Value::U32(n) => AMQPValue::LongUInt(*n),
        Value::I64(n) => AMQPValue::LongLongInt(*n),
        Value::F32(n) => AMQPValue::Float(*n),
        Value::F64(n) => AMQPValue::Double(*n),
        Value::Decimal { scale, value } => {
            AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value })
        }
        Value::LongString(bytes) => AMQPValue::LongString(bytes.as_slice().into()),
        Value::Bytes(bytes) => AMQPValue::ByteArray(bytes.as_slice().into()),
        Value::Array(values) => {
            AMQPValue::FieldArray(values.iter().map(value_to).collect::<Result<Vec<_>, _>>()?.into())
        }
        Value::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
        Value::Table(table) => AMQPValue::FieldTable(table_to(table)?),
        Value::Void => AMQPValue::Void,
    })
}

#[cfg(test)]
mod tests {
    use lapin::protocol::basic::{gen_properties, parse_properties};
    use proptest::prelude::*;

    use super::super::codec::{self, strategies};
    use super::*;

    fn utf8() -> impl Strategy<Value = Vec<u8>> + Clone {
        prop_oneof![".{0,10}", "[a-b]", "[a-z-]{255}"].prop_map(String::into_bytes)
    }

    /// The properties as lapin would have them: each name once, the first, and in order.
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

    fn lapins_bytes(properties: &BasicProperties) -> Vec<u8> {
        gen_properties(properties)(Vec::new().into()).expect("there is room").into_inner().0
    }

    proptest! {
        #[test]
        fn all_that_lapin_can_hold_comes_back(properties in strategies::properties(utf8())) {
            let back = properties_from(&properties_to(&properties).expect("lapin can hold it"));
            prop_assert!(strategies::same(&back, &in_order(properties.clone())), "{:?} became {:?}", properties, back);
        }

        #[test]
        fn lapin_and_the_codec_write_and_read_the_same_bytes(properties in strategies::properties(utf8())) {
            let properties = in_order(properties);
            let ours = codec::encode(&properties).expect("it fits");
            prop_assert_eq!(&lapins_bytes(&properties_to(&properties).expect("lapin can hold it")), &ours);

            let (rest, theirs) = parse_properties(ours.as_slice()).expect("lapin reads it");
            prop_assert!(rest.is_empty());
            prop_assert!(strategies::same(&properties_from(&theirs), &properties));
        }
    }

    #[test]
    fn what_lapin_cannot_send_is_named() {
        let latin1 = || Some(b"caf\xe9".to_vec());
        let cases = [
            ("message-id", Properties { message_id: latin1(), ..Properties::default() }),
            ("type", Properties { kind: latin1(), ..Properties::default() }),
            (
                "header name",
                Properties {
                    headers: Some(Table(vec![(
                        b"a".to_vec(),
                        Value::Array(vec![Value::Table(Table(vec![(b"\xff".to_vec(), Value::Void)]))]),
                    )])),
                    ..Properties::default()
                },
            ),
        ];
        for (what, properties) in cases {
            assert_eq!(properties_to(&properties), Err(ConvertError::NotUtf8 { what }));
        }
        let long = Properties { app_id: Some(vec![b'a'; 256]), ..Properties::default() };
        let error = ConvertError::TooLong { what: "app-id", length: 256 };
        assert_eq!(properties_to(&long), Err(error));
        assert_eq!(error.to_string(), "app-id is 256 bytes long, but cannot exceed 255");
    }

    #[test]
    fn the_deepest_headers_go_there_and_back() {
        let deepest = strategies::nested(codec::MAX_DEPTH);
        assert_eq!(properties_from(&properties_to(&deepest).expect("lapin can hold it")), deepest);
    }

    #[test]
    fn the_first_of_twins_is_sent() {
        let twins = Table(vec![(b"a".to_vec(), Value::I8(1)), (b"a".to_vec(), Value::I8(2))]);
        let sent = table_to(&twins).expect("lapin can hold one");
        assert_eq!(sent.inner().get("a"), Some(&AMQPValue::ShortShortInt(1)));
    }

    #[test]
    fn a_short_string_in_a_table_becomes_a_long_one() {
        assert_eq!(value_from(&AMQPValue::ShortString("a".into())), Value::text("a"));
    }

    #[test]
    fn a_delivery_gives_its_body_away() {
        let body = b"body".to_vec();
        let address = body.as_ptr();
        let mut delivery = Delivery::mock(7, "dead-letter".into(), "key".into(), true, body);
        delivery.properties = BasicProperties::default().with_message_id("m1".into());
        let (tag, message) = message_from(delivery);
        assert_eq!(tag, 7);
        assert_eq!((message.exchange.as_str(), message.routing_key.as_str()), ("dead-letter", "key"));
        assert_eq!(
            message.properties,
            Properties { message_id: Some(b"m1".to_vec()), ..Properties::default() }
        );
        assert_eq!((message.body.as_slice(), message.body.as_ptr()), (b"body".as_slice(), address));
    }
}
