//! A delivered message: its bytes, and their decoded form.

use lapin::message::Delivery;

use crate::domain::message::{Message, Properties};
use crate::domain::wire::{self, WireError};

/// A message that a source delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The decoded message. In an exchange or routing key that is not UTF-8, `?` replaces the bytes beyond ASCII.
    pub message: Message,
    /// The properties as they came (rule R4).
    pub properties: Vec<u8>,
    /// Why the properties could not be decoded.
    pub unreadable: Option<WireError>,
    /// Whether the broker may have delivered it before. The flag can be set on a first delivery; it is never evidence (rule R3).
    pub redelivered: bool,
}

impl Received {
    /// Decodes the properties.
    pub fn read(exchange: String, routing_key: String, properties: Vec<u8>, body: Vec<u8>) -> Self {
        let (read, unreadable) = match wire::decode(&properties) {
            Ok(read) => (read, None),
            Err(error) => (Properties::default(), Some(error)),
        };
        Self {
            message: Message { exchange, routing_key, properties: read, body },
            properties,
            unreadable,
            redelivered: false,
        }
    }

    /// A delivery with these properties.
    pub(super) fn of(delivery: Delivery, properties: Vec<u8>) -> Self {
        let Delivery { exchange, routing_key, data, redelivered, .. } = delivery;
        Self { redelivered, ..Self::read(exchange.into(), routing_key.into(), properties, data) }
    }

    /// A message that was built here, as if it had been delivered.
    pub fn made(message: Message) -> Result<Self, WireError> {
        Ok(Self {
            properties: wire::encode(&message.properties)?,
            message,
            unreadable: None,
            redelivered: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(properties: &[u8], body: Vec<u8>) -> Received {
        let delivery = Delivery::mock(7, "dead-letter".into(), "key".into(), true, body);
        Received::of(delivery, properties.to_vec())
    }

    #[test]
    fn a_delivery_gives_its_body_away() {
        let body = b"body".to_vec();
        let address = body.as_ptr();
        let received = received(&[0, 0x80, 2, b'm', b'1'], body);
        assert_eq!(received.message.exchange, "dead-letter");
        assert_eq!(received.message.routing_key, "key");
        assert_eq!(received.message.properties.message_id.as_deref(), Some(b"m1".as_slice()));
        assert_eq!(received.message.body.as_ptr(), address);
        assert_eq!(received.unreadable, None);
    }

    #[test]
    fn unreadable_properties_are_kept_as_they_came() {
        let broken = [0x20, 0, 0, 0, 0, 9, 1, b'a'];
        let received = received(&broken, b"body".to_vec());
        assert_eq!(received.properties, broken);
        assert_eq!(received.message.properties, Properties::default());
        assert!(matches!(received.unreadable, Some(WireError::Truncated { .. })));
    }
}
