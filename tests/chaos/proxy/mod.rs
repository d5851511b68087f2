//! A proxy that understands the frames of what it carries, so that a cut falls exactly where it is wanted.

mod amqp;
mod postgres;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use amqp::{
    cancel_consumer, channel_close, connection_blocked, connection_unblocked, consumer_cancelled,
    nack_instead, note_consumer,
};

/// Which way a unit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// One of the two that talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// What is carried.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    Amqp,
    Postgres,
}

/// A whole frame or message.
struct Unit {
    /// Such as `basic.ack` or `COMMIT`.
    name: String,
    bytes: Vec<u8>,
}

/// What is done to a unit.
#[derive(Clone, Debug)]
pub enum Deed {
    /// It is not forwarded, and both sides lose the connection.
    CutBefore,
    /// Half of it is forwarded.
    CutWithin,
    /// It is forwarded.
    CutAfter,
    /// Nothing is forwarded any more, and nobody is told.
    FreezeBefore,
    /// The same, once this unit has gone.
    FreezeAfter,
    /// This side loses the connection; the other is not told.
    HalfOpen(Side),
    /// What is made of it goes before it.
    Inject(fn(&[u8]) -> Vec<u8>),
    /// What is made of it goes instead of it.
    Replace(fn(&[u8]) -> Vec<u8>),
    /// What is made of it by the first goes before it; then nothing for so long, or until all is healed; and then what is made of
    /// it by the second.
    Pause(fn(&[u8]) -> Vec<u8>, std::time::Duration, fn(&[u8]) -> Vec<u8>),
}

/// Springs once: at the unit of this name after `skip` others.
#[derive(Clone, Debug)]
pub struct Trap {
    pub way: Way,
    pub name: &'static str,
    /// Only on a connection that carried a unit of this name to the server before.
    pub after: Option<&'static str>,
    pub skip: usize,
    pub deed: Deed,
}

/// A listener; what connects to it is carried to the server.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    traps: Mutex<Vec<Trap>>,
    sprung: AtomicUsize,
    /// Counts the healings.
    healed: watch::Sender<u64>,
}

/// What the two directions of one connection have in common.
struct Link {
    cut: CancellationToken,
    frozen: CancellationToken,
    gone: Mutex<Option<Side>>,
    seen: Mutex<HashSet<&'static str>>,
}

impl Proxy {
    /// Listens on an address of its own.
    pub async fn start(server: SocketAddr, protocol: Protocol) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            traps: Mutex::default(),
            sprung: AtomicUsize::new(0),
            healed: watch::channel(0).0,
        });
        let accepting = tokio::spawn(accept(listener, server, protocol, Arc::clone(&state)));
        Self { address, state, accepting }
    }

    /// The URL of the server, by way of this.
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        format!("{scheme}://{user}{}/{path}", self.address)
    }

    pub fn set(&self, trap: Trap) {
        self.set_all(vec![trap]);
    }

    /// Each of them springs once.
    pub fn set_all(&self, traps: Vec<Trap>) {
        *self.state.traps.lock().unwrap_or_else(PoisonError::into_inner) = traps;
    }

    /// How many traps have sprung.
    pub fn sprung(&self) -> usize {
        self.state.sprung.load(Ordering::SeqCst)
    }

    /// Takes the traps away; what is frozen or half-open is cut.
    pub fn heal(&self) {
        self.set_all(Vec::new());
        self.state.healed.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.heal();
    }
}

/// The address in a URL.
pub fn server(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, _) = rest.split_once('/').unwrap();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    address.replace("localhost", "127.0.0.1").parse().unwrap()
}

async fn accept(listener: TcpListener, server: SocketAddr, protocol: Protocol, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        // A server that is away is one that does not answer.
        let Ok(server) = TcpStream::connect(server).await else { continue };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let link = Arc::new(Link {
            cut: CancellationToken::new(),
            frozen: CancellationToken::new(),
            gone: Mutex::new(None),
            seen: Mutex::default(),
        });
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        for (way, from, to) in
            [(Way::ToServer, from_client, to_server), (Way::ToClient, from_server, to_client)]
        {
            let carrier = Carrier {
                way,
                reader: Reader::new(protocol, way),
                link: Arc::clone(&link),
                state: Arc::clone(&state),
                healed: state.healed.subscribe(),
            };
            tokio::spawn(carrier.carry(from, to));
        }
    }
}

