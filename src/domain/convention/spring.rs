//! Spring AMQP's `RepublishMessageRecoverer`, and Spring Cloud Stream's `republishToDlq`, which is built on it.
//!
//! The queue is not recorded. Spring Cloud Stream's dead-letter queue bears its name with `.dlq` behind; else the queue is
//! known only where the message had been published to the default exchange.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const STACK: &str = "x-exception-stacktrace";
const MESSAGE: &str = "x-exception-message";
const EXCHANGE: &str = "x-original-exchange";
const ROUTING_KEY: &str = "x-original-routingKey";
/// Spring Cloud Stream counts its own republishing here, and gives up by it.
const RETRY_COUNT: &str = "retry-count";

pub(super) struct Spring;

impl Convention for Spring {
    fn name(&self) -> &'static str {
        "spring"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has(STACK) && !reader.has(MESSAGE) {
            return None;
        }
        read.lies_beside(reader.source.strip_suffix(".dlq").map(str::to_owned));
        read.came_from(Origin {
            queue: None,
            exchange: reader.name(EXCHANGE),
            routing_key: reader.name(ROUTING_KEY),
        });
        let stack = reader.stack(STACK);
        let cause = stack.as_deref().and_then(cause);
        read.failure.error_type = cause.map(|(kind, _)| kind.to_owned());
        read.failure.error_message =
            reader.error_text(MESSAGE).or_else(|| cause.map(|(_, text)| reader::error_text(text)));
        read.failure.error_stack = stack;
        let retries = reader.number(RETRY_COUNT).unwrap_or(0);
        read.deaths = read.deaths.max(retries);
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        reader::is_one_of(name, &[STACK, MESSAGE, EXCHANGE, ROUTING_KEY, RETRY_COUNT])
    }
}

/// Type and text of the innermost cause, by which the listener's wrapping exceptions are seen through.
fn cause(stack: &str) -> Option<(&str, &str)> {
    let line = stack
        .lines()
        .filter_map(|line| line.strip_prefix("Caused by: "))
        .next_back()
        .or(stack.lines().next())?;
    let (kind, text) = line.split_once(": ").unwrap_or((line, ""));
    let is_class = kind.contains('.') && !kind.contains(char::is_whitespace) && kind.len() <= 255;
    is_class.then_some((kind, text))
}
