//! Reads the arguments of a queue from the broker's refusals.
//!
//! AMQP has no request for them. But `RabbitMQ` refuses to declare an existing queue with other arguments, and names the first
//! one that differs with its value. Repeated with that value, the declaration is refused for the next one. We add an argument
//! that is invalid for every queue: so the last declaration is refused as well, and an absent queue is never created. Policies
//! stay invisible.

use std::collections::BTreeMap;

use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};

use super::AmqpError;
use super::inspect::QueueLimits;

/// An argument that no queue can have, and that the broker compares last.
const UNMATCHABLE: (&str, &str) = ("x-queue-leader-locator", "dead-letter asks");
/// Limit of the loop: more than the arguments that exist.
const MAX_ARGUMENTS: usize = 24;

/// How a queue was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueSettings {
    /// By name, as the broker writes them. Includes `durable` and `auto_delete` if they are not the default.
    arguments: BTreeMap<String, Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Argument {
    value: String,
    is_text: bool,
}

impl QueueSettings {
    /// Asks the broker. `None` without the permission to configure the queue, or if the refusal is not understood.
    pub async fn of(connection: &Connection, queue: &str) -> Result<Option<Self>, AmqpError> {
        let mut settings = Self::default();
        for _ in 0..MAX_ARGUMENTS {
            let channel = connection.create_channel().await?;
            match settings.declare(&channel, queue).await {
                Err(AmqpError::Refused { code: 406, text }) => match differing(&text) {
                    Some((name, _)) if name == UNMATCHABLE.0 => return Ok(Some(settings)),
                    Some((name, Some(argument))) if !settings.arguments.contains_key(&name) => {
                        settings.arguments.insert(name, argument);
                        if settings.kind() == QueueKind::Stream {
                            return Ok(Some(settings));
                        }
                    }
                    _ => return Ok(None),
                },
                // A classic queue of RabbitMQ 3 accepts the impossible argument.
                Ok(()) => return Ok(Some(settings)),
                Err(AmqpError::Refused { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn declare(&self, channel: &Channel, queue: &str) -> Result<(), AmqpError> {
        let is = |name, value| self.value(name) == Some(value);
        let options = QueueDeclareOptions {
            durable: !is("durable", "false"),
            auto_delete: is("auto_delete", "true"),
            ..QueueDeclareOptions::default()
        };
        let mut table = FieldTable::default();
        let text = |value: &str| AMQPValue::LongString(value.into());
        for (name, Argument { value, is_text }) in &self.arguments {
            let number = value.parse().ok().filter(|_| !is_text).map(AMQPValue::LongLongInt);
            if name.starts_with("x-") {
                table.insert(name.as_str().into(), number.unwrap_or_else(|| text(value)));
            }
        }
        table.insert(UNMATCHABLE.0.into(), text(UNMATCHABLE.1));
        channel.queue_declare(queue.into(), options, table).await?;
        Ok(())
    }

    /// An argument, as the broker writes it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(|argument| argument.value.as_str())
    }

    /// Arguments by which it may lose unconsumed messages.
    pub fn limits(&self) -> QueueLimits {
        let number = |name| self.value(name)?.parse().ok();
        let rejects = self.value("x-overflow").is_some_and(|overflow| overflow.starts_with("reject-publish"));
        QueueLimits {
            message_ttl: number("x-message-ttl"),
            expires: number("x-expires"),
            max_length: number("x-max-length").filter(|_| !rejects),
        }
    }

    /// The type of the queue.
    pub fn kind(&self) -> QueueKind {
        match self.value("x-queue-type") {
            None | Some("classic") => QueueKind::Classic,
            Some(kind) => QueueKind::named(kind),
        }
    }

    #[cfg(test)]
    pub fn with(arguments: &[(&str, &str)]) -> Self {
        let argument = |value: &str| Argument { value: value.to_owned(), is_text: true };
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), argument(value)));
        Self { arguments: arguments.collect() }
    }
}

/// The types of queues that differ for consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// On one node, unless it is mirrored.
    Classic,
    /// Replicated.
    Quorum,
    /// A log.
    Stream,
    /// A plugin's type, or unknown.
    Other,
}

impl QueueKind {
    fn named(name: &str) -> Self {
        match name {
            "classic" | "rabbit_classic_queue" => Self::Classic,
            "quorum" | "rabbit_quorum_queue" => Self::Quorum,
            "stream" | "rabbit_stream_queue" => Self::Stream,
            _ => Self::Other,
        }
    }

    /// Asks the broker, with the permission to read only: it refuses a consumer with a stream offset, and names the type of the
    /// queue. A stream accepts that consumer.
    pub(super) async fn of(connection: &Connection, queue: &str) -> Result<Self, AmqpError> {
        let channel = connection.create_channel().await?;
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        let mut offset = FieldTable::default();
        offset.insert("x-stream-offset".into(), AMQPValue::LongString("next".into()));
        let options = BasicConsumeOptions::default();
        let asked = channel.basic_consume(queue.into(), "dead-letter-asks".into(), options, offset).await;
        match asked.map_err(AmqpError::from) {
            Ok(_) => {
                channel.close(200, "bye".into()).await?;
                Ok(Self::Stream)
            }
            Err(AmqpError::Refused { code: 406, text }) => {
                Ok(text.rsplit_once(" of queue type ").map_or(Self::Other, |(_, kind)| Self::named(kind)))
            }
            Err(AmqpError::Refused { .. }) => Ok(Self::Other),
            Err(error) => Err(error),
        }
    }
}

/// The current value of an argument, from a refusal.
pub(super) fn current(refusal: &str, argument: &str) -> Option<String> {
    differing(refusal).filter(|(name, _)| name == argument).and_then(|(_, current)| Some(current?.value))
}

/// The argument that a refusal is about, and its current value, if it has one.
fn differing(refusal: &str) -> Option<(String, Option<Argument>)> {
    let (_, rest) = refusal.split_once("inequivalent arg '")?;
    let (name, rest) = rest.split_once('\'')?;
    let (_, current) = rest.rsplit_once(" but current is ")?;
    let argument = match current.strip_prefix("the value ") {
        Some(current) => {
            let (value, kind) = current.rsplit_once(" of type ")?;
            Some((value, kind == "'longstr'"))
        }
        None if current == "none" => None,
        None => Some((current, true)),
    };
    let unquoted = |text: &str| text.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
    let argument = match argument {
        Some((value, is_text)) => Some(Argument { value: unquoted(value)?, is_text }),
        None => None,
    };
    Some((name.to_owned(), argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let refusal = |about: &str, current: &str| {
            format!(
                "PRECONDITION_FAILED - inequivalent arg '{about}' for queue 'it's' in vhost '/': received none but \
                 current is {current}"
            )
        };
        let read = |about, current| differing(&refusal(about, current));
        let argument = |value: &str, is_text| Some(Argument { value: value.to_owned(), is_text });
        let limit = read("x-delivery-limit", "the value '5' of type 'signedint'");
        assert_eq!(limit, Some(("x-delivery-limit".into(), argument("5", false))));
        let kind = read("x-queue-type", "the value 'quorum' of type 'longstr'");
        assert_eq!(kind, Some(("x-queue-type".into(), argument("quorum", true))));
        assert_eq!(read("durable", "'false'"), Some(("durable".into(), argument("false", true))));
        assert_eq!(read(UNMATCHABLE.0, "none"), Some((UNMATCHABLE.0.into(), None)));
        assert_eq!(differing("PRECONDITION_FAILED - in other words"), None);
    }
}
