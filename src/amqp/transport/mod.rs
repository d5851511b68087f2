//! The transport between lapin and the socket, above TLS. lapin never sees the properties of a message, and so cannot narrow
//! them: they are bytes, in and out (rule R4, docs/adr/0026).
//!
//! Each content header that comes in is replaced by one with a single property, a token; [`Connection::properties`] gives the
//! bytes for it. Each header that goes out has such a token from [`Connection::publish`], and is replaced by the bytes. What else
//! lapin would stumble over is made readable on the way in: short strings that are not UTF-8, and headers longer than was agreed.

use std::ops::Deref;
use std::sync::Arc;

use lapin::options::BasicPublishOptions;
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream};
use lapin::types::ShortString;
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, ConnectionProperties, PublisherConfirm};

use self::stream::Translated;
use super::connection::TlsConfig;
use crate::domain::message::Table;
use crate::domain::wire;

mod frames;
mod inbound;
mod outbound;
mod runtime;
mod side_table;
mod stream;

pub use inbound::Inbound;
pub use outbound::Outbound;
pub use side_table::SideTables;

/// A connection of lapin, with the properties that bypass it.
#[derive(Debug)]
pub(super) struct Connection {
    inner: lapin::Connection,
    tables: Arc<SideTables>,
    server: Table,
}

impl Connection {
    /// Connects to one node.
    pub async fn open(uri: AMQPUri, tls: &TlsConfig, options: ConnectionProperties) -> lapin::Result<Self> {
        let tables = Arc::new(SideTables::default());
        let (kept, tls) = (Arc::clone(&tables), tls.clone());
        let connect = async move |uri: AMQPUri, _| {
            let socket = uri.connect_with_config_async(tls.get().as_ref(), &runtime::plain()).await?;
            Ok(AsyncTcpStream::Plain(Translated::new(socket, &kept)))
        };
        let inner = lapin::Connection::connector(uri, runtime::translating(), connect, options).await?;
        let server = wire::decode_table(&tables.server()).unwrap_or_default();
        Ok(Self { inner, tables, server })
    }

    /// The server properties of the connection, such as the version. Empty if they cannot be decoded.
    pub const fn server(&self) -> &Table {
        &self.server
    }

    /// Takes the bytes of the properties of a delivery or a return. `None` if there are none for it.
    pub fn properties(&self, stand_in: &BasicProperties) -> Option<Vec<u8>> {
        self.tables.received(stand_in)
    }

    /// Publishes on a channel of this connection. Publishing past this function ends the connection.
    ///
    /// The message may still go out after the future was dropped.
    pub async fn publish(
        &self,
        channel: &Channel,
        (exchange, key): (ShortString, ShortString),
        options: BasicPublishOptions,
        properties: Vec<u8>,
        body: &[u8],
    ) -> lapin::Result<PublisherConfirm> {
        let token = self.tables.to_send(properties);
        let stand_in = BasicProperties::default().with_timestamp(token);
        let published = channel.basic_publish(exchange, key, options, body, stand_in).await;
        // Written by now, or never. This is not a drop guard: a message whose future was dropped can still be written.
        self.tables.outgoing.take(token);
        published
    }
}

impl Deref for Connection {
    type Target = lapin::Connection;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}
#[cfg(test)]
mod tests;
