//! Messages as the broker dead-letters them.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable};

/// Exchange and routing key of messages that are published as usual.
const PUBLISHED: (&str, &str) = ("orders", "orders.placed");

/// A long string.
pub fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// An id that no other message has.
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A message to publish to a dead-letter exchange.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    pub properties: BasicProperties,
    pub headers: FieldTable,
    pub body: Vec<u8>,
}

impl DeadMessage {
    /// A message with this id that was rejected from this queue, just now.
    pub fn new(message_id: &str, queue: &str) -> Self {
        Self::published(PUBLISHED, message_id, queue)
    }

    /// The same, having been published to this exchange with this routing key.
    pub fn published(published: (&str, &str), message_id: &str, queue: &str) -> Self {
        let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        Self::plain().id(message_id).died_after(published, queue, "rejected", 1, seconds)
    }

    /// A message without any properties or headers.
    pub fn plain() -> Self {
        Self { properties: BasicProperties::default(), headers: FieldTable::default(), body: b"{}".to_vec() }
    }

    pub fn id(mut self, message_id: &str) -> Self {
        self.properties = self.properties.with_message_id(message_id.into());
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn header(mut self, name: &str, value: AMQPValue) -> Self {
        self.headers.insert(name.into(), value);
        self
    }

    pub fn properties(mut self, with: impl FnOnce(BasicProperties) -> BasicProperties) -> Self {
        self.properties = with(self.properties);
        self
    }

    pub fn error(self, error_type: &str, message: &str) -> Self {
        self.header("dead-letter-error-type", text(error_type))
            .header("dead-letter-error-message", text(message))
            .header("dead-letter-error-stack", text("at main"))
    }

    /// It died in this queue, having been published to the exchange `orders`.
    pub fn died(self, queue: &str, reason: &str, count: i64, seconds: u64) -> Self {
        self.died_after(PUBLISHED, queue, reason, count, seconds)
    }

    /// The same, having been published to this exchange with this routing key.
    pub fn died_after(
        self,
        (exchange, routing_key): (&str, &str),
        queue: &str,
        reason: &str,
        count: i64,
        seconds: u64,
    ) -> Self {
        let mut death = FieldTable::default();
        death.insert("queue".into(), text(queue));
        death.insert("reason".into(), text(reason));
        death.insert("count".into(), AMQPValue::LongLongInt(count));
        death.insert("time".into(), AMQPValue::Timestamp(seconds));
        death.insert("exchange".into(), text(exchange));
        death.insert("routing-keys".into(), AMQPValue::FieldArray(FieldArray::from(vec![text(routing_key)])));
        self.header("x-death", AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(death)])))
            .header("x-first-death-queue", text(queue))
            .header("x-first-death-reason", text(reason))
            .header("x-first-death-exchange", text(exchange))
    }

    pub fn with_headers(&self) -> BasicProperties {
        if self.headers.inner().is_empty() {
            return self.properties.clone();
        }
        self.properties.clone().with_headers(self.headers.clone())
    }
}
