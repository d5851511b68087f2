//! A publisher that sends any bytes as names and as properties, which no client library does.

use std::collections::BTreeSet;
use std::io;

use lapin::uri::AMQPUri;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const END: u8 = 0xce;
/// The broker's `frame_max`, and what stands around the payload of a frame.
pub const FRAME_MAX: usize = 131_072;
const FRAME_OVERHEAD: usize = 8;
/// Class, weight and body size, before the properties.
const HEADER_OVERHEAD: usize = 12;
/// The longest properties that fit a content header.
pub const LONGEST_PROPERTIES: usize = FRAME_MAX - FRAME_OVERHEAD - HEADER_OVERHEAD;

type Method = (u16, u16);
const TUNE: Method = (10, 30);
const CONNECTION_CLOSE: Method = (10, 50);
const CHANNEL_CLOSE: Method = (20, 40);
const ACK: Method = (60, 80);

/// A message as it is on the wire.
#[derive(Clone, Debug)]
pub struct RawMessage {
    pub key: Vec<u8>,
    pub properties: Vec<u8>,
    pub body: Vec<u8>,
}

/// A connection with one channel in confirm mode.
pub struct RawPublisher {
    stream: BufStream<TcpStream>,
    published: u64,
}

impl RawPublisher {
    /// Connects, and opens its channel.
    pub async fn connect(url: &str) -> io::Result<Self> {
        let uri: AMQPUri = url.parse().map_err(io::Error::other)?;
        let stream = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        stream.set_nodelay(true)?;
        let mut raw = Self { stream: BufStream::new(stream), published: 0 };
        let (user, password) = (uri.authority.userinfo.username, uri.authority.userinfo.password);
        raw.stream.write_all(b"AMQP\0\0\x09\x01").await?;
        raw.stream.flush().await?;
        raw.expect((10, 10)).await?;
        let login = long(format!("\0{user}\0{password}").as_bytes());
        let start_ok = [long(b""), short(b"PLAIN"), login, short(b"en_US")].concat();
        raw.send(0, METHOD, &method((10, 11), &start_ok)).await?;
        let tune = raw.expect(TUNE).await?;
        // As the broker proposes, but without heartbeats.
        raw.send(0, METHOD, &method((10, 31), &[&tune[..6], &[0, 0]].concat())).await?;
        raw.send(0, METHOD, &method((10, 40), &[short(uri.vhost.as_bytes()), vec![0, 0]].concat())).await?;
        raw.expect((10, 41)).await?;
        raw.call((20, 10), &[0], (20, 11)).await?;
        raw.call((85, 10), &[0], (85, 11)).await?;
        Ok(raw)
    }

    /// Declares a durable fanout exchange, and binds another one to it. Any bytes may be its name.
    pub async fn declare_fanout_to(&mut self, name: &[u8], destination: &str) -> io::Result<()> {
        let no_arguments = [0; 4];
        let declare = [&[0, 0][..], &short(name), &short(b"fanout"), &[0b10], &no_arguments].concat();
        self.call((40, 10), &declare, (40, 11)).await?;
        let bind = [&[0, 0][..], &short(destination.as_bytes()), &short(name), &[0, 0], &no_arguments];
        self.call((40, 30), &bind.concat(), (40, 31)).await.map(drop)
    }

    pub async fn delete_exchange(&mut self, name: &[u8]) -> io::Result<()> {
        self.call((40, 20), &[&[0, 0][..], &short(name), &[0]].concat(), (40, 21)).await.map(drop)
    }

    /// Publishes them all, and waits until the broker has confirmed each. It closes the connection for what it cannot read:
    /// that is an error, and of those that were not confirmed nobody knows.
    pub async fn publish(&mut self, exchange: &[u8], messages: &[RawMessage]) -> io::Result<()> {
        for message in messages {
            self.send_message(exchange, message).await?;
        }
        self.stream.flush().await?;
        let first = self.published + 1;
        self.published += messages.len() as u64;
        let mut open: BTreeSet<u64> = (first..=self.published).collect();
        while !open.is_empty() {
            let ack = self.expect(ACK).await?;
            let tag = u64::from_be_bytes(ack[..8].try_into().map_err(io::Error::other)?);
            if ack[8] & 1 == 1 {
                open = open.split_off(&(tag + 1));
            } else {
                open.remove(&tag);
            }
        }
        Ok(())
    }

    async fn send_message(&mut self, exchange: &[u8], message: &RawMessage) -> io::Result<()> {
        let publish = [&[0, 0][..], &short(exchange), &short(&message.key), &[0]].concat();
        self.write(1, METHOD, &method((60, 40), &publish)).await?;
        let size = (message.body.len() as u64).to_be_bytes();
        self.write(1, HEADER, &[&[0, 60, 0, 0][..], &size, &message.properties].concat()).await?;
        for part in message.body.chunks(FRAME_MAX - FRAME_OVERHEAD) {
            self.write(1, BODY, part).await?;
        }
        Ok(())
    }

    async fn call(&mut self, what: Method, arguments: &[u8], answer: Method) -> io::Result<Vec<u8>> {
        self.send(1, METHOD, &method(what, arguments)).await?;
        self.expect(answer).await
    }

    async fn send(&mut self, channel: u16, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.write(channel, kind, payload).await?;
        self.stream.flush().await
    }

    async fn write(&mut self, channel: u16, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.stream.write_u8(kind).await?;
        self.stream.write_u16(channel).await?;
        self.stream.write_u32(u32::try_from(payload.len()).map_err(io::Error::other)?).await?;
        self.stream.write_all(payload).await?;
        self.stream.write_u8(END).await
    }

    /// The arguments of the next method, which is to be this one.
    async fn expect(&mut self, what: Method) -> io::Result<Vec<u8>> {
        loop {
            let kind = self.stream.read_u8().await?;
            let _channel = self.stream.read_u16().await?;
            let mut payload = vec![0; self.stream.read_u32().await? as usize];
            self.stream.read_exact(&mut payload).await?;
            let _end = self.stream.read_u8().await?;
            if kind != METHOD {
                continue;
            }
            let arguments = payload.split_off(4);
            let came =
                (u16::from_be_bytes([payload[0], payload[1]]), u16::from_be_bytes([payload[2], payload[3]]));
            if came == what {
                return Ok(arguments);
            }
            let text = match came {
                CONNECTION_CLOSE | CHANNEL_CLOSE => String::from_utf8_lossy(&arguments).into_owned(),
                _ => String::new(),
            };
            return Err(io::Error::other(format!("{came:?} instead of {what:?}: {text}")));
        }
    }
}

fn method((class, id): Method, arguments: &[u8]) -> Vec<u8> {
    [&class.to_be_bytes()[..], &id.to_be_bytes(), arguments].concat()
}

fn short(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}
