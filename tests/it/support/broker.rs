//! The broker as producers and consumers use it.

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions,
    BasicQosOptions, BasicRejectOptions, ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use tokio::time::timeout;

use super::raw::RawClient;
use super::vhost::serving_url;
use super::{DEADLINE, DeadMessage, clean_up, id, text, until, watchdog};

/// A connection to the broker.
pub struct Broker {
    pub url: String,
    pub connection: Connection,
    pub channel: Channel,
    version: (u32, u32),
}

/// A queue that is deleted with the value.
pub struct TestQueue {
    pub name: String,
    url: String,
}

impl Broker {
    /// The URL of the shared one.
    pub fn shared_url() -> String {
        std::env::var("AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into())
    }

    /// The one that most tests share.
    pub async fn shared() -> Self {
        Self::on(&Self::shared_url()).await
    }

    /// With what rights the service is to connect to it.
    pub fn served_url(&self) -> String {
        if self.url == Self::shared_url() { serving_url().to_owned() } else { self.url.clone() }
    }

    /// The one of this URL.
    pub async fn on(url: &str) -> Self {
        watchdog::alive();
        let connecting = Connection::connect(url, ConnectionProperties::default());
        let connection = timeout(DEADLINE, connecting).await.expect("the broker answers");
        let connection = connection.expect("AMQP_URL leads to a broker: try make test");
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let version = RawClient::connect(url).await.unwrap().broker;
        Self { url: url.to_owned(), connection, channel, version }
    }

    /// The first number of its version.
    pub fn major(&self) -> u32 {
        self.version().0
    }

    /// The first two numbers of its version.
    pub const fn version(&self) -> (u32, u32) {
        self.version
    }

    /// A client of the same broker that sends and receives any bytes.
    pub async fn raw(&self) -> RawClient {
        RawClient::connect(&self.url).await.unwrap()
    }

    /// A queue with an exchange of the same name that leads to it. By default it is a quorum queue without a delivery limit.
    pub async fn declare_source(&self, arguments: &[(&str, AMQPValue)]) -> TestQueue {
        let mut arguments = arguments.to_vec();
        let has = |argument: &str| arguments.iter().any(|(name, _)| *name == argument);
        if self.major() >= 4 && !has("x-delivery-limit") && !has("x-queue-type") {
            arguments.push(("x-delivery-limit", AMQPValue::LongInt(-1)));
        }
        let queue = self.declare_queue(&format!("dl-{}", id()), &arguments).await;
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let channel = &self.channel;
        let (name, none) = (queue.name.as_str(), FieldTable::default);
        channel.exchange_declare(name.into(), ExchangeKind::Fanout, options, none()).await.unwrap();
        channel
            .queue_bind(name.into(), name.into(), "".into(), QueueBindOptions::default(), none())
            .await
            .unwrap();
        queue
    }

    /// A quorum queue whose rejected messages go to this dead-letter exchange, at least once.
    pub async fn declare_work_queue(&self, name: &str, dead_letter_exchange: &str) -> TestQueue {
        let arguments = [
            ("x-dead-letter-exchange", text(dead_letter_exchange)),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ];
        self.declare_queue(name, &arguments).await
    }

    /// A quorum queue.
    pub async fn declare_queue(&self, name: &str, arguments: &[(&str, AMQPValue)]) -> TestQueue {
        let mut table = FieldTable::default();
        table.insert("x-queue-type".into(), text("quorum"));
        for (key, value) in arguments {
            table.insert((*key).into(), value.clone());
        }
        self.channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await.unwrap();
        TestQueue { name: name.to_owned(), url: self.url.clone() }
    }

    pub async fn delete_queue(&self, name: &str) {
        self.channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// Publishes, and says whether it was confirmed and routed.
    pub async fn try_publish(&self, exchange: &str, key: &str, message: &DeadMessage) -> bool {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = message.with_headers();
        let publishing =
            self.channel.basic_publish(exchange.into(), key.into(), options, &message.body, properties);
        publishing.await.unwrap().await.unwrap() == Confirmation::Ack(None)
    }

    /// Publishes, confirmed and routed.
    pub async fn publish(&self, exchange: &str, key: &str, message: &DeadMessage) {
        assert!(self.try_publish(exchange, key, message).await, "confirmed and routed");
    }

    /// Publishes them all before it waits for the confirms.
    pub async fn publish_all(&self, exchange: &str, messages: impl IntoIterator<Item = DeadMessage>) {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut confirms = Vec::new();
        for message in messages {
            let properties = message.with_headers();
            let publishing = self.channel.basic_publish(
                exchange.into(),
                "dead".into(),
                options,
                &message.body,
                properties,
            );
            confirms.push(publishing.await.unwrap());
        }
        for confirm in confirms {
            assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));
        }
    }

    /// Takes a message off a queue once there is one.
    pub async fn take(&self, queue: &str) -> Delivery {
        until("a message in the queue", || async {
            let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap();
            got.map(|got| got.delivery)
        })
        .await
    }

    /// Rejects the next message of a queue, as a consumer that fails.
    pub async fn reject_next(&self, queue: &str) {
        let delivery = until("a message in the queue", || async {
            let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await.unwrap();
            got.map(|got| got.delivery)
        })
        .await;
        delivery.acker.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    }

    /// Takes and acknowledges everything that comes until so many messages were taken.
    pub async fn drain(&self, queue: &str, count: usize) -> Vec<Delivery> {
        let mut taken = Vec::new();
        self.consume(queue, count, async |delivery| {
            delivery.acker.ack(BasicAckOptions::default()).await.unwrap();
            taken.push(delivery);
        })
        .await;
        taken
    }

    /// Rejects everything that comes until so many messages were rejected, as a service that is broken.
    pub async fn reject(&self, queue: &str, count: usize) {
        self.consume(queue, count, async |delivery| {
            delivery.acker.reject(BasicRejectOptions { requeue: false }).await.unwrap();
        })
        .await;
    }

    /// Handles everything that comes until so many messages were handled.
    pub async fn consume(&self, queue: &str, count: usize, mut handle: impl AsyncFnMut(Delivery)) {
        let channel = self.connection.create_channel().await.unwrap();
        channel.basic_qos(500, BasicQosOptions::default()).await.unwrap();
        let tag = id();
        let consuming = channel.basic_consume(
            queue.into(),
            tag.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = consuming.await.unwrap();
        for taken in 0..count {
            let next = timeout(DEADLINE, consumer.next()).await;
            let delivery = next.unwrap_or_else(|_| panic!("{taken} of {count} messages came"));
            handle(delivery.unwrap().unwrap()).await;
        }
        channel.basic_cancel(tag.as_str().into(), BasicCancelOptions::default()).await.unwrap();
    }

    /// Messages that are ready in a queue.
    pub async fn depth(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        declared.unwrap().message_count()
    }

    /// Waits until a queue holds nothing. Messages that are out for delivery do not count as ready: only when the service
    /// has none in hand either is it empty, which its tests see to by waiting for what they published.
    pub async fn until_empty(&self, queue: &str) {
        super::until_eq("messages ready in the queue", 0, || self.depth(queue)).await;
    }
}

impl Drop for TestQueue {
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.name.clone());
        clean_up(async move {
            if let Ok(connection) = Connection::connect(&url, ConnectionProperties::default()).await
                && let Ok(channel) = connection.create_channel().await
            {
                let _ = channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await;
                let _ = channel.exchange_delete(name.as_str().into(), ExchangeDeleteOptions::default()).await;
                let _ = connection.close(200, "bye".into()).await;
            }
        });
    }
}
