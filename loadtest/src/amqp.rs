//! Connections to the broker, and the few names and arguments that everything here shares.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::{Stream, StreamExt};
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ConnectionProperties, Event, ExchangeKind};
use tokio::time::Instant;

/// The exchange that dead letters go to, and the queue that dead-letter consumes, unless configured otherwise.
pub const DEAD_LETTER: &str = "dead-letter";

/// Where the broker is looked for when nobody says otherwise.
pub const DEFAULT_URI: &str = "amqp://guest:guest@127.0.0.1:5672/%2f";

/// A broker that answers at all answers sooner than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A queue that nobody consumes shows all that was confirmed within a moment.
const DEPTH_WITHIN: Duration = Duration::from_secs(20);

/// Connects; `name` is what the broker's own tools show. There is no automatic recovery: who must survive an outage
/// connects again, and knows then what was lost with the old connection.
pub async fn connect(uri: &str, name: &str) -> Result<Connection> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    match tokio::time::timeout(CONNECT_TIMEOUT, Connection::connect(uri, properties)).await {
        // The error says what its source says, so the source is not needed.
        Ok(connection) => connection.map_err(|error| anyhow!("no connection to {}: {error}", redact(uri))),
        Err(_) => bail!("no answer from the broker at {}", redact(uri)),
    }
}

/// Ends a connection politely, but waits for a broker that is gone no longer than a moment.
pub async fn close(connection: &Connection) {
    let goodbye = connection.close(200, ShortString::from("bye"));
    // An error here says that the connection is closed already.
    let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
}

/// Whether an exchange exists. Uses a channel of its own, since asking for a missing one closes the channel.
pub async fn exchange_exists(connection: &Connection, name: &str) -> Result<bool> {
    if name.is_empty() {
        return Ok(true);
    }
    let channel = connection.create_channel().await?;
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let asked =
        channel.exchange_declare(short(name)?, ExchangeKind::Topic, options, FieldTable::default()).await;
    match asked {
        Ok(()) => Ok(true),
        Err(error) if error.is_amqp_soft_error() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The number of messages that wait in a queue, not counting those that a consumer holds unacknowledged.
pub async fn depth(channel: &Channel, queue: &str) -> Result<u32> {
    let options = QueueDeclareOptions::default().passive();
    let queue = channel.queue_declare(short(queue)?, options, FieldTable::default()).await?;
    Ok(queue.message_count())
}

/// Waits until so many messages are in a queue that nobody consumes. The count of a quorum queue is a moment old.
pub async fn until_depth(channel: &Channel, queue: &str, wanted: u64) -> Result<()> {
    let deadline = Instant::now() + DEPTH_WITHIN;
    loop {
        let depth = u64::from(depth(channel, queue).await?);
        if depth == wanted {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the queue `{queue}` holds {depth} messages instead of {wanted}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The arguments of a queue that loses no dead letter: a quorum queue whose dead letters are confirmed by where they
/// go before they leave. `reject-publish` is not a wish: without it the broker silently falls back to at-most-once.
pub fn source_queue_arguments() -> FieldTable {
    let mut arguments = FieldTable::default();
    for (key, value) in [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", DEAD_LETTER),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(key.into(), text(value));
    }
    arguments
}

/// Tells on stderr when the broker stops reading from us (a memory or disk alarm), and when it reads again.
pub async fn report_blocking(mut events: impl Stream<Item = Event> + Unpin) {
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(reason) => eprintln!("the broker blocks publishing: {reason}"),
            Event::ConnectionUnblocked => eprintln!("the broker lets us publish again"),
            _ => {}
        }
    }
}

/// A header or argument of type long string, the only type of text that RabbitMQ has.
pub fn text(value: impl Into<String>) -> AMQPValue {
    AMQPValue::LongString(value.into().into())
}

/// A name for the wire; the protocol allows 255 bytes.
pub fn short(value: &str) -> Result<ShortString> {
    ShortString::try_new(value).with_context(|| format!("too long a name for AMQP: {value}"))
}

/// The address without its password.
fn redact(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}"),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redact("amqp://guest:s3cret@localhost:5672/%2f"), "amqp://localhost:5672/%2f");
        assert_eq!(redact("amqp://localhost"), "amqp://localhost");
    }
}
