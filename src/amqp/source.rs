//! Consumes a dead-letter queue.

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicQosOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer, ExchangeKind};

use super::connection::{answer, close};
use super::loss_risks::{self, LossRisk};
use super::settings::{QueueKind, QueueSettings, current};
use super::transport::Connection;
use super::version::{self, DeliveryLimits};
use super::{AmqpError, Broker, Received};

/// The queue to consume, and whether to declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceQueue {
    /// The queue.
    pub queue: String,
    /// The exchange to declare together with the queue. `None` if neither is to be declared.
    pub exchange: Option<String>,
}

/// A message with the tag to acknowledge it by.
#[derive(Debug)]
pub struct Arrival {
    /// The delivery tag: 1, 2, 3 and so on in each channel.
    pub tag: u64,
    /// The message.
    pub received: Received,
}

/// A connection and a channel on which one queue is consumed.
#[derive(Debug)]
pub struct Source {
    connection: Connection,
    channel: Channel,
    /// For requests that may fail: an error closes the channel, and the consumers on it.
    rpc_channel: Channel,
    queue: String,
    consumer: Option<Consumer>,
    consumers: u64,
}

impl Source {
    /// Connects, and checks or declares the queue.
    pub async fn open(broker: &Broker, source: &SourceQueue) -> Result<Self, AmqpError> {
        let connection = broker.connect(&format!("source {}", source.queue)).await?;
        answer(ensure(&connection, source)).await.map_err(with_rights)?;
        let channel = answer(async { Ok(connection.create_channel().await?) }).await?;
        let rpc_channel = answer(async { Ok(connection.create_channel().await?) }).await?;
        let queue = source.queue.clone();
        Ok(Self { connection, channel, rpc_channel, queue, consumer: None, consumers: 0 })
    }

    /// Begins to consume, with at most `prefetch` unacknowledged messages.
    pub async fn consume(&mut self, prefetch: u16) -> Result<(), AmqpError> {
        self.consumers += 1;
        let tag = format!("dead-letter-{}", self.consumers);
        let (channel, queue) = (&self.channel, self.queue.as_str());
        let consumer = answer(async {
            channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            let options = BasicConsumeOptions::default();
            Ok(channel.basic_consume(queue.into(), tag.into(), options, FieldTable::default()).await?)
        })
        .await
        .map_err(with_rights)?;
        self.consumer = Some(consumer);
        Ok(())
    }

    /// Whether messages may still arrive.
    pub fn is_consuming(&self) -> bool {
        self.consumer.is_some()
    }

    /// The next message. `None` after the last message of a cancelled consumer. Pending forever without a consumer.
    pub async fn next(&mut self) -> Option<Result<Arrival, AmqpError>> {
        let Some(consumer) = self.consumer.as_mut() else { return std::future::pending().await };
        let next = consumer.next().await;
        if next.is_none() {
            self.consumer = None;
        }
        Some(next?.map_err(AmqpError::from).and_then(|delivery| self.arrival(delivery)))
    }

    fn arrival(&self, delivery: Delivery) -> Result<Arrival, AmqpError> {
        let tag = delivery.delivery_tag;
        let properties = self.connection.properties(&delivery.properties);
        let properties = properties
            .ok_or_else(|| AmqpError::Unavailable(format!("delivery {tag} came without properties")))?;
        Ok(Arrival { tag, received: Received::of(delivery, properties) })
    }

    /// Cancels the consumer. [`Self::next`] still yields the messages that were already sent, and then ends.
    pub async fn cancel(&mut self) -> Result<(), AmqpError> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let (channel, tag) = (&self.channel, consumer.tag());
        answer(async { Ok(channel.basic_cancel(tag, BasicCancelOptions::default()).await?) }).await
    }

    /// Acknowledges every message up to this tag. After an error they are delivered again.
    pub async fn ack_up_to(&self, tag: u64) -> Result<(), AmqpError> {
        answer(async { Ok(self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?) }).await
    }

    /// Fetches one more message without a consumer, if there is any. The queue answers only after it has processed all earlier
    /// acknowledgements. Before a close this is necessary: a channel of `RabbitMQ` with 32 commands on their way to a quorum
    /// queue (`quorum_commands_soft_limit`) delays further acknowledgements, and drops them when it is closed (RabbitMQ issue
    /// 10327).
    pub async fn get(&self) -> Result<Option<Arrival>, AmqpError> {
        let (channel, queue) = (&self.channel, self.queue.as_str());
        let got =
            answer(async { Ok(channel.basic_get(queue.into(), BasicGetOptions::default()).await?) }).await?;
        got.map(|message| self.arrival(message.delivery)).transpose()
    }

    /// Product and version of the broker, such as `RabbitMQ 4.0.5`.
    pub fn broker_version(&self) -> String {
        version::of(&self.connection)
    }

    /// How the broker may lose messages of this queue, from its arguments. `None` if the broker does not reveal them. Fails for a
    /// queue that cannot be a source.
    pub async fn loss_risks(&self) -> Result<Option<Vec<LossRisk>>, AmqpError> {
        let limits = DeliveryLimits::of(&self.connection);
        let Ok(settings) = answer(QueueSettings::of(&self.connection, &self.queue)).await else {
            return Ok(None);
        };
        let kind = match &settings {
            Some(settings) => settings.kind(),
            None => answer(QueueKind::of(&self.connection, &self.queue)).await?,
        };
        if kind == QueueKind::Stream {
            return Err(AmqpError::Unsuitable(format!(
                "the queue {} is a stream, which would not give what was published while nobody consumed it: \
                 name a quorum queue as the source",
                self.queue
            )));
        }
        Ok(Some(
            settings.map_or_else(
                || loss_risks::unseen(kind, limits),
                |settings| loss_risks::of(&settings, limits),
            ),
        ))
    }

    /// The name of the cluster, if the broker reveals it.
    pub fn cluster(&self) -> Option<String> {
        version::text(self.connection.server(), "cluster_name")
    }

    /// Inspects the queue while it is consumed.
    pub fn probe(&self) -> QueueProbe {
        QueueProbe { channel: self.rpc_channel.clone(), queue: self.queue.clone() }
    }

    /// Closes the connection. Unacknowledged messages return to the queue.
    pub async fn close(self) {
        close(self.connection).await;
    }
}

