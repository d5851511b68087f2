//! Bytes in, bytes out, without a broker and without lapin; then over a socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use async_rs::Tokio;
use async_rs::traits::Reactor;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::wire;

const END: u8 = 0xce;
const CONTENT: [u8; 12] = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 0, 1][..], &length, payload, &[END]].concat()
}

fn header(properties: &[u8]) -> Vec<u8> {
    frame(2, &[&CONTENT, properties].concat())
}

fn token_header(token: u64) -> Vec<u8> {
    header(&[&[0, 0x40][..], &token.to_be_bytes()].concat())
}

fn short(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn deliver(exchange: &[u8], key: &[u8]) -> Vec<u8> {
    let tag = [0, 0, 0, 0, 0, 0, 0, 7, 0];
    frame(1, &[&[0, 60, 0, 60][..], &short(b"consumer"), &tag, &short(exchange), &short(key)].concat())
}

/// What lapin reads of these bytes, fed in pieces of these lengths; `None` where the transport refuses them.
fn read(tables: &Arc<SideTables>, input: &[u8], pieces: &[usize]) -> Option<Vec<u8>> {
    let (mut inbound, mut out, mut left) = (Inbound::new(tables), Vec::new(), input);
    for &piece in pieces.iter().chain(&[usize::MAX]) {
        let (part, rest) = left.split_at(left.len().min(piece));
        inbound.feed(part, &mut out).ok()?;
        left = rest;
    }
    Some(out)
}

/// What the broker gets of these bytes, taken in pieces of these lengths, with so many for output at once.
fn written(tables: &Arc<SideTables>, input: &[u8], pieces: &[usize], most: usize) -> Option<Vec<u8>> {
    let (mut outbound, mut written, mut left) = (Outbound::new(tables), Vec::new(), input);
    let mut pieces = pieces.iter();
    while !left.is_empty() {
        let piece = pieces.next().copied().unwrap_or(usize::MAX).min(left.len());
        let mut out = Vec::new();
        let count = outbound.feed(&left[..piece], &mut out, most).ok()?;
        assert!(count > 0, "a write that takes nothing is taken for an end");
        left = &left[count..];
        written.append(&mut out);
    }
    Some(written)
}

/// A frame of any kind, and what lapin reads in its place, but for the token.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || vec(any::<u8>(), 0..300);
    let name = || vec(any::<u8>(), 0..=255);
    prop_oneof![
        bytes().prop_map(|properties| header(&properties)),
        bytes().prop_map(|body| frame(3, &body)),
        (name(), name()).prop_map(|(exchange, key)| deliver(&exchange, &key)),
        (any::<[u8; 4]>(), bytes()).prop_map(|(name, rest)| frame(1, &[&name[..], &rest].concat())),
        Just(frame(8, &[])),
    ]
}

fn any_pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(1..10_usize, 0..400), vec(1..1_000_usize, 0..20)]
}

proptest! {
    #[test]
    fn any_split_of_what_comes_is_read_the_same(frames in vec(any_frame(), 0..20), pieces in any_pieces()) {
        let input = frames.concat();
        let [whole, split] = [(); 2].map(|()| Arc::new(SideTables::default()));
        prop_assert_eq!(read(&whole, &input, &[]), read(&split, &input, &pieces));
        let headers = frames.iter().filter(|frame| frame[0] == 2).count();
        for token in 1..=headers as u64 {
            let properties = whole.incoming.take(token);
            prop_assert!(properties.is_some());
            prop_assert_eq!(properties, split.incoming.take(token));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in vec(any::<u8>(), 0..200), pieces in any_pieces()) {
        let tables = Arc::new(SideTables::default());
        let _ = read(&tables, &input, &pieces);
        if !input.is_empty() {
            let _ = written(&tables, &input, &pieces, 64);
        }
    }

    #[test]
    fn any_split_of_what_goes_out_is_written_the_same_and_comes_back(
        messages in vec((vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..300)), 0..20),
        pieces in any_pieces(),
        most in 1..2_000_usize,
    ) {
        let (here, there) = (Arc::new(SideTables::default()), Arc::new(SideTables::default()));
        let (mut sent, mut expected) = (b"AMQP\0\0\x09\x01".to_vec(), b"AMQP\0\0\x09\x01".to_vec());
        for (properties, body) in &messages {
            sent.extend(token_header(here.outgoing.put(properties.clone())));
            expected.extend(header(properties));
            sent.extend(frame(3, body));
            expected.extend(frame(3, body));
        }
        let out = written(&here, &sent, &pieces, most);
        prop_assert_eq!(out.as_deref(), Some(expected.as_slice()));
        let back = read(&there, &expected[8..], &pieces);
        prop_assert!(back.is_some());
        for (token, (properties, _)) in (1..).zip(&messages) {
            let came = there.incoming.take(token);
            prop_assert_eq!(came.as_ref(), Some(properties));
        }
    }
}

