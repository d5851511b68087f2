//! A socket that translates on the way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{AsyncRead, AsyncWrite};

use super::{Inbound, Outbound, SideTables};

/// Bytes of one read. More and less were measured to be slower.
const READ: usize = 256 << 10;
/// Bytes that wait to be written, but for the last frame of them.
const MOST_WRITTEN: usize = 128 << 10;

/// The socket as lapin sees it.
#[derive(Debug)]
pub(super) struct Translated<S> {
    socket: S,
    inbound: Inbound,
    outbound: Outbound,
    raw: Box<[u8]>,
    for_lapin: Buffer,
    for_socket: Buffer,
}

/// Bytes that are taken from the front.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// So many of them are taken.
    taken: usize,
}

impl Buffer {
    fn left(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    fn take(&mut self, count: usize) {
        self.taken += count;
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
    }
}

impl<S: AsyncWrite + Unpin> Translated<S> {
    pub fn new(socket: S, tables: &Arc<SideTables>) -> Self {
        Self {
            socket,
            inbound: Inbound::new(tables),
            outbound: Outbound::new(tables),
            raw: vec![0; READ].into(),
            for_lapin: Buffer::default(),
            for_socket: Buffer::default(),
        }
    }

    /// Writes what lapin takes for written already.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.for_socket.left().is_empty() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(context, self.for_socket.left()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.for_socket.take(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Translated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { socket, inbound, raw, for_lapin, .. } = &mut *self;
        // No bytes would mean the end: while a content header is gathered there are none to give.
        while for_lapin.left().is_empty() {
            let count = ready!(Pin::new(&mut *socket).poll_read(context, raw))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            inbound.feed(&raw[..count], &mut for_lapin.bytes)?;
        }
        let count = buffer.len().min(for_lapin.left().len());
        buffer[..count].copy_from_slice(&for_lapin.left()[..count]);
        for_lapin.take(count);
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Translated<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(context))?;
        let Self { outbound, for_socket, .. } = &mut *self;
        let count = outbound.feed(bytes, &mut for_socket.bytes, MOST_WRITTEN)?;
        match self.poll_drain(context)? {
            // What is left goes out as lapin flushes, which it does on each turn.
            Poll::Ready(()) | Poll::Pending => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.socket).poll_close(context)
    }
}