/// Inspects a queue on a separate channel.
#[derive(Clone, Debug)]
pub struct QueueProbe {
    channel: Channel,
    queue: String,
}

impl QueueProbe {
    /// Number of ready messages. Unacknowledged ones are not counted.
    pub async fn depth(&self) -> Result<u32, AmqpError> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = answer(async {
            Ok(self.channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default()).await?)
        })
        .await?;
        Ok(queue.message_count())
    }
}

/// Adds the required permissions to a permission error.
fn with_rights(error: AmqpError) -> AmqpError {
    match error {
        AmqpError::Refused { code: 403, text } => AmqpError::Refused {
            code: 403,
            text: format!(
                "{text}: dead-letter needs the right to read its sources (RabbitMQ 4.2.6 and 4.3.0 also want the right to \
                 configure them), and to configure, write and read the queue and the exchange that it declares"
            ),
        },
        other => other,
    }
}

/// Exchange types that route every message to a queue bound with the key `#` and no arguments.
const TAKES_ALL: [&str; 3] = ["topic", "fanout", "headers"];

/// Checks the queue. Declares it with its exchange if it is absent and the exchange is given. An existing queue is left as it is:
/// its arguments are policy, and a declaration with other arguments would fail.
async fn ensure(connection: &Connection, source: &SourceQueue) -> Result<(), AmqpError> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = source.queue.as_str();
    let channel = connection.create_channel().await?;
    let found =
        channel.queue_declare(queue.into(), passive, FieldTable::default()).await.map_err(AmqpError::from);
    let Some(exchange) = source.exchange.as_deref() else { return found.map(drop) };
    match found {
        Ok(_) => {}
        Err(error) if error.is_not_found() => declare_queue(connection, queue).await?,
        Err(error) => return Err(error),
    }
    declare_exchange(connection, exchange).await?;
    let channel = connection.create_channel().await?;
    let options = QueueBindOptions::default();
    Ok(channel.queue_bind(queue.into(), exchange.into(), "#".into(), options, FieldTable::default()).await?)
}

async fn declare_queue(connection: &Connection, queue: &str) -> Result<(), AmqpError> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    if DeliveryLimits::of(connection) == DeliveryLimits::ByDefault {
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(-1));
    }
    let channel = connection.create_channel().await?;
    let declared = channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await;
    match declared.map_err(AmqpError::from) {
        // Another replica declared it at the same moment.
        Err(error) if error.is_precondition_failed() => Ok(()),
        other => other.map(drop),
    }
}

async fn declare_exchange(connection: &Connection, exchange: &str) -> Result<(), AmqpError> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let channel = connection.create_channel().await?;
    let declared = channel
        .exchange_declare(exchange.into(), ExchangeKind::Topic, options, FieldTable::default())
        .await
        .map_err(AmqpError::from);
    match declared {
        // It exists with other properties.
        Err(AmqpError::Refused { code: 406, text }) => match current(&text, "type") {
            Some(kind) if !TAKES_ALL.contains(&kind.as_str()) => Err(AmqpError::Unsuitable(format!(
                "the exchange {exchange} is of type {kind}, and would drop messages instead of passing all of them to the \
                 queue: delete it, and dead-letter declares a topic exchange; or bind a queue of your own to it as it \
                 needs, and name that in DEAD_LETTER_SOURCES"
            ))),
            _ => Ok(()),
        },
        other => other,
    }
}
