//! A client that sends and receives any bytes as names and as properties, which no client library does.

use std::collections::BTreeSet;
use std::io;

use lapin::uri::AMQPUri;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const END: u8 = 0xce;
/// Of `basic.consume`.
const NO_ACK: u8 = 0b10;
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
const DELIVER: Method = (60, 60);

/// A message as it is on the wire.
#[derive(Clone, Debug)]
pub struct RawMessage {
    pub key: Vec<u8>,
    pub properties: Vec<u8>,
    pub body: Vec<u8>,
}

/// A message as it was delivered.
#[derive(Debug)]
pub struct RawDelivery {
    pub tag: u64,
    pub properties: Vec<u8>,
    pub body: Vec<u8>,
}

/// A connection with one channel in confirm mode.
pub struct RawClient {
    stream: BufStream<TcpStream>,
    published: u64,
    /// The first two numbers of the broker's version.
    pub broker: (u32, u32),
}

impl RawClient {
    /// Connects, and opens its channel.
    pub async fn connect(url: &str) -> io::Result<Self> {
        let uri: AMQPUri = url.parse().map_err(io::Error::other)?;
        let stream = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        stream.set_nodelay(true)?;
        let mut raw = Self { stream: BufStream::new(stream), published: 0, broker: (0, 0) };
        let (user, password) = (uri.authority.userinfo.username, uri.authority.userinfo.password);
        raw.stream.write_all(b"AMQP\0\0\x09\x01").await?;
        raw.stream.flush().await?;
        let start = raw.expect((10, 10)).await?;
        raw.broker = version(&start).ok_or_else(|| io::Error::other("no version"))?;
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

    /// Takes a message off a queue once there is one. The end of the client.
    pub async fn take(mut self, queue: &str) -> io::Result<RawDelivery> {
        let taken = self.next(queue).await?;
        self.settle((60, 80), taken.tag).await?;
        Ok(taken)
    }

    /// Rejects the next message of a queue, as a consumer that fails. The end of the client.
    pub async fn reject_next(mut self, queue: &str) -> io::Result<()> {
        let rejected = self.next(queue).await?;
        self.settle((60, 90), rejected.tag).await
    }

    /// Takes so many messages off a queue that has no more. The end of the client.
    pub async fn drain(mut self, queue: &str, count: usize) -> io::Result<Vec<RawDelivery>> {
        self.consume(queue, NO_ACK).await?;
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            taken.push(self.delivery().await?);
        }
        self.close().await?;
        Ok(taken)
    }

    async fn next(&mut self, queue: &str) -> io::Result<RawDelivery> {
        self.call((60, 10), &[0, 0, 0, 0, 0, 1, 0], (60, 11)).await?;
        self.consume(queue, 0).await?;
        self.delivery().await
    }

    async fn settle(&mut self, how: Method, tag: u64) -> io::Result<()> {
        self.send(1, METHOD, &method(how, &[&tag.to_be_bytes()[..], &[0]].concat())).await?;
        self.close().await
    }

    async fn consume(&mut self, queue: &str, options: u8) -> io::Result<()> {
        let consume = [&[0, 0][..], &short(queue.as_bytes()), &short(b"raw"), &[options], &[0; 4]].concat();
        self.call((60, 20), &consume, (60, 21)).await.map(drop)
    }

    async fn delivery(&mut self) -> io::Result<RawDelivery> {
        let coming = async {
            let deliver = self.expect(DELIVER).await?;
            let tag = &deliver[1 + usize::from(deliver[0])..];
            let tag = u64::from_be_bytes(tag[..8].try_into().map_err(io::Error::other)?);
            let (_, mut header) = self.frame().await?;
            let properties = header.split_off(HEADER_OVERHEAD);
            let size = u64::from_be_bytes(header[4..].try_into().map_err(io::Error::other)?);
            let mut body = Vec::new();
            while (body.len() as u64) < size {
                body.extend(self.frame().await?.1);
            }
            Ok(RawDelivery { tag, properties, body })
        };
        tokio::time::timeout(super::DEADLINE, coming).await?
    }

    /// Closes the channel, which the broker does after all that was sent before.
    async fn close(&mut self) -> io::Result<()> {
        let bye = [&200_u16.to_be_bytes()[..], &short(b"bye"), &[0; 4]].concat();
        self.call(CHANNEL_CLOSE, &bye, (20, 41)).await.map(drop)
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

    /// Type and payload of the next frame.
    async fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let kind = self.stream.read_u8().await?;
        let _channel = self.stream.read_u16().await?;
        let mut payload = vec![0; self.stream.read_u32().await? as usize];
        self.stream.read_exact(&mut payload).await?;
        let _end = self.stream.read_u8().await?;
        Ok((kind, payload))
    }

    /// The arguments of the next method, which is to be this one.
    async fn expect(&mut self, what: Method) -> io::Result<Vec<u8>> {
        loop {
            let (kind, mut payload) = self.frame().await?;
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

/// The first two numbers of the version in the broker's introduction.
fn version(start: &[u8]) -> Option<(u32, u32)> {
    let name = b"\x07versionS";
    let at = start.windows(name.len()).position(|window| window == name)? + name.len();
    let (length, text) = start[at..].split_first_chunk()?;
    let text = std::str::from_utf8(text.get(..u32::from_be_bytes(*length) as usize)?).ok()?;
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    Some((numbers.next()?, numbers.next()?))
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
