//! Exchanges and queues of the two services that run here.

use std::time::Duration;

use anyhow::Result;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, ExchangeKind};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::service::Service;
use super::status;
use super::supervise::Supervisor;
use crate::amqp::{self, DEAD_LETTER};

/// Orders and payments.
pub(super) const ORDERS: &str = "demo-orders";
/// What customers send back.
pub(super) const RETURNS: &str = "demo-returns";
/// Customers and what they are written.
pub(super) const CUSTOMERS: &str = "demo-customers";

/// A queue with where it gets its messages from.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) service: Service,
    pub(super) exchange: &'static str,
    pub(super) queue: &'static str,
    /// Whether the service stays away from this queue while it is broken, instead of failing its messages.
    pub(super) closed_while_broken: bool,
}

/// All queues.
pub(super) static PLACES: [Place; 3] = [
    Place {
        service: Service::Webshop,
        exchange: ORDERS,
        queue: "demo-orders_webshop",
        closed_while_broken: false,
    },
    Place {
        service: Service::Notification,
        exchange: RETURNS,
        queue: "demo-returns_notification",
        closed_while_broken: true,
    },
    Place {
        service: Service::Notification,
        exchange: CUSTOMERS,
        queue: "demo-customers_notification",
        closed_while_broken: false,
    },
];

/// Between two looks for the exchange that dead-letter declares.
const POLL: Duration = Duration::from_millis(500);

/// Waits for the broker and for dead-letter, and declares everything. False says that `stop` came first.
pub(super) async fn prepare(uri: &str, stop: &CancellationToken) -> bool {
    let mut supervisor = Supervisor::new("starting", stop);
    let work = async { while supervisor.again(wait_and_declare(uri)).await {} };
    stop.run_until_cancelled(work).await.is_some()
}

async fn wait_and_declare(uri: &str) -> Result<()> {
    let connection = amqp::connect(uri, "demo").await?;
    let mut told = false;
    while !amqp::exchange_exists(&connection, DEAD_LETTER).await? {
        if !std::mem::replace(&mut told, true) {
            status::say("waiting for the exchange `dead-letter`, which the dead-letter service declares");
        }
        sleep(POLL).await;
    }
    declare(&connection.create_channel().await?).await?;
    amqp::close(&connection).await;
    Ok(())
}

/// Declares everything; what is there already stays as it is.
pub(super) async fn declare(channel: &Channel) -> Result<()> {
    let exchange_options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    for Place { exchange, queue, .. } in &PLACES {
        let none = FieldTable::default();
        channel
            .exchange_declare((*exchange).into(), ExchangeKind::Topic, exchange_options, none.clone())
            .await?;
        let arguments = amqp::source_queue_arguments();
        channel.queue_declare((*queue).into(), QueueDeclareOptions::durable(), arguments).await?;
        let bind = QueueBindOptions::default();
        channel.queue_bind((*queue).into(), (*exchange).into(), "#".into(), bind, none).await?;
    }
    Ok(())
}