/// Rule R4: a publisher cannot forge a token either, as every header is replaced.
#[test]
fn properties_pass_lapin_by() {
    let tables = Arc::new(SideTables::default());
    let all = [vec![0, 0], vec![0xff; 200_000], [&[0, 0x40][..], &7_u64.to_be_bytes()].concat(), vec![]];
    let input: Vec<u8> = all.iter().flat_map(|properties| header(properties)).collect();
    let expected: Vec<u8> = (1..=4).flat_map(token_header).collect();
    assert_eq!(read(&tables, &input, &[]), Some(expected));
    for (token, properties) in (1..).zip(all) {
        let stand_in = BasicProperties::default().with_timestamp(token);
        assert_eq!(tables.incoming.take(stand_in.timestamp().unwrap()), Some(properties));
        assert_eq!(tables.incoming.take(token), None);
    }
}

/// A publisher may choose any bytes for a routing key, and the broker cuts its words within a character.
#[test]
fn short_strings_that_are_not_utf8_are_made_readable() {
    let tables = Arc::new(SideTables::default());
    let changed = |input: &[u8]| read(&tables, input, &[]).unwrap();
    assert_eq!(changed(&deliver(b"ex", b"k\xe4y")), deliver(b"ex", b"k?y"));
    assert_eq!(
        changed(&deliver(b"\xff\xfe", "schlüssel".as_bytes())),
        deliver(b"??", "schlüssel".as_bytes())
    );
    let method = |name: [u8; 4], before: &[u8], texts: &[&[u8]]| {
        let texts: Vec<u8> = texts.iter().flat_map(|text| short(text)).collect();
        frame(1, &[&name[..], before, &texts, &[0xff; 4]].concat())
    };
    let (code, tag) = ([1, 0x94], [0xff; 9]);
    let methods: [([u8; 4], &[u8], usize); 5] = [
        ([0, 10, 0, 50], &code, 1),
        ([0, 20, 0, 40], &code, 1),
        ([0, 10, 0, 60], &[], 1),
        ([0, 60, 0, 50], &code, 3),
        ([0, 60, 0, 71], &tag, 2),
    ];
    for (name, before, count) in methods {
        let came = method(name, before, &vec![b"gr\xfcn".as_slice(); count]);
        assert_eq!(changed(&came), method(name, before, &vec![b"gr?n".as_slice(); count]), "{name:?}");
        // Cut off anywhere: for lapin to refuse.
        for length in 4..came.len() - 8 {
            assert_eq!(changed(&frame(1, &came[7..7 + length])).len(), 8 + length);
        }
    }
    let other = method([0, 50, 0, 11], &[], &[b"\xff"]);
    assert_eq!(changed(&other), other);
}

#[test]
fn what_the_broker_tells_of_itself_is_kept() {
    let tables = Arc::new(SideTables::default());
    let text = |name: &[u8], text: &[u8]| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&short(name), &b"S"[..], &length, text].concat()
    };
    let entries = [text(b"version", b"4.3.1"), text(b"cluster_name", &vec![b'c'; 30_000])].concat();
    let table = [&u32::try_from(entries.len()).unwrap().to_be_bytes()[..], &entries].concat();
    let start = frame(1, &[&[0, 10, 0, 10, 0, 9][..], &table, b"\0\0\0\x05PLAIN\0\0\0\x05en_US"].concat());
    assert_eq!(read(&tables, &start, &[]), Some(start));
    let server = wire::decode_table(&tables.server()).unwrap();
    assert_eq!(server.text("version").as_deref(), Some("4.3.1"));
    assert_eq!(server.text("cluster_name").map(|name| name.len()), Some(30_000));
}

