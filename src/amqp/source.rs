//! A dead-letter queue that is consumed.

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

/// Which queue to consume, and whether it is ours to declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceQueue {
    /// The queue.
    pub queue: String,
    /// The exchange that we declare together with the queue; `None` where neither is ours.
    pub exchange: Option<String>,
}

/// A message with the tag to acknowledge it by.
#[derive(Debug)]
pub struct Arrival {
    /// The delivery tag: 1, 2, 3 and so on, for the life of a channel.
    pub tag: u64,
    /// The message.
    pub received: Received,
}

/// A connection and a channel of its own on which one queue is consumed.
#[derive(Debug)]
pub struct Source {
    connection: Connection,
    channel: Channel,
    /// For requests that may fail, and would take the consumer with them.
    rpc_channel: Channel,
    queue: String,
    consumer: Option<Consumer>,
    consumers: u64,
    /// The last delivery tag that came.
    last_tag: u64,
}

impl Source {
    /// Connects, and makes sure that the queue is there.
    pub async fn open(broker: &Broker, source: &SourceQueue) -> Result<Self, AmqpError> {
        let connection = broker.connect(&format!("source {}", source.queue)).await?;
        answer(ensure(&connection, source)).await.map_err(with_rights)?;
        let channel = answer(async { Ok(connection.create_channel().await?) }).await?;
        let rpc_channel = answer(async { Ok(connection.create_channel().await?) }).await?;
        let queue = source.queue.clone();
        Ok(Self { connection, channel, rpc_channel, queue, consumer: None, consumers: 0, last_tag: 0 })
    }

    /// Consumes, with at most `prefetch` messages that are not acknowledged.
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

    /// Whether messages may still come.
    pub fn is_consuming(&self) -> bool {
        self.consumer.is_some()
    }

    /// The next message. `None` once a cancelled consumer has given all it had; waits for ever where there is none. An
    /// error where one was left out: nothing after it could ever be acknowledged.
    pub async fn next(&mut self) -> Option<Result<Arrival, AmqpError>> {
        let Some(consumer) = self.consumer.as_mut() else { return std::future::pending().await };
        let next = consumer.next().await;
        if next.is_none() {
            self.consumer = None;
        }
        Some(next?.map_err(AmqpError::from).and_then(|delivery| self.arrival(delivery)))
    }

    /// The client library drops what comes for a consumer that it does not know, which one is that the broker has cancelled.
    fn arrival(&mut self, delivery: Delivery) -> Result<Arrival, AmqpError> {
        let tag = delivery.delivery_tag;
        let expected = self.last_tag + 1;
        if tag != expected {
            return Err(AmqpError::Unavailable(format!("delivery {tag} came where {expected} was due")));
        }
        let properties = self.connection.properties(&delivery.properties);
        let properties = properties
            .ok_or_else(|| AmqpError::Unavailable(format!("delivery {tag} came without properties")))?;
        self.last_tag = tag;
        Ok(Arrival { tag, received: Received::of(delivery, properties) })
    }

    /// Asks the broker for no more; what it has sent already still comes out of [`Self::next`], which then ends.
    pub async fn cancel(&mut self) -> Result<(), AmqpError> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let (channel, tag) = (&self.channel, consumer.tag());
        answer(async { Ok(channel.basic_cancel(tag, BasicCancelOptions::default()).await?) }).await
    }

    /// Acknowledges every message up to this tag. An error means that they will come again.
    pub async fn ack_up_to(&self, tag: u64) -> Result<(), AmqpError> {
        answer(async { Ok(self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?) }).await
    }

    /// Takes one more message, if there is any, without a consumer. The queue answers after it has noted every acknowledgement from
    /// before. That is worth knowing before an end: a channel of `RabbitMQ` that has 32 commands on their way to a quorum queue
    /// (`quorum_commands_soft_limit`) keeps further acknowledgements to itself, and forgets them as it is closed (its issue 10327).
    pub async fn get(&mut self) -> Result<Option<Arrival>, AmqpError> {
        let (channel, queue) = (&self.channel, self.queue.as_str());
        let got =
            answer(async { Ok(channel.basic_get(queue.into(), BasicGetOptions::default()).await?) }).await?;
        got.map(|message| self.arrival(message.delivery)).transpose()
    }

    /// What the broker says that it is, such as `RabbitMQ 4.0.5`.
    pub fn broker_version(&self) -> String {
        version::of(&self.connection)
    }

    /// How the broker would lose messages of this queue, as it was declared. `None` where the broker does not tell. A queue that
    /// cannot be a source is refused.
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

    /// The name of the cluster at the other end, where it tells.
    pub fn cluster(&self) -> Option<String> {
        version::text(self.connection.server(), "cluster_name")
    }

    /// To look at the queue while it is consumed.
    pub fn probe(&self) -> QueueProbe {
        QueueProbe { channel: self.rpc_channel.clone(), queue: self.queue.clone() }
    }

    /// Closes the connection: what is not acknowledged goes back to the queue.
    pub async fn close(self) {
        close(self.connection).await;
    }
}

/// Looks at a queue, on a channel of its own.
#[derive(Clone, Debug)]
pub struct QueueProbe {
    channel: Channel,
    queue: String,
}

impl QueueProbe {
    /// How many messages wait in the queue, those that are out for delivery not counted.
    pub async fn depth(&self) -> Result<u32, AmqpError> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = answer(async {
            Ok(self.channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default()).await?)
        })
        .await?;
        Ok(queue.message_count())
    }
}

/// Names the rights that are needed, where one is missing.
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

/// Types of exchanges that pass every message to a queue that is bound with the key `#` and no arguments.
const TAKES_ALL: [&str; 3] = ["topic", "fanout", "headers"];

/// Looks for the queue, and declares it with its exchange where it is ours and absent. One that is there stays as it is,
/// whatever its arguments: those are policy, and a declaration with others would fail.
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
        // Somebody else declared it at the same moment.
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
        // There is one that is not as ours would be.
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
