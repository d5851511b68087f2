//! Whatever a publisher put into a message: lapin can read the frames that the transport makes of the broker's, and the properties
//! are the same bytes, in and out. And whatever else comes: no crash.
#![no_main]

use std::sync::Arc;

use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel};
use arbitrary::Arbitrary;
use dead_letter::amqp::transport::{Inbound, Outbound, SideTables};
use libfuzzer_sys::fuzz_target;

const PROTOCOL_HEADER: [u8; 8] = *b"AMQP\0\0\x09\x01";

#[derive(Arbitrary, Debug)]
struct Content<'a> {
    exchange: &'a [u8],
    key: &'a [u8],
    words: &'a [u8],
    properties: &'a [u8],
    body: &'a [u8],
    anything: &'a [u8],
    /// Where what comes and goes is cut.
    pieces: Vec<u8>,
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&[kind, 0, 1][..], &length, payload, &[0xce]].concat()
}

fn header(properties: &[u8]) -> Vec<u8> {
    frame(2, &[&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], properties].concat())
}

fn short(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(255)];
    [&[u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

/// What lapin reads; `None` where the transport refuses it.
fn inbound(tables: &Arc<SideTables>, input: &[u8], pieces: &[u8]) -> Option<Vec<u8>> {
    let (mut inbound, mut out, mut left) = (Inbound::new(tables), Vec::new(), input);
    for &piece in pieces {
        let (part, rest) = left.split_at(left.len().min(piece.into()));
        inbound.feed(part, &mut out).ok()?;
        left = rest;
    }
    inbound.feed(left, &mut out).ok()?;
    Some(out)
}

/// What the broker gets; `None` where the transport refuses it.
fn outbound(tables: &Arc<SideTables>, input: &[u8], pieces: &[u8]) -> Option<Vec<u8>> {
    let (mut outbound, mut written, mut left) = (Outbound::new(tables), Vec::new(), input);
    let mut pieces = pieces.iter().map(|&piece| usize::from(piece).max(1));
    while !left.is_empty() {
        let (part, most) = (left.len().min(pieces.next().unwrap_or(usize::MAX)), pieces.next().unwrap_or(64));
        let mut out = Vec::new();
        let count = outbound.feed(&left[..part], &mut out, most).ok()?;
        assert!(count > 0);
        left = &left[count..];
        written.append(&mut out);
    }
    Some(written)
}

/// The frames that lapin reads in these bytes.
fn parsed(mut bytes: &[u8]) -> Vec<AMQPFrame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (rest, frame) = parse_frame(bytes).expect("lapin reads it");
        bytes = rest;
        frames.push(frame);
    }
    frames
}

fn comes(content: &Content<'_>) {
    let (exchange, key, words) = (short(content.exchange), short(content.key), short(content.words));
    let tag = [0, 0, 0, 0, 0, 0, 0, 7, 0];
    let deliver = [&[0, 60, 0, 60][..], b"\x03tag", &tag, &exchange, &key].concat();
    let returned = [&[0, 60, 0, 50, 1, 0x38][..], &words, &exchange, &key].concat();
    let close = [&[0, 20, 0, 40, 1, 0x94][..], &words, &[0, 40, 0, 10]].concat();
    let input = [
        frame(1, &deliver),
        header(content.properties),
        frame(3, content.body),
        frame(1, &returned),
        frame(1, &close),
    ];
    let tables = Arc::new(SideTables::default());
    let read = inbound(&tables, &input.concat(), &content.pieces).expect("it is translated");
    let frames = parsed(&read);
    let [
        AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver))),
        AMQPFrame::Header(1, header),
        AMQPFrame::Body(1, body),
        AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Return(_))),
        AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(_))),
    ] = frames.as_slice()
    else {
        panic!("{frames:?}")
    };
    assert_eq!(deliver.delivery_tag, 7);
    assert_eq!(deliver.exchange.as_str().len() + 1, exchange.len());
    if let Ok(key) = std::str::from_utf8(&key[1..]) {
        assert_eq!(deliver.routing_key.as_str(), key);
    }
    assert_eq!((header.class_id, header.body_size), (60, 9));
    assert_eq!(tables.received(&header.properties).as_deref(), Some(content.properties));
    assert_eq!(body, content.body);
}

fn goes(content: &Content<'_>) {
    let tables = Arc::new(SideTables::default());
    let token = tables.to_send(content.properties.to_vec());
    let stand_in = header(&[&[0, 0x40][..], &token.to_be_bytes()].concat());
    let sent = [&PROTOCOL_HEADER[..], &frame(1, content.key), &stand_in, &frame(3, content.body)].concat();
    let expected =
        [&PROTOCOL_HEADER[..], &frame(1, content.key), &header(content.properties), &frame(3, content.body)];
    assert_eq!(outbound(&tables, &sent, &content.pieces), Some(expected.concat()));
}

fuzz_target!(|content: Content<'_>| {
    comes(&content);
    goes(&content);
    let tables = Arc::new(SideTables::default());
    let _ = inbound(&tables, content.anything, &content.pieces);
    let _ = outbound(&tables, content.anything, &content.pieces);
    for kind in 1..=3 {
        let anything = frame(kind, content.anything);
        if let Some(read) = inbound(&tables, &anything, &content.pieces) {
            let _ = parse_frame(read.as_slice());
        }
        let _ = outbound(&tables, &[&PROTOCOL_HEADER, &anything[..]].concat(), &content.pieces);
    }
});
