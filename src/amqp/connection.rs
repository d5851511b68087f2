//! Connecting to the broker: to one of its nodes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::ConnectionProperties;
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::time::Instant;

use super::AmqpError;
use super::transport::Connection;
use crate::domain::place::Place;
use crate::tls::Tls;

/// A node that does not finish the handshake in this time is treated as absent, and the next one is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A broker that does not answer a request in this time is treated as gone. A queue without a leader does not answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a close. The connection ends without it as well.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Heartbeat in seconds. A connection is closed after twice this time without a sign of life: early enough that the messages of a
/// stopped node reach another consumer soon after the queue has a new leader.
const HEARTBEAT: u16 = 5;

/// A virtual host on a broker, reached through any of its nodes.
#[derive(Clone, Debug)]
pub struct Broker {
    place: Arc<Place>,
    nodes: Arc<[AMQPUri]>,
    /// The node that the next connection tries first.
    next_node: Arc<AtomicUsize>,
    tls: TlsConfig,
}

/// Authorities and client certificate. It is never printed, because it has a key.
#[derive(Clone, Default)]
pub(super) struct TlsConfig(Arc<OwnedTLSConfig>);

impl TlsConfig {
    /// As the transport needs it.
    pub fn get(&self) -> &OwnedTLSConfig {
        &self.0
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConfig")
    }
}

impl Broker {
    /// Parses `amqp://user:password@host:port/vhost` or `amqps://…`, or several of them separated by commas, one for each node.
    pub fn new(name: &str, urls: &str) -> Result<Self, AmqpError> {
        let nodes = urls
            .split(',')
            .enumerate()
            .map(|(index, url)| node(url.trim()).map_err(|why| at(index, why)))
            .collect::<Result<Arc<[_]>, _>>()?;
        if let Some(other) = nodes.iter().position(|node| node.vhost != nodes[0].vhost) {
            return Err(at(other, "its virtual host is not that of the first".into()));
        }
        let next_node = Arc::new(AtomicUsize::new(rand::random_range(0..nodes.len())));
        let place = Arc::new(Place::new(name, &nodes[0].vhost));
        Ok(Self { place, nodes, next_node, tls: TlsConfig::default() })
    }

    /// The same with verified connections (R18): an error if a node on another machine has no TLS and that is not allowed.
    pub fn secured(self, tls: &Tls) -> Result<Self, AmqpError> {
        let is_plain =
            |node: &AMQPUri| node.scheme == AMQPScheme::AMQP && !tls.allows_plaintext(&node.authority.host);
        if let Some(index) = self.nodes.iter().position(is_plain) {
            let why =
                "it is not encrypted: use amqps://, or allow plain text with DEAD_LETTER_PLAINTEXT=broker";
            return Err(at(index, why.into()));
        }
        let unreadable = |error: anyhow::Error| AmqpError::Tls(format!("{error:#}"));
        let identity = tls.identity().map_err(unreadable)?;
        let config = OwnedTLSConfig {
            identity: identity
                .map(|(pem, key)| OwnedIdentity::PKCS8 { pem: pem.into_bytes(), key: key.into_bytes() }),
            cert_chain: tls.authorities().map_err(unreadable)?,
        };
        Ok(Self { tls: TlsConfig(Arc::new(config)), ..self })
    }

    /// Another virtual host of the same broker.
    pub fn with_vhost(&self, vhost: &str) -> Self {
        let nodes = self.nodes.iter().map(|node| AMQPUri { vhost: vhost.to_owned(), ..node.clone() });
        let place = Arc::new(Place::new(&self.place.broker, vhost));
        Self { place, nodes: nodes.collect(), next_node: Arc::clone(&self.next_node), tls: self.tls.clone() }
    }

    /// The broker's name and the virtual host.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Host and port of each node, for logs.
    pub fn address(&self) -> String {
        let addresses: Vec<_> = self.nodes.iter().map(address).collect();
        addresses.join(", ")
    }

