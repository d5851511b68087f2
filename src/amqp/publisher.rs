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

/// Bytes of a content header before the properties (class, weight and body size), and of the frame around it.
const HEADER_OVERHEAD: usize = 12 + 8;
/// Longest wait for a broker that blocks publishers. It confirms the messages that it had read before, and no others.
const BLOCKED_TIMEOUT: Duration = Duration::from_secs(2);

/// Publishes on its own connection, so that a broker that blocks publishers does not delay acks.
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
    /// Whether the channel may still deliver confirms of an abandoned window.
    stale: bool,
    blocked: watch::Receiver<Option<String>>,
}

impl Publisher {
    /// Prepares a publisher. The timeout limits a batch, from connecting to the last confirm.
    pub fn new(broker: Broker, confirm_timeout: Duration) -> Self {
        Self { broker, confirm_timeout, open: None }
    }

    /// Connects, unless there is a working connection.
    ///
    /// The connection that a broker blocks is kept. When the broker unblocks, it reads what was sent on that connection. Each
    /// further connection would add another copy.
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
            let blocked = track_blocked(&connection);
            let channel = confirm_channel(&connection).await?;
            self.open = Some(Open { connection, channel, stale: false, blocked });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if let Some(reason) = open.blocked_reason() {
            return Err(AmqpError::Blocked(reason));
        }
        if open.stale || !open.channel.status().connected() {
            open.channel = confirm_channel(&open.connection).await?;
            open.stale = false;
        }
        Ok(())
    }

    /// Publishes the messages as mandatory. Returns a receipt for each.
    ///
    /// A message for which the broker closes the channel makes the outcome of its neighbours unknown. These are then published
    /// again one by one. Some may be delivered twice, with the same redelivery id. The most frequent cause, an exchange that does
    /// not exist, is checked before.
    pub async fn publish(&mut self, messages: &[Outgoing]) -> Vec<Receipt> {
        let deadline = Instant::now() + self.confirm_timeout;
        if let Err(error) = self.ready(deadline).await {
            return vec![Receipt::Unknown(error.to_string()); messages.len()];
        }
        let unreachable_routes = self.unreachable_routes(messages, deadline).await;
        // The check may have cost the connection.
        if let Err(error) = self.ready(deadline).await {
            return vec![Receipt::Unknown(error.to_string()); messages.len()];
        }
        let mut receipts = self.publish_window(messages, &unreachable_routes, deadline).await;
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
                Some(open) if open.blocked_reason().is_some() => open.stale = true,
                // Messages that are still buffered for a stuck connection must not be sent later.
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

    /// The exchanges that do not exist, and the lanes that cannot be opened, with the receipt for their messages.
    async fn unreachable_routes(&self, messages: &[Outgoing], deadline: Instant) -> HashMap<String, Receipt> {
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

    /// Publishes all messages before it waits for the first confirm.
    async fn publish_window(
        &self,
        messages: &[Outgoing],
        closed: &HashMap<String, Receipt>,
        deadline: Instant,
    ) -> Vec<Receipt> {
        let Some(open) = &self.open else {
            return vec![Receipt::Unknown("not connected".into()); messages.len()];
        };
        let window = if messages.len() == 1 { Window::Single } else { Window::Several };
        let abandoned = open.abandoned(deadline).shared();
        let mut sent = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(receipt) = closed.get(&message.exchange) {
                sent.push(Err(receipt.clone()));
                continue;
            }
            sent.push(tokio::select! {
                biased;
                publishing = open.publish(message) => publishing,
                () = abandoned.clone() => Err(Receipt::Unknown(open.timeout_reason())),
            });
        }
        let mut receipts = Vec::with_capacity(messages.len());
        let mut returned = Vec::new();
        for confirm in sent {
            receipts.push(match confirm {
                Err(receipt) => receipt,
                Ok(confirm) => tokio::select! {
                    biased;
                    answer = confirm => receipt(answer, window, |back| returned.push(open.returned(&back))),
                    () = abandoned.clone() => Receipt::Unknown(open.timeout_reason()),
                },
            });
        }
        returned::assign(messages, &mut receipts, returned);
        receipts
    }

    /// Number of ready messages in this queue. `None` if it is unknown.
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
        // A content header is one frame. The broker closes the connection if it is longer.
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

    /// Why the broker blocks publishers, while it does.
    fn blocked_reason(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }

    /// Resolves when waiting for confirms is pointless.
    async fn abandoned(&self, deadline: Instant) {
        let mut blocked = self.blocked.clone();
        let blocked_for_long = async {
            while blocked.wait_for(Option::is_some).await.is_ok() {
                let unblocked = blocked.wait_for(Option::is_none);
                if tokio::time::timeout(BLOCKED_TIMEOUT, unblocked).await.is_err() {
                    return;
                }
            }
            // The connection has failed, and its confirms with it.
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout_at(deadline, blocked_for_long).await;
    }

    fn timeout_reason(&self) -> String {
        self.blocked_reason().map_or_else(
            || "No confirm from the broker in time. Retrying.".into(),
            |reason| AmqpError::Blocked(reason).to_string(),
        )
    }
}

/// How many messages are published before the first confirm is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    Single,
    Several,
}

/// The receipt for a confirm. The return that comes with it may be of another message.
fn receipt(
    answer: lapin::Result<Confirmation>,
    window: Window,
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
            // The only message on its channel is the reason why the broker closed it.
            AmqpError::Refused { code, ref text } if window == Window::Single => Receipt::Refused(
                Refusal::new("channel_closed", format!("The broker closed the channel ({code} {text})")),
            ),
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

fn track_blocked(connection: &Connection) -> watch::Receiver<Option<String>> {
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
