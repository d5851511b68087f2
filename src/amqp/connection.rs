//! Connecting to the broker.

use std::time::Duration;

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use super::AmqpError;

/// A broker that does not finish the handshake in this time is taken for absent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds without a sign of life, after twice which a connection is given up.
const HEARTBEAT: u16 = 10;

/// Where the broker is.
#[derive(Clone, Debug)]
pub struct Broker {
    uri: AMQPUri,
}

impl Broker {
    /// Takes `amqp://user:password@host:port/vhost`, or `amqps://…`.
    pub fn new(url: &str) -> Result<Self, AmqpError> {
        let mut uri: AMQPUri = url.parse().map_err(AmqpError::Url)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        Ok(Self { uri })
    }

    /// The virtual host that everything happens in.
    pub fn vhost(&self) -> &str {
        &self.uri.vhost
    }

    /// Host and port, for logs.
    pub fn address(&self) -> String {
        format!("{}:{}", self.uri.authority.host, self.uri.authority.port)
    }

    /// Connects; the purpose shows in the broker's list of connections.
    pub(super) async fn connect(&self, purpose: &str) -> Result<Connection, AmqpError> {
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("dead-letter {purpose}").into())
            .with_client_property("product".into(), "dead-letter".into());
        tokio::time::timeout(CONNECT_TIMEOUT, Connection::connect_uri(self.uri.clone(), properties))
            .await
            .map_err(|_| AmqpError::Unavailable("no answer in time".into()))?
            .map_err(AmqpError::from)
    }
}
