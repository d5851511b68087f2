//! Whatever a publisher put into a message: the frames that the broker makes of it can be read, and give the same bytes. And
//! whatever else comes: no crash.
#![no_main]

use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel};
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Content<'a> {
    exchange: &'a [u8],
    key: &'a [u8],
    words: &'a [u8],
    properties: &'a [u8],
    body: &'a [u8],
    anything: &'a [u8],
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&[kind, 0, 1][..], &length, payload, &[0xce]].concat()
}

fn short(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(255)];
    [&[u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

fn read(frame: &[u8]) -> AMQPFrame {
    let (rest, frame) = parse_frame(frame).expect("it is read");
    assert!(rest.is_empty());
    frame
}

fuzz_target!(|content: Content<'_>| {
    let (exchange, key) = (short(content.exchange), short(content.key));
    let tag = [0, 0, 0, 0, 0, 0, 0, 7, 0];
    let deliver = [&[0, 60, 0, 60][..], b"\x03tag", &tag, &exchange, &key].concat();
    match read(&frame(1, &deliver)) {
        AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver))) => {
            assert_eq!(deliver.delivery_tag, 7);
            assert!(deliver.exchange.as_str().len() < exchange.len());
            if let Ok(key) = std::str::from_utf8(&key[1..]) {
                assert_eq!(deliver.routing_key.as_str(), key);
            }
        }
        other => panic!("{other:?}"),
    }
    let header = [&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], content.properties].concat();
    match read(&frame(2, &header)) {
        AMQPFrame::Header(1, header) => {
            assert_eq!((header.class_id, header.body_size), (60, 9));
            // Asking for a field reads them, and must not fail either.
            let _ = header.properties.message_id();
            assert_eq!(header.properties.into_wire(), content.properties);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(read(&frame(3, content.body)), AMQPFrame::Body(1, content.body.to_vec()));

    let words = short(content.words);
    let returned = [&[0, 60, 0, 50, 1, 0x38][..], &words, &exchange, &key].concat();
    assert!(matches!(
        read(&frame(1, &returned)),
        AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Return(_)))
    ));
    let close = [&[0, 20, 0, 40, 1, 0x94][..], &words, &[0, 40, 0, 10]].concat();
    assert!(matches!(
        read(&frame(1, &close)),
        AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(_)))
    ));

    let _ = parse_frame(content.anything);
    for kind in 1..=3 {
        let _ = parse_frame(frame(kind, content.anything).as_slice());
    }
});
