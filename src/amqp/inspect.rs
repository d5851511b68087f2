//! Looking at queues and exchanges without touching them.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Connection, ExchangeKind};

use super::connection::{answer, close};
use super::settings::QueueSettings;
use super::{AmqpError, Broker};

/// What a queue looks like at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// Messages that wait in it; those that are out for delivery are not counted.
    pub ready: u32,
    /// Consumers that it has.
    pub consumers: u32,
    /// What its arguments do with messages that nobody takes, where it was asked and the broker tells.
    pub limits: QueueLimits,
}

/// Arguments by which a queue loses messages that nobody takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLimits {
    /// `x-message-ttl`: milliseconds that a message stays.
    pub message_ttl: Option<i64>,
    /// `x-expires`: milliseconds that the queue stays when nobody uses it.
    pub expires: Option<i64>,
    /// `x-max-length`: messages that it holds before it drops the oldest.
    pub max_length: Option<i64>,
}

/// Looks at these queues and exchanges; `None` and `false` for those that do not exist. Of queues without consumers also at their limits.
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

/// On a channel of its own, as the broker closes it if there is none.
pub(super) async fn queue_state(
    connection: &Connection,
    name: &str,
) -> Result<Option<QueueState>, AmqpError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    // What a message claims may be longer than any name: there is no such queue.
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

/// Fails with the broker's words where there is no such exchange.
pub(super) async fn look_for_exchange(connection: &Connection, name: &str) -> Result<(), AmqpError> {
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let too_long = || AmqpError::Refused { code: 404, text: "the name is longer than 255 bytes".into() };
    let short = ShortString::try_new(name).map_err(|_| too_long())?;
    let channel = connection.create_channel().await?;
    let found = channel.exchange_declare(short, ExchangeKind::Direct, options, FieldTable::default()).await;
    match found.map_err(AmqpError::from) {
        // RabbitMQ 4 closes the connection when the name of an exchange that does not exist makes its words so long that it has to cut
        // them, and that falls within a character.
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
