//! Inspects queues and exchanges without changing them.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Connection, ExchangeKind};

use super::connection::{answer, close};
use super::settings::QueueSettings;
use super::{AmqpError, Broker};

/// The state of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// Ready messages. Unacknowledged ones are not counted.
    pub ready: u32,
    /// Number of consumers.
    pub consumers: u32,
    /// Arguments by which it may lose unconsumed messages, if they were requested and the broker reveals them.
    pub limits: QueueLimits,
}

/// Arguments by which a queue may lose unconsumed messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLimits {
    /// `x-message-ttl`: milliseconds that a message stays.
    pub message_ttl: Option<i64>,
    /// `x-expires`: milliseconds that an unused queue stays.
    pub expires: Option<i64>,
    /// `x-max-length`: messages that it keeps before it drops the oldest.
    pub max_length: Option<i64>,
}

/// Inspects queues and exchanges. `None` and `false` for those that do not exist. The limits are read only for queues without
/// consumers.
pub async fn inspect(
    broker: &Broker,
    queues: &[String],
    exchanges: &[String],
) -> Result<(Vec<Option<QueueState>>, Vec<bool>), AmqpError> {
    let connection = broker.connect("inspection").await?;
    let (mut states, mut known) = (Vec::new(), Vec::new());
    for queue in queues {
        let mut state = queue_state(&connection, queue).await?;
        if let Some(state) = state.as_mut().filter(|state| state.consumers == 0)
            && let Some(settings) = answer(QueueSettings::of(&connection, queue)).await?
        {
            state.limits = settings.limits();
        }
        states.push(state);
    }
    for exchange in exchanges {
        known.push(exchange.is_empty() || exists(&connection, exchange).await?);
    }
    close(connection).await;
    Ok((states, known))
}

/// Uses a new channel, because the broker closes it if the queue does not exist.
pub(super) async fn queue_state(
    connection: &Connection,
    name: &str,
) -> Result<Option<QueueState>, AmqpError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    // A message can claim a name that is too long for any queue.
    let Ok(name) = ShortString::try_new(name) else { return Ok(None) };
    let found = answer(async {
        let channel = connection.create_channel().await?;
        let queue = channel.queue_declare(name, options, FieldTable::default()).await?;
        channel.close(200, "bye".into()).await?;
        Ok(QueueState {
            ready: queue.message_count(),
            consumers: queue.consumer_count(),
            limits: QueueLimits::default(),
        })
    });
    or_none(found.await)
}

async fn exists(connection: &Connection, name: &str) -> Result<bool, AmqpError> {
    let found = answer(look_for_exchange(connection, name)).await;
    or_none(found).map(|found| found.is_some())
}

/// Fails with the broker's words if the exchange does not exist.
pub(super) async fn look_for_exchange(connection: &Connection, name: &str) -> Result<(), AmqpError> {
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let too_long = || AmqpError::Refused { code: 404, text: "the name is longer than 255 bytes".into() };
    let short = ShortString::try_new(name).map_err(|_| too_long())?;
    let channel = connection.create_channel().await?;
    let found = channel.exchange_declare(short, ExchangeKind::Direct, options, FieldTable::default()).await;
    match found.map_err(AmqpError::from) {
        // If the name of a missing exchange makes the error text too long, RabbitMQ 4 truncates it. If that splits a character,
        // it closes the connection.
        Err(AmqpError::Refused { code: 541, .. }) if !name.is_ascii() => {
            Err(AmqpError::Refused { code: 404, text: "the broker fails when it is asked for it".into() })
        }
        other => other.map(drop),
    }?;
    Ok(channel.close(200, "bye".into()).await?)
}

fn or_none<T>(found: Result<T, AmqpError>) -> Result<Option<T>, AmqpError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
