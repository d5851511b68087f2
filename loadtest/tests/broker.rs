//! Against a real broker: what is published arrives whole, and looks as the broker's own dead letters do.
//!
//! `AMQP_URL` says which broker; every test has an exchange and queues of its own, and takes them away again.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicRejectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};
use loadtest::amqp;
use loadtest::letters::Letters;
use loadtest::produce::{self, Outcome, ProduceArgs};
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    produce: ProduceArgs,
}

fn url() -> String {
    std::env::var("AMQP_URL").unwrap_or_else(|_| amqp::DEFAULT_URI.to_owned())
}

/// An exchange, and queues that get everything from it.
struct Broker {
    name: String,
    connection: Connection,
    channel: Channel,
}

impl Broker {
    async fn new() -> Result<Self> {
        let connection = amqp::connect(&url(), "loadtest tests").await?;
        let channel = connection.create_channel().await?;
        let broker = Self { name: format!("loadtest-{}", uuid::Uuid::new_v4()), connection, channel };
        let name = broker.name.as_str().into();
        let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
        broker.channel.exchange_declare(name, ExchangeKind::Topic, options, FieldTable::default()).await?;
        Ok(broker)
    }

    /// A quorum queue, as those that lose nothing are, with further arguments.
    async fn queue(&self, suffix: &str, mut arguments: FieldTable) -> Result<String> {
        let queue = format!("{}-{suffix}", self.name);
        arguments.insert("x-queue-type".into(), amqp::text("quorum"));
        // A test that fails cleans nothing up.
        arguments.insert("x-expires".into(), AMQPValue::LongInt(60_000));
        let name = || queue.as_str().into();
        self.channel.queue_declare(name(), QueueDeclareOptions::durable(), arguments).await?;
        Ok(queue)
    }

    async fn bind(&self, queue: &str) -> Result<()> {
        let (exchange, options) = (self.name.as_str().into(), QueueBindOptions::default());
        self.channel.queue_bind(queue.into(), exchange, "#".into(), options, FieldTable::default()).await?;
        Ok(())
    }

    /// Runs `loadtest produce` with these flags and this exchange.
    async fn produce(&self, flags: &[&str]) -> Result<(Outcome, Letters)> {
        let uri = url();
        let args =
            ["produce", "--uri", &uri, "--exchange", &self.name].into_iter().chain(flags.iter().copied());
        let args = Cli::try_parse_from(args)?.produce;
        let letters = args.letters();
        let outcome = produce::run(&args, &letters, None, &CancellationToken::new()).await?;
        Ok((outcome, letters))
    }

    /// The next message of a queue, for which it waits a while.
    async fn get(&self, queue: &str) -> Result<BasicGetMessage> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if let Some(mut message) =
                self.channel.basic_get(queue.into(), BasicGetOptions::default()).await?
            {
                message.delivery.properties = without_delivery_count(&message.properties);
                return Ok(message);
            }
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("nothing came to {queue}")
    }

    async fn clean_up(self, queues: &[&str]) -> Result<()> {
        for queue in queues {
            self.channel.queue_delete((*queue).into(), QueueDeleteOptions::default()).await?;
        }
        let exchange = self.name.as_str().into();
        self.channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await?;
        amqp::close(&self.connection).await;
        Ok(())
    }
}

#[tokio::test]
async fn a_thousand_messages_arrive_whole() -> Result<()> {
    let broker = Broker::new().await?;
    let queue = broker.queue("all", FieldTable::default()).await?;
    broker.bind(&queue).await?;

    let (outcome, letters) = broker.produce(&["--rate", "5000", "--count", "1000", "--seed", "42"]).await?;
    outcome.verdict()?;
    assert_eq!((outcome.counts.published, outcome.counts.confirmed), (1000, 1000));

    let index_of: HashMap<_, _> =
        (0..1000).map(|index| (letters.letter(index, 0).message_id.expect("an id"), index)).collect();
    assert_eq!(index_of.len(), 1000);
    for _ in 0..1000 {
        let message = broker.get(&queue).await?;
        let id = message.properties.message_id().as_ref().context("no message id")?.to_string();
        let time = message.properties.timestamp().context("no timestamp")?;
        let expected = letters.letter(index_of[&id], time);
        // Headers and all: `x-death` too is as it was sent, every type included.
        assert_eq!(message.properties, expected.properties);
        assert_eq!(message.data, expected.body);
        assert_eq!(message.routing_key.as_str(), expected.routing_key);
        message.ack(BasicAckOptions::default()).await?;
    }
    assert_eq!(amqp::depth(&broker.channel, &queue).await?, 0);
    broker.clean_up(&[&queue]).await
}