/// One direction of one connection.
struct Carrier {
    way: Way,
    reader: Reader,
    link: Arc<Link>,
    state: Arc<State>,
    healed: watch::Receiver<u64>,
}

impl Carrier {
    async fn carry(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (cut, frozen) = (self.link.cut.clone(), self.link.frozen.clone());
        loop {
            while let Some(unit) = self.reader.next() {
                if !cut.is_cancelled() && !frozen.is_cancelled() && self.forward(unit, &mut to).await.is_err()
                {
                    cut.cancel();
                }
            }
            tokio::select! {
                biased;
                () = cut.cancelled() => return,
                () = frozen.cancelled() => break,
                read = from.read_buf(&mut self.reader.buffer) => match read {
                    Ok(0) | Err(_) => {
                        cut.cancel();
                        return;
                    }
                    Ok(_) => {}
                },
            }
        }
        let gone = *self.link.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut from, mut to) = (Some(from), Some(to));
        // Whose halves of the socket these are depends on the direction.
        match (gone, self.way) {
            (Some(Side::Client), Way::ToServer) | (Some(Side::Server), Way::ToClient) => drop(from.take()),
            (Some(_), _) => drop(to.take()),
            (None, _) => {}
        }
        // What was healed before does not count.
        self.healed.borrow_and_update();
        let _ = self.healed.changed().await;
        cut.cancel();
    }

    async fn forward(&mut self, unit: Unit, to: &mut OwnedWriteHalf) -> std::io::Result<()> {
        let Some(deed) = self.springs(&unit.name) else { return to.write_all(&unit.bytes).await };
        let (cut, frozen) = (&self.link.cut, &self.link.frozen);
        match deed {
            Deed::CutBefore => cut.cancel(),
            Deed::CutWithin => {
                to.write_all(&unit.bytes[..unit.bytes.len() / 2]).await?;
                cut.cancel();
            }
            Deed::CutAfter => {
                to.write_all(&unit.bytes).await?;
                // What it causes has happened when the connection goes.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                cut.cancel();
            }
            Deed::FreezeBefore => frozen.cancel(),
            Deed::FreezeAfter => {
                to.write_all(&unit.bytes).await?;
                frozen.cancel();
            }
            Deed::HalfOpen(side) => {
                *self.link.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(side);
                frozen.cancel();
            }
            Deed::Inject(make) => {
                to.write_all(&make(&unit.bytes)).await?;
                to.write_all(&unit.bytes).await?;
            }
            Deed::Replace(make) => to.write_all(&make(&unit.bytes)).await?,
            Deed::Pause(begin, time, end) => {
                self.healed.borrow_and_update();
                to.write_all(&begin(&unit.bytes)).await?;
                // Over once it is healed: what comes next is not to find it.
                let _ = tokio::time::timeout(time, self.healed.changed()).await;
                to.write_all(&end(&unit.bytes)).await?;
                to.write_all(&unit.bytes).await?;
            }
        }
        Ok(())
    }

    fn springs(&self, name: &str) -> Option<Deed> {
        let mut traps = self.state.traps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.link.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.way == Way::ToServer {
            seen.extend(traps.iter().filter_map(|trap| trap.after).filter(|before| *before == name));
        }
        let here = traps.iter().position(|trap| {
            trap.way == self.way && trap.name == name && trap.after.is_none_or(|before| seen.contains(before))
        })?;
        if traps[here].skip > 0 {
            traps[here].skip -= 1;
            return None;
        }
        self.state.sprung.fetch_add(1, Ordering::SeqCst);
        Some(traps.remove(here).deed)
    }
}

/// Cuts what comes into units.
struct Reader {
    protocol: Protocol,
    way: Way,
    buffer: Vec<u8>,
    begun: bool,
}

impl Reader {
    fn new(protocol: Protocol, way: Way) -> Self {
        Self { protocol, way, buffer: Vec::new(), begun: false }
    }

    fn next(&mut self) -> Option<Unit> {
        let first = !self.begun && self.way == Way::ToServer;
        let (name, length) = match self.protocol {
            Protocol::Amqp => amqp::unit(&self.buffer, first),
            Protocol::Postgres => postgres::unit(&self.buffer, first, self.way),
        }?;
        if self.buffer.len() < length {
            return None;
        }
        self.begun = true;
        let rest = self.buffer.split_off(length);
        Some(Unit { name, bytes: std::mem::replace(&mut self.buffer, rest) })
    }
}
