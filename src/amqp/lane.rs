//! A lane: an exchange that leads to one queue, whatever the routing key.
//!
//! Through the default exchange, a message reaches a single queue only with the queue's name as its routing key. The header `BCC`
//! would keep the original key, but a queue with that name would get the message as well, even if the target queue is gone, and
//! the broker would report it as routed. A fanout exchange with one binding has neither problem: it routes to its queue, or
//! returns the message. The broker deletes it together with the queue.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Connection, ExchangeKind};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::AmqpError;
use super::connection::answer;
use super::outgoing::Refusal;

/// Prefix of the exchanges. Permissions that are limited by name have to include it.
const PREFIX: &str = "dead-letter.to.";
/// Longest name of an exchange, in bytes.
const MAX_NAME: usize = 255;

/// The exchange that leads to this queue: named after it, or after a hash of its name if that would be too long.
pub fn lane_to(queue: &str) -> String {
    if PREFIX.len() + queue.len() <= MAX_NAME {
        return format!("{PREFIX}{queue}");
    }
    let mut head = [0; 16];
    head.copy_from_slice(&Sha256::digest(queue)[..16]);
    format!("{PREFIX}{}", Uuid::new_v8(head))
}

/// Creates the lane to this queue, unless it exists.
pub(super) async fn open(connection: &Connection, queue: &str) -> Result<(), AmqpError> {
    let absent =
        || AmqpError::Refused { code: 404, text: "the queue's name is longer than 255 bytes".into() };
    let exchange = ShortString::try_new(lane_to(queue)).map_err(|_| absent())?;
    let queue = ShortString::try_new(queue).map_err(|_| absent())?;
    answer(async {
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), passive, FieldTable::default()).await?;
        let with_its_queue =
            ExchangeDeclareOptions { durable: true, auto_delete: true, ..ExchangeDeclareOptions::default() };
        let (kind, none) = (ExchangeKind::Fanout, FieldTable::default());
        channel.exchange_declare(exchange.clone(), kind, with_its_queue, none).await?;
        let options = QueueBindOptions::default();
        channel.queue_bind(queue, exchange, "".into(), options, FieldTable::default()).await?;
        Ok(channel.close(200, "bye".into()).await?)
    })
    .await
}

/// The refusal of messages whose lane cannot be created.
pub(super) fn refusal(queue: &str, code: u16, text: &str) -> Refusal {
    let advice = match code {
        403 => format!(
            ": `routingKey: original` needs the rights configure, write and read on exchanges {PREFIX}*, and write on the \
             queue {queue}"
        ),
        _ => String::new(),
    };
    Refusal::new("no_lane", format!("{code} {text}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_names_that_the_broker_takes() {
        assert_eq!(lane_to("crm_events"), "dead-letter.to.crm_events");
        let [longest, hashed] = [240, 255].map(|length| lane_to(&"q".repeat(length)));
        assert_eq!((longest.len(), hashed.len()), (255, PREFIX.len() + 36));
        assert_ne!(hashed, lane_to(&"q".repeat(254)));
    }
}
