//! Whatever stands where JSON should in a message: everything that reads or changes it does so within its memory (rule R16), and a
//! patch makes JSON of JSON.
//!
//! An input has parts, with the byte 0x1e between them: the beginning of a body, what is repeated in it, its end, a patch, and a
//! path in the body with a value.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dead_letter::domain::body_path::BodyPath;
use dead_letter::domain::bounded::{self, Budget, MAX_DEPTH, Unread};
use dead_letter::domain::coding::Coding;
use dead_letter::domain::convention::{Conventions, Decoding};
use dead_letter::domain::deadline;
use dead_letter::domain::message::{Message, Properties, Table, Value};
use dead_letter::domain::needle::Needle;
use dead_letter::domain::patch::{self, PatchOperation};
use dead_letter::domain::recheck::{DatabaseMatch, MAX_DECODED, Recheck};
use dead_letter::domain::redelivery::{self, Destination, Mark};
use dead_letter::domain::spans;
use dead_letter_fuzz::memory::within;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use uuid::Uuid;

static CONVENTIONS: LazyLock<Conventions> = LazyLock::new(Conventions::default);

/// Bodies are repeated up to this length.
const LENGTH: usize = 64 << 10;
/// What each step may take besides: names, warnings, the tables of a decoder.
const BESIDES: usize = 16 << 10;
/// The 2,000 headers that are read of an envelope, and half as many while their list grows.
const HEADERS: usize = 192 << 10;
/// So much of a compressed body is shown.
const SHOWN: usize = 64 << 10;
/// The windows of a decoder, and what it copies them into.
const DECODER: usize = 20 << 20;
/// Copies of a large document are slow.
const MOST_OPERATIONS: usize = 14;

struct Input<'a> {
    body: Vec<u8>,
    patch: &'a [u8],
    path: &'a str,
    value: &'a str,
}

impl<'a> Input<'a> {
    fn read(input: &'a [u8]) -> Self {
        let mut parts = input.splitn(5, |byte| *byte == 0x1e);
        let mut part = || parts.next().unwrap_or_default();
        let (begin, middle, end, patch, look) = (part(), part(), part(), part(), part());
        let room = LENGTH.saturating_sub(begin.len() + end.len());
        let times = room.checked_div(middle.len()).unwrap_or_default();
        let look = std::str::from_utf8(look).unwrap_or("a=1");
        let (path, value) = look.split_once('=').unwrap_or((look, ""));
        Self { body: [begin, &middle.repeat(times), end].concat(), patch, path, value }
    }
}

fuzz_target!(|input: &[u8]| {
    let Input { body, patch, path, value } = Input::read(input);
    spans(&body);
    for message in messages(&body) {
        derived(&message);
    }
    looked_at(&body, path, value);
    if let Ok(operations) = serde_json::from_slice::<Vec<PatchOperation>>(patch) {
        patched(&operations[..operations.len().min(MOST_OPERATIONS)], &body);
    }
});

/// The reader, which remembers the brackets that are open, and the places of values, which take no memory.
fn spans(body: &[u8]) {
    let read =
        within(2 * body.len() + BESIDES, "the reader", || bounded::read::<IgnoredAny>(body, Budget::MESSAGE));
    let small = Budget { bytes: LENGTH, values: 100 };
    assert!(bounded::within(body, small).is_ok() || body.len() > small.values);
    within(BESIDES, "the places of values", || {
        let whole = spans::whole(body);
        let parts = spans::parts(body, &whole).inspect(|part| {
            assert!(part.start() <= part.value.start && part.value.end <= body.len());
            assert!(read.is_err() || !part.value.is_empty(), "a part of JSON is something");
        });
        assert!(parts.count() <= body.len());
    });
}

/// The body as each library that keeps JSON would have it, in the body or in a header.
fn messages(body: &[u8]) -> Vec<Message> {
    let with = |properties| Message::at_rest(properties, body.to_vec());
    let header = |name: &str, value| {
        let headers = Some(Table(vec![(name.into(), value)]));
        Properties { headers, ..Properties::default() }
    };
    let text = |name| Message::at_rest(header(name, Value::LongString(body.to_vec())), Vec::new());
    vec![
        with(Properties::default()),
        with(Properties { kind: Some(b"EasyNetQ.SystemMessages.Error".to_vec()), ..Properties::default() }),
        with(Properties {
            content_type: Some(b"application/cloudevents+json".to_vec()),
            ..Properties::default()
        }),
        with(header("laravel", Value::Table(Table::default()))),
        text("retry_info"),
        text("X-Message-Stamp-A\\SentToFailureTransportStamp"),
        text("X-Message-Stamp-A\\ErrorDetailsStamp"),
        text("rascal"),
    ]
}

/// What ingest, plans and redeliveries read.
fn derived(message: &Message) {
    let header = message.properties.headers.as_ref().map_or(0, Table::size);
    // A list of short texts takes 24 bytes for each, and twice as many while it grows.
    let limit = 8 * message.body.len() + 32 * header + HEADERS + BESIDES;
    within(limit, "to read it", || CONVENTIONS.recognise("source", message));
    within(BESIDES + header, "to read its headers only", || {
        CONVENTIONS.read("source", message, Decoding::HeadersOnly)
    });
    within(limit, "to look for its deadline", || deadline::of(message));
    for decoding in [Decoding::Full, Decoding::HeadersOnly] {
        let (again, mark) = (message.clone(), Mark::Redelivery(Uuid::nil()));
        within(limit, "to put it back", || {
            redelivery::message(&CONVENTIONS, again, decoding, mark, Destination::Queue)
        });
    }
}

/// What filters and views read.
fn looked_at(body: &[u8], path: &str, value: &str) {
    let limit = 3 * body.len() + 8 * value.len() + BESIDES;
    let needle = Needle::Text(value.to_owned());
    within(limit, "to find a text", || needle.is_in(body));
    let path = BodyPath::parse(path).ok();
    if let Some(path) = &path {
        within(limit, "to follow a path", || path.finds(body, value));
    }
    let body_paths = path.map(|path| (path, value.to_owned())).into_iter().collect();
    let recheck = Recheck { contains: Some(needle), find: None, headers: BTreeMap::new(), body_paths };
    for encoding in Coding::NAMES {
        let properties = Properties { content_encoding: Some(encoding.into()), ..Properties::default() };
        let coding = Coding::of(&properties).expect("it has this name");
        within(DECODER + 3 * SHOWN, "to show a part", || coding.decode(body, SHOWN));
        within(DECODER + 4 * MAX_DECODED, "to look into it", || {
            recheck.matches(DatabaseMatch::default(), &properties, body)
        });
    }
}

fn patched(operations: &[PatchOperation], body: &[u8]) {
    let limit = patch::memory(operations, body.len()) + BESIDES;
    let patched = match within(limit, "to patch it", || patch::apply(operations, body)) {
        Ok(patched) => patched,
        Err(error) => return assert!(error.to_string().len() < 200),
    };
    assert!(patched.len() <= patch::MAX_BYTES + bounded::BYTE_ORDER_MARK.len());
    let read = serde_json::from_slice::<IgnoredAny>(bounded::without_mark(&patched));
    assert!(read.is_ok(), "what was JSON is JSON");
    assert!(bounded::depth(&patched) <= MAX_DEPTH);
    if !operations.iter().any(PatchOperation::changes) {
        assert_eq!(patched, body, "a test changes nothing");
    }
    assert!(!matches!(patch::apply(&[], &patched), Err(patch::PatchError::Body(Unread::NotJson { .. }))));
}