/// What was published past the transport, such as with a token that was made up, would be a message with a token for a property.
#[test]
fn a_content_header_without_a_token_of_ours_does_not_go_out() {
    let tables = Arc::new(SideTables::default());
    let token = tables.outgoing.put(vec![0, 0]);
    for foreign in [token_header(token + 1), header(&[0, 0]), header(&[0x80, 0, 0]), frame(2, &[])] {
        let (mut outbound, mut out) = (Outbound::new(&tables), Vec::new());
        let input = [b"AMQP\0\0\x09\x01", &foreign[..]].concat();
        assert!(outbound.feed(&input, &mut out, usize::MAX).is_err(), "{foreign:?}");
        assert_eq!(out, b"AMQP\0\0\x09\x01");
    }
}

/// Rule R16: it costs what has come, not what it claims.
#[test]
fn a_frame_that_claims_to_be_long_takes_what_has_come() {
    let tables = Arc::new(SideTables::default());
    let mut longest = header(&[0, 0]);
    longest.truncate(20);
    longest[3..7].copy_from_slice(&(64_u32 << 20).to_be_bytes());
    assert_eq!(read(&tables, &longest, &[]), None, "with what is around it, it is longer");
    longest[3..7].copy_from_slice(&((64_u32 << 20) - 8).to_be_bytes());
    let mut inbound = Inbound::new(&tables);
    inbound.feed(&longest, &mut Vec::new()).unwrap();
    assert!(inbound.frames.held.capacity() < 1_000);
    // A body may claim anything: it is not gathered.
    let body = [3, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    assert_eq!(read(&tables, &body, &[]), Some(body.to_vec()));
}

/// Two ends of a connection; theirs fails where it waits for long.
fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    theirs.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    (ours, theirs)
}

async fn read_from(mut theirs: UnixStream, length: usize) -> (UnixStream, Vec<u8>) {
    let reading = tokio::task::spawn_blocking(move || {
        let mut came = vec![0; length];
        theirs.read_exact(&mut came).unwrap();
        (theirs, came)
    });
    reading.await.unwrap()
}

/// A header of more bytes than a socket holds: what lapin takes for written is written as it flushes, and as it closes.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_written() {
    let ((ours, theirs), tokio) = (pair(), Tokio::current());
    let tables = Arc::new(SideTables::default());
    let mut stream = Translated::new(tokio.register(ours).unwrap(), &tables);
    let long = header(&vec![7; 5_000_000]);
    let stand_in = || token_header(tables.to_send(vec![7; 5_000_000]));
    stream.write_all(&[b"AMQP\0\0\x09\x01", &stand_in()[..]].concat()).await.unwrap();
    let (flushed, (theirs, came)) = tokio::join!(stream.flush(), read_from(theirs, 8 + long.len()));
    flushed.unwrap();
    assert!(came[8..] == long);
    stream.write_all(&stand_in()).await.unwrap();
    let (closed, (_, came)) = tokio::join!(stream.close(), read_from(theirs, long.len()));
    closed.unwrap();
    assert!(came == long);
}

/// A content header that comes in parts is no end of the connection, and nothing of it is read before it is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_comes_in_parts_is_waited_for() {
    let ((ours, mut theirs), tokio) = (pair(), Tokio::current());
    let tables = Arc::new(SideTables::default());
    let mut stream = Translated::new(tokio.register(ours).unwrap(), &tables);
    let long = header(&vec![7; 1_000_000]);
    let writing = tokio::task::spawn_blocking(move || {
        theirs.write_all(&long).unwrap();
        theirs.write_all(&frame(3, b"body")).unwrap();
    });
    let mut came = Vec::new();
    stream.read_to_end(&mut came).await.unwrap();
    writing.await.unwrap();
    assert_eq!(came, [token_header(1), frame(3, b"body")].concat());
    assert_eq!(tables.incoming.take(1).map(|properties| properties.len()), Some(1_000_000));
}
