//! What `dead-letter doctor` asks over AMQP. Nothing is changed, and nothing is consumed.

use super::connection::{answer, close};
use super::inspect::{look_for_exchange, queue_state};
use super::loss_risks::{self, LossRisk};
use super::settings::{QueueKind, QueueSettings};
use super::transport::Connection;
use super::version::{self, DeliveryLimits};
use super::{AmqpError, Broker, SourceQueue};

/// A virtual host, as AMQP shows it.
#[derive(Debug)]
pub struct Examined {
    /// Product and version of the broker, such as `RabbitMQ 4.0.5`.
    pub version: String,
    /// Each source, or why it cannot be looked at.
    pub sources: Vec<Result<SourceState, AmqpError>>,
}

/// A source, as AMQP shows it.
#[derive(Debug)]
pub struct SourceState {
    /// The type of the queue. `None` if the queue does not exist.
    pub kind: Option<QueueKind>,
    /// Whether the exchange that is declared with it exists. True if none is.
    pub has_exchange: bool,
    /// How the broker may lose messages of it, from the arguments.
    pub risks: Vec<LossRisk>,
    /// Whether the broker reveals the arguments.
    pub are_arguments_seen: bool,
}

/// Examines the sources of a virtual host.
pub async fn examine(broker: &Broker, sources: &[&SourceQueue]) -> Result<Examined, AmqpError> {
    let connection = broker.connect("doctor").await?;
    let version = version::of(&connection);
    let mut states = Vec::new();
    for source in sources {
        states.push(state(&connection, source).await);
    }
    close(connection).await;
    Ok(Examined { version, sources: states })
}

async fn state(connection: &Connection, source: &SourceQueue) -> Result<SourceState, AmqpError> {
    let has_exchange = match source.exchange.as_deref() {
        None => true,
        Some(exchange) => match answer(look_for_exchange(connection, exchange)).await {
            Ok(()) => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(error),
        },
    };
    let missing = SourceState { kind: None, has_exchange, risks: Vec::new(), are_arguments_seen: true };
    if queue_state(connection, &source.queue).await?.is_none() {
        return Ok(missing);
    }
    let limits = DeliveryLimits::of(connection);
    let settings = answer(QueueSettings::of(connection, &source.queue)).await?;
    if let Some(settings) = settings {
        let risks = loss_risks::of(&settings, limits);
        return Ok(SourceState { kind: Some(settings.kind()), risks, ..missing });
    }
    let kind = answer(QueueKind::of(connection, &source.queue)).await?;
    Ok(SourceState { kind: Some(kind), are_arguments_seen: false, ..missing })
}
