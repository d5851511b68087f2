//! What lapin runs on: tokio, with a socket of another type.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::tcp::AsyncTcpStream;

use super::stream::Translated;

/// The current tokio.
pub(super) fn plain() -> Runtime<Tokio> {
    Runtime::tokio_current()
}

/// The current tokio, for connections that translate.
pub(super) fn translating() -> Runtime<RuntimeParts<Tokio, Translating>> {
    Runtime::new(RuntimeParts::new(Tokio::current(), Translating(Tokio::current())))
}

/// Tokio's reactor but for the type of its sockets.
#[derive(Clone, Debug)]
pub(super) struct Translating(Tokio);

impl Reactor for Translating {
    type TcpStream = Translated<AsyncTcpStream<<Tokio as Reactor>::TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    // The trait asks for async-rs' own `AsSysFd`, which it does not export. These two are what that one consists of on Unix.
    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    /// Never asked for: connections are made on [`plain`] tokio, and translated above TLS.
    fn tcp_connect_addr(
        &self,
        _address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
