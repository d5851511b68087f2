//! What the broker tells of a queue's arguments, by refusing.
//!
//! AMQP has no way to ask for them. But `RabbitMQ` refuses to declare a queue that is there with other arguments, and says
//! which one differs first, and what it is; asked again with that one, it names the next. One that we add is valid for no
//! queue: so the last refusal is always due, and a queue that is absent is never made. What policies set stays unseen.

use std::collections::BTreeMap;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};

use super::AmqpError;

/// Valid for no queue, and compared last.
const NEVER: (&str, &str) = ("x-queue-leader-locator", "dead-letter asks");
/// More arguments than there are.
const MOST: usize = 24;

/// How a queue was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueSettings {
    /// By name, as the broker writes them; also `durable` and `auto_delete`, where they are not as usual.
    arguments: BTreeMap<String, Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Argument {
    value: String,
    is_text: bool,
}

impl QueueSettings {
    /// Asks the broker. `None` where it does not tell: without the right to configure the queue, or in words that we do not
    /// know.
    pub async fn of(connection: &Connection, queue: &str) -> Result<Option<Self>, AmqpError> {
        let mut settings = Self::default();
        for _ in 0..MOST {
            let channel = connection.create_channel().await?;
            match settings.declare(&channel, queue).await {
                Err(AmqpError::Refused { code: 406, text }) => match differing(&text) {
                    Some((name, _)) if name == NEVER.0 => return Ok(Some(settings)),
                    Some((name, Some(argument))) if !settings.arguments.contains_key(&name) => {
                        settings.arguments.insert(name, argument);
                    }
                    _ => return Ok(None),
                },
                Err(AmqpError::Refused { .. }) | Ok(()) => return Ok(None),
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
        table.insert(NEVER.0.into(), text(NEVER.1));
        channel.queue_declare(queue.into(), options, table).await?;
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(|argument| argument.value.as_str())
    }

    /// How the broker would lose messages of this queue, in words for whoever runs it.
    pub fn losses(&self) -> Vec<String> {
        let mut losses = Vec::new();
        if self.value("durable") == Some("false") {
            losses.push(
                "it is not durable: a restart of the broker takes it away, and its messages".to_owned(),
            );
        }
        if self.value("auto_delete") == Some("true") {
            losses.push("it is deleted, with its messages, when its last consumer goes".to_owned());
        }
        if self.value("x-expires").is_some() {
            losses.push(
                "x-expires deletes it, with its messages, when it is not consumed for so long".to_owned(),
            );
        }
        let rejects = self.value("x-overflow").is_some_and(|overflow| overflow.starts_with("reject-publish"));
        let limits = [
            ("x-delivery-limit", "that are delivered more often without an acknowledgement"),
            ("x-message-ttl", "that wait for longer"),
            ("x-max-length", "the oldest, when there are more"),
            ("x-max-length-bytes", "the oldest, when they are larger together"),
        ];
        // Where new ones are rejected, none is taken out for their number.
        let taken = limits.iter().filter_map(|(name, which)| {
            let value = self.value(name)?;
            let none_is = value.starts_with('-') || (rejects && name.starts_with("x-max-length"));
            (!none_is).then(|| format!("{name} {value}: messages {which}"))
        });
        let at_least_once = self.value("x-dead-letter-strategy") == Some("at-least-once") && rejects;
        for limit in taken {
            if self.value("x-dead-letter-exchange").is_none() {
                losses.push(format!("{limit}, are dropped, as it has no x-dead-letter-exchange"));
            } else if !at_least_once {
                losses.push(format!(
                    "{limit}, are dead-lettered at most once, as it has not x-dead-letter-strategy at-least-once with \
                     x-overflow reject-publish"
                ));
            }
        }
        losses
    }
}

/// The name of the argument that a refusal is about, and what it is, where there is one.
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

    fn settings(arguments: &[(&str, &str)]) -> QueueSettings {
        let argument = |value: &str| Argument { value: value.to_owned(), is_text: true };
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), argument(value)));
        QueueSettings { arguments: arguments.collect() }
    }

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
        assert_eq!(read(NEVER.0, "none"), Some((NEVER.0.into(), None)));
        assert_eq!(differing("PRECONDITION_FAILED - in other words"), None);
    }

    #[test]
    fn what_would_be_lost_is_said() {
        assert_eq!(settings(&[("x-queue-type", "quorum")]).losses(), Vec::<String>::new());
        assert_eq!(settings(&[("x-delivery-limit", "-1")]).losses(), Vec::<String>::new());
        let dropped = settings(&[("x-delivery-limit", "20")]).losses();
        assert!(
            dropped[0].starts_with("x-delivery-limit 20") && dropped[0].contains("dropped"),
            "{dropped:?}"
        );
        let exchange = ("x-dead-letter-exchange", "parking");
        let once = settings(&[("x-delivery-limit", "20"), exchange]).losses();
        assert!(once[0].contains("at most once"), "{once:?}");
        let safe = [("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish"), exchange];
        assert_eq!(
            settings(&[&safe[..], &[("x-delivery-limit", "20")]].concat()).losses(),
            Vec::<String>::new()
        );
        assert_eq!(
            settings(&[("x-max-length", "9"), ("x-overflow", "reject-publish")]).losses(),
            Vec::<String>::new()
        );
        assert_eq!(
            settings(&[("durable", "false"), ("x-max-length", "9"), ("x-expires", "9")]).losses().len(),
            3
        );
    }
}