/// The headers that the broker itself writes, and ours, have the same members of the same types.
#[tokio::test]
async fn ours_look_like_the_brokers_own() -> Result<()> {
    let broker = Broker::new().await?;
    let graves = broker.queue("graves", FieldTable::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), amqp::text(""));
    arguments.insert("x-dead-letter-routing-key".into(), amqp::text(graves.as_str()));
    let source = broker.queue("source", arguments).await?;
    broker.bind(&source).await?;

    let (outcome, _) = broker.produce(&["--live", "--count", "1"]).await?;
    outcome.verdict()?;
    broker.get(&source).await?.reject(BasicRejectOptions { requeue: false }).await?;
    let theirs = broker.get(&graves).await?;
    theirs.ack(BasicAckOptions::default()).await?;
    broker.clean_up(&[&graves, &source]).await?;

    let theirs = theirs.properties.headers().clone().context("no headers")?;
    let ours = Cli::try_parse_from(["produce"])?.produce.letters().letter(0, 1).properties;
    let ours = ours.headers().clone().context("no headers")?;
    for (key, value) in theirs.inner().iter().filter(|(key, _)| key.as_str().starts_with("x-")) {
        let our_value = ours.inner().get(key).with_context(|| format!("we lack {key}"))?;
        assert_eq!(shape(our_value), shape(value), "{key}");
    }
    ensure!(theirs.contains_key("x-death"), "the broker told of no death");
    Ok(())
}

#[tokio::test]
async fn what_goes_nowhere_is_an_error() -> Result<()> {
    let broker = Broker::new().await?;
    for flag in ["--confirm", "--no-confirm"] {
        let (outcome, _) = broker.produce(&["--rate", "5000", "--count", "10", flag]).await?;
        assert_eq!((outcome.counts.returned, outcome.counts.confirmed), (10, 0), "{flag}");
        let error = outcome.verdict().expect_err("nobody has these messages").to_string();
        assert!(error.contains("10 of 10 messages came back"), "{error}");
    }
    broker.clean_up(&[]).await?;

    let missing = ["produce", "--exchange", "there-is-no-such-exchange", "--count", "1", "--uri", &url()];
    let args = Cli::try_parse_from(missing)?.produce;
    let error =
        produce::run(&args, &args.letters(), None, &CancellationToken::new()).await.expect_err("missing");
    assert!(error.to_string().contains("there is no exchange `there-is-no-such-exchange`"), "{error}");
    Ok(())
}

/// A quorum queue adds how often it has delivered the message before: about the queue, not about the death.
fn without_delivery_count(properties: &BasicProperties) -> BasicProperties {
    let mut headers = BTreeMap::new();
    for (key, value) in properties.headers().iter().flatten() {
        if key.as_str() != "x-delivery-count" {
            headers.insert(key.clone(), value.clone());
        }
    }
    properties.clone().with_headers(FieldTable::from(headers))
}

/// Types all the way down, without the values.
fn shape(value: &AMQPValue) -> String {
    match value {
        AMQPValue::FieldArray(array) => {
            format!("[{}]", array.as_slice().iter().map(shape).collect::<Vec<_>>().join(" "))
        }
        AMQPValue::FieldTable(table) => {
            let members = table.into_iter().map(|(key, value)| format!("{key}:{}", shape(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
        }
        other => other.get_type().get_id().to_string(),
    }
}
