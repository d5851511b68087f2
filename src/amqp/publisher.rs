//! Publishing with confirms: what happened to each message is known, or known to be unknown (rule R7).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Event, PublisherConfirm};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connection::{answer, answer_by, close};
use super::inspect::{look_for_exchange, queue_state};
use super::outgoing::{Outgoing, Receipt, Refusal};
use super::returned::{self, Returned};
use super::transport::Connection;
use super::{AmqpError, Broker, lane};
use crate::domain::wire;

/// Class, weight and body size that stand before the properties in a content header, and the frame's own bytes.
const HEADER_OVERHEAD: usize = 12 + 8;
/// How long a broker that has said that it blocks publishers is waited for: it confirms what it had taken before, and no more.
const BLOCKED_PATIENCE: Duration = Duration::from_secs(2);

/// A connection of its own for publishing, so that a broker that blocks publishers does not keep acks back.
#[derive(Debug)]
pub struct Publisher {
    broker: Broker,
    confirm_timeout: Duration,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    channel: Channel,
    /// Whether confirms may still come on the channel that nobody waits for.
    stale: bool,
    blocked: watch::Receiver<Option<String>>,
}

impl Publisher {
    /// Prepares a publisher that takes so long at most for a batch, from connecting to the last confirm.
    pub fn new(broker: Broker, confirm_timeout: Duration) -> Self {
        Self { broker, confirm_timeout, open: None }
    }

    /// Connects, where there is no connection that works.
    ///
    /// A broker that blocks publishers is waited for on the connection that it blocked: what it has not yet read of that one
    /// it takes in when it goes on, so that each further connection would bring a further copy.
    async fn ready(&mut self, deadline: Instant) -> Result<(), AmqpError> {
        let connected = answer_by(deadline, self.connect()).await;
        if connected.as_ref().is_err_and(|error| !matches!(error, AmqpError::Blocked(_))) {
            self.open = None;
        }
        connected
    }

    async fn connect(&mut self) -> Result<(), AmqpError> {
        if self.open.as_ref().is_none_or(|open| !open.connection.status().connected()) {
            let connection = self.broker.connect("publisher").await?;
            let blocked = watch_blocked(&connection);
            let channel = confirm_channel(&connection).await?;
            self.open = Some(Open { connection, channel, stale: false, blocked });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if let Some(reason) = open.is_blocked() {
            return Err(AmqpError::Blocked(reason));
        }
        if open.stale || !open.channel.status().connected() {
            open.channel = confirm_channel(&open.connection).await?;
            open.stale = false;
        }
        Ok(())
    }

    /// Publishes all of them, persistent as their properties say and mandatory, and tells what became of each.
    ///
    /// One that the broker closes the channel for makes the fate of those around it unknown; they are then published
    /// again one by one, so that each gets an answer of its own. Which may deliver some twice, with the same redelivery
    /// id: better than not at all. What does so most often, an exchange that does not exist, is looked for before.
    pub async fn publish(&mut self, messages: &[Outgoing]) -> Vec<Receipt> {
        let deadline = Instant::now() + self.confirm_timeout;
        if let Err(error) = self.ready(deadline).await {
            return vec![Receipt::Unknown(error.to_string()); messages.len()];
        }
        let closed_ways = self.closed_ways(messages, deadline).await;
        // To look may have cost the connection.
        if let Err(error) = self.ready(deadline).await {
            return vec![Receipt::Unknown(error.to_string()); messages.len()];
        }
        let mut receipts = self.publish_window(messages, &closed_ways, deadline).await;
        let closed = self
            .open
            .as_ref()
            .is_some_and(|open| open.connection.status().connected() && !open.channel.status().connected());
        if closed && messages.len() > 1 {
            for (message, receipt) in messages.iter().zip(&mut receipts) {
                if matches!(receipt, Receipt::Unknown(_)) {
                    *receipt = self.publish_alone(message, deadline).await;
                }
            }
        }
        if receipts.iter().any(|receipt| matches!(receipt, Receipt::Unknown(_))) {
            match &mut self.open {
                Some(open) if open.is_blocked().is_some() => open.stale = true,
                // What is still buffered for a connection that is stuck must not go out later.
                open => *open = None,
            }
        }
        receipts
    }

    async fn publish_alone(&mut self, message: &Outgoing, deadline: Instant) -> Receipt {
        if let Err(error) = self.ready(deadline).await {
            return Receipt::Unknown(error.to_string());
        }
        let answer =
            self.publish_window(std::slice::from_ref(message), &HashMap::new(), deadline).await.pop();
        answer.unwrap_or_else(|| Receipt::Unknown("not published".into()))
    }

    /// The exchanges of these messages that do not exist, and the lanes that cannot be opened, with what that means for their messages.
    async fn closed_ways(&self, messages: &[Outgoing], deadline: Instant) -> HashMap<String, Receipt> {
        let mut closed = HashMap::new();
        let Some(open) = &self.open else { return closed };
        let ways: BTreeSet<_> =
            messages.iter().map(|message| (message.exchange.as_str(), message.lane.as_deref())).collect();
        for (name, queue) in ways.into_iter().filter(|(name, _)| !name.is_empty()) {
            let looking = async {
                match queue {
                    Some(queue) => lane::open(&open.connection, queue).await,
                    None => look_for_exchange(&open.connection, name).await,
                }
            };
            let receipt = match (answer_by(deadline, looking).await, queue) {
                (Err(AmqpError::Refused { code, text }), Some(queue)) => {
                    Receipt::Refused(lane::refusal(queue, code, &text))
                }
                (Err(error), Some(_)) => Receipt::Unknown(error.to_string()),
                (Err(AmqpError::Refused { code: 404, text }), None) => {
                    let detail = format!("Exchange {name} does not exist (404 {text})");
                    Receipt::Refused(Refusal::new("exchange_not_found", detail))
                }
                _ => continue,
            };
            closed.insert(name.to_owned(), receipt);
        }
        closed
    }

    /// Publishes them all before it waits for the first confirm.
    async fn publish_window(
        &self,
        messages: &[Outgoing],
        closed: &HashMap<String, Receipt>,
        deadline: Instant,
    ) -> Vec<Receipt> {
        let Some(open) = &self.open else {
            return vec![Receipt::Unknown("not connected".into()); messages.len()];
        };
        let alone = messages.len() == 1;
        let given_up = open.given_up(deadline).shared();
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(receipt) = closed.get(&message.exchange) {
                sent.push(Err(receipt.clone()));
                continue;
            }
            sent.push(tokio::select! {
                biased;
                publishing = open.publish(message) => publishing,
                () = given_up.clone() => Err(Receipt::Unknown(open.overdue())),
            });
        }
        let mut receipts = Vec::with_capacity(messages.len());
        let mut returned = Vec::new();
        for confirm in sent {
            receipts.push(match confirm {
                Err(receipt) => receipt,
                Ok(confirm) => tokio::select! {
                    biased;
                    answer = confirm => receipt(answer, alone, |back| returned.push(open.returned(&back))),
                    () = given_up.clone() => Receipt::Unknown(open.overdue()),
                },
            });
        }
        returned::assign(messages, &mut receipts, returned);
        receipts
    }