    /// Connects to the first node that accepts, beginning with another one each time. The broker lists the connection under its
    /// purpose.
    pub(super) async fn connect(&self, purpose: &str) -> Result<Connection, AmqpError> {
        let first = self.next_node.fetch_add(1, Ordering::Relaxed) % self.nodes.len();
        let (before, after) = self.nodes.split_at(first);
        let mut refusals = Vec::new();
        for node in after.iter().chain(before) {
            match connect_to(node, &self.tls, purpose).await {
                Ok(connection) => return Ok(connection),
                Err(error) => refusals.push((node, error)),
            }
        }
        if let [(_, only)] = refusals.as_slice() {
            return Err(only.clone());
        }
        let refusals: Vec<_> =
            refusals.iter().map(|(node, error)| format!("{}: {error}", address(node))).collect();
        Err(AmqpError::Unavailable(refusals.join("; ")))
    }
}

/// The answer to a request, or an error after the timeout.
pub(super) async fn answer<T>(request: impl Future<Output = Result<T, AmqpError>>) -> Result<T, AmqpError> {
    answer_by(Instant::now() + ANSWER_TIMEOUT, request).await
}

/// The answer to a request, or an error after the deadline.
pub(super) async fn answer_by<T>(
    deadline: Instant,
    request: impl Future<Output = Result<T, AmqpError>>,
) -> Result<T, AmqpError> {
    let answered = tokio::time::timeout_at(deadline, request).await;
    answered.unwrap_or_else(|_| Err(AmqpError::Unavailable("no answer in time".into())))
}

/// Closes the connection, whether or not the broker answers.
pub(super) async fn close(connection: Connection) {
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await;
}

async fn connect_to(node: &AMQPUri, tls: &TlsConfig, purpose: &str) -> Result<Connection, AmqpError> {
    let properties = ConnectionProperties::default()
        .with_connection_name(format!("dead-letter {purpose}").into())
        .with_client_property("product".into(), "dead-letter".into());
    let connecting = async { Ok(Connection::open(node.clone(), tls, properties).await?) };
    answer_by(Instant::now() + CONNECT_TIMEOUT, connecting).await
}

/// Parses the URL of one node. Errors do not quote it: it contains a password (rule R14).
fn node(url: &str) -> Result<AMQPUri, String> {
    let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "amqp" | "amqps"))
    else {
        return Err(
            "it does not begin with amqp:// or amqps:// (a comma in a password is written %2C)".into()
        );
    };
    // The parser would treat it as localhost.
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.rsplit('@').next().is_some_and(|host| host.starts_with('[')) {
        return Err("it has an IPv6 address: use a name that leads to it".into());
    }
    let mut uri: AMQPUri = url.parse()?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    Ok(uri)
}

fn at(index: usize, why: String) -> AmqpError {
    AmqpError::Url { number: index + 1, why }
}

fn address(node: &AMQPUri) -> String {
    format!("{}:{}", node.authority.host, node.authority.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_separated_by_commas() {
        let broker = Broker::new("main", "amqp://a:5001/%2f, amqps://user:pass%2Cword@b").unwrap();
        assert_eq!(broker.address(), "a:5001, b:5671");
        assert_eq!(*broker.place(), Place::new("main", "/"));
        assert_eq!(*broker.with_vhost("v/2").place(), Place::new("main", "v/2"));
        assert_eq!(broker.nodes[1].authority.userinfo.password, "pass,word");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let wrong = [
            ("", "URL 1"),
            ("amqp://a,", "URL 2"),
            ("amqp://a,b:5672", "URL 2"),
            ("amqp://user:secret,secret@a", "URL 1"),
            ("amqp:user:secret@a", "amqp://"),
            ("http://user:secret@a", "amqp://"),
            ("amqp://a/one,amqp://user:secret@b/two", "URL 2: its virtual host"),
            ("amqp://user:secret@[::1]:5672", "IPv6"),
            ("amqp://user:secret@a:port", "port"),
            ("amqp://user:secret@a?heartbeat=often", "digit"),
        ];
        for (urls, part) in wrong {
            let error = Broker::new("main", urls).unwrap_err().to_string();
            assert!(error.contains(part), "{urls}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
