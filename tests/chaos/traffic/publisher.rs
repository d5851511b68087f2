//! A publisher as it should be: it goes to another node when its own is gone, and publishes again what was not confirmed.

use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection, ConnectionProperties};
use tokio::time::{sleep, timeout};

use crate::support::DeadMessage;

/// A node that takes longer to connect, or to confirm, is taken for gone.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Publisher {
    urls: Vec<String>,
    next: usize,
    session: Option<Session>,
}

struct Session {
    /// Open for as long as the channel is to be.
    _connection: Connection,
    channel: Channel,
}

impl Publisher {
    pub fn new(urls: &str) -> Self {
        Self { urls: urls.split(',').map(str::to_owned).collect(), next: 0, session: None }
    }

    /// Returns when all are confirmed.
    pub async fn publish(&mut self, exchange: &str, mut open: Vec<DeadMessage>) {
        while !open.is_empty() {
            let Some(session) = &self.session else {
                self.connect().await;
                continue;
            };
            let confirmed = session.publish(exchange, &open).await;
            if confirmed.contains(&false) {
                self.session = None;
            }
            let mut confirmed = confirmed.into_iter();
            open.retain(|_| confirmed.next() != Some(true));
        }
    }

    async fn connect(&mut self) {
        let url = self.urls[self.next % self.urls.len()].clone();
        self.next += 1;
        match timeout(PATIENCE, Session::open(&url)).await {
            Ok(Ok(session)) => self.session = Some(session),
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Session {
    async fn open(url: &str) -> lapin::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { _connection: connection, channel })
    }

    /// Of each, whether it was confirmed and routed.
    async fn publish(&self, exchange: &str, messages: &[DeadMessage]) -> Vec<bool> {
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
            confirms.push(publishing.await.ok());
        }
        let mut confirmed = Vec::new();
        for confirm in confirms {
            let came = match confirm {
                Some(confirm) => timeout(PATIENCE, confirm)
                    .await
                    .is_ok_and(|came| came.is_ok_and(|confirmation| confirmation == Confirmation::Ack(None))),
                None => false,
            };
            confirmed.push(came);
        }
        confirmed
    }
}