    /// How many messages wait in this queue; `None` where that cannot be told, now or ever.
    pub async fn depth(&mut self, queue: &str) -> Option<u32> {
        self.ready(Instant::now() + self.confirm_timeout).await.ok()?;
        let state = queue_state(&self.open.as_ref()?.connection, queue).await.ok()??;
        Some(state.ready)
    }

    /// Closes the connection.
    pub async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            close(open.connection).await;
        }
    }
}

impl Open {
    async fn publish(&self, message: &Outgoing) -> Result<PublisherConfirm, Receipt> {
        let refused = |kind, detail: String| Receipt::Refused(Refusal::new(kind, detail));
        let unencodable = |detail: String| refused("unencodable", detail);
        // A content header is one frame: a longer one makes the broker close the connection, with all that is on it.
        let properties = wire::encode(&message.properties).map_err(|error| unencodable(error.to_string()))?;
        let length = properties.len();
        let frame_max = self.connection.configuration().frame_max() as usize;
        if frame_max > 0 && length + HEADER_OVERHEAD > frame_max {
            let most = frame_max.saturating_sub(HEADER_OVERHEAD);
            let detail =
                format!("Properties and headers take {length} bytes; the broker accepts {most} at most");
            return Err(refused("headers_too_large", detail));
        }
        let short = |what: &str, text: &str| {
            ShortString::try_new(text)
                .map_err(|_| unencodable(format!("The {what} is longer than 255 bytes")))
        };
        let exchange = short("exchange", &message.exchange)?;
        let key = short("routing key", &message.routing_key)?;
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        self.connection
            .publish(&self.channel, (exchange, key), options, properties, &message.body)
            .await
            .map_err(|error| Receipt::Unknown(AmqpError::from(error).to_string()))
    }

    fn returned(&self, message: &BasicReturnMessage) -> Returned {
        let properties = self.connection.properties(&message.delivery.properties);
        Returned::new(message, properties.as_deref())
    }

    /// Why the broker does not take messages at the moment, if it says so.
    fn is_blocked(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }

    /// Ends when nothing more is to be waited for.
    async fn given_up(&self, deadline: Instant) {
        let mut blocked = self.blocked.clone();
        let blocked_for_long = async {
            while blocked.wait_for(Option::is_some).await.is_ok() {
                let unblocked = blocked.wait_for(Option::is_none);
                if tokio::time::timeout(BLOCKED_PATIENCE, unblocked).await.is_err() {
                    return;
                }
            }
            // The connection is gone, and its confirms with it.
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout_at(deadline, blocked_for_long).await;
    }

    fn overdue(&self) -> String {
        self.is_blocked().map_or_else(
            || "No confirm from the broker in time. Retrying.".into(),
            |reason| AmqpError::Blocked(reason).to_string(),
        )
    }
}

/// What a confirm says; the return that comes with it may be of another message.
fn receipt(
    answer: lapin::Result<Confirmation>,
    alone: bool,
    returned: impl FnOnce(BasicReturnMessage),
) -> Receipt {
    match answer {
        Ok(Confirmation::Ack(back)) => {
            back.map(returned);
            Receipt::Confirmed
        }
        Ok(Confirmation::Nack(back)) => {
            back.map(returned);
            Receipt::Refused(Refusal::new(
                "nacked",
                "Nacked by a target queue: the queue is full or has no leader",
            ))
        }
        Ok(Confirmation::NotRequested) => Receipt::Unknown("the channel does not confirm".into()),
        Err(error) => match AmqpError::from(error) {
            // Alone on its channel, it is what the broker closed the channel for.
            AmqpError::Refused { code, ref text } if alone => Receipt::Refused(Refusal::new(
                "channel_closed",
                format!("The broker closed the channel ({code} {text})"),
            )),
            error => Receipt::Unknown(error.to_string()),
        },
    }
}

async fn confirm_channel(connection: &Connection) -> Result<Channel, AmqpError> {
    answer(async {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    })
    .await
}

fn watch_blocked(connection: &Connection) -> watch::Receiver<Option<String>> {
    let (sender, blocked) = watch::channel(None);
    let mut events = Box::pin(connection.events_listener());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(reason) => sender.send_replace(Some(reason)),
                Event::ConnectionUnblocked => sender.send_replace(None),
                _ => continue,
            };
        }
    });
    blocked
}
