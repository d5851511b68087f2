//! Poison by chance: valid properties of random types, and valid ones with flipped bits.

use dead_letter::domain::message::{Properties, Table, Value};
use dead_letter::domain::wire;
use rand::Rng;
use rand::rngs::StdRng;

use crate::support::raw::RawMessage;

/// Names that somebody reads something into.
const NAMES: [&str; 16] = [
    "x-death",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-first-death-exchange",
    "dead-letter-error-type",
    "dead-letter-error-message",
    "dead-letter-error-stack",
    "dead-letter-origin-queue",
    "dead-letter-origin-exchange",
    "dead-letter-origin-routing-key",
    "dead-letter-failed-at",
    "dead-letter-redelivery-id",
    "dead-letter-redelivery-count",
    "traceparent",
    "queue",
    "count",
];
const DEEPEST: u32 = 4;

/// A message with properties that can be read.
pub fn valid(random: &mut StdRng) -> RawMessage {
    let properties = properties(random);
    write(&properties, random)
}

fn write(properties: &Properties, random: &mut StdRng) -> RawMessage {
    let properties = wire::encode(properties).unwrap();
    RawMessage { key: bytes(random, 60), properties, body: body(random) }
}

/// One of whose properties some bits are flipped.
pub fn flipped(random: &mut StdRng) -> RawMessage {
    // A day may become a millisecond, and then it is a matter of luck who sees the message.
    let properties = Properties { expiration: None, ..properties(random) };
    let mut message = write(&properties, random);
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..message.properties.len());
        message.properties[at] ^= 1 << random.random_range(0..8);
    }
    message
}

fn properties(random: &mut StdRng) -> Properties {
    let short = |random: &mut StdRng| random.random_bool(0.3).then(|| bytes(random, 40));
    Properties {
        content_type: short(random),
        content_encoding: short(random),
        correlation_id: short(random),
        reply_to: short(random),
        message_id: short(random),
        kind: short(random),
        app_id: short(random),
        cluster_id: short(random),
        headers: random.random_bool(0.9).then(|| table(random, 1)),
        delivery_mode: random.random_bool(0.5).then(|| random.random_range(1..3)),
        priority: random.random_bool(0.3).then(|| random.random()),
        timestamp: random.random_bool(0.3).then(|| number(random)),
        // The broker refuses what is no number, and any user but the one who publishes.
        expiration: random.random_bool(0.1).then(|| b"86400000".to_vec()),
        user_id: None,
    }
}

fn table(random: &mut StdRng, depth: u32) -> Table {
    let entries = random.random_range(0..6);
    Table((0..entries).map(|_| (name(random), value(random, depth))).collect())
}

fn name(random: &mut StdRng) -> Vec<u8> {
    if random.random_bool(0.5) {
        NAMES[random.random_range(0..NAMES.len())].into()
    } else {
        bytes(random, 12)
    }
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    // A table or an array as often as all the others together, down to some depth.
    let kinds = if depth < DEEPEST { 28 } else { 14 };
    match random.random_range(0..kinds) {
        0 => Value::Bool(random.random()),
        1 => Value::I8(random.random()),
        2 => Value::U8(random.random()),
        3 => Value::I16(random.random()),
        4 => Value::U16(random.random()),
        5 => Value::I32(random.random()),
        6 => Value::U32(random.random()),
        7 => Value::I64(number(random).cast_signed()),
        // The broker takes no others.
        8 => Value::F32(Some(f32::from_bits(random.random())).filter(|n| n.is_finite()).unwrap_or(-0.0)),
        9 => Value::F64(Some(f64::from_bits(random.random())).filter(|n| n.is_finite()).unwrap_or(-0.0)),
        10 => Value::Decimal { scale: random.random(), value: random.random() },
        11 => Value::Bytes(bytes(random, 60)),
        12 => Value::Timestamp(number(random)),
        13 => Value::Void,
        14..18 => Value::LongString(bytes(random, 200)),
        18..23 => Value::Array((0..random.random_range(0..6)).map(|_| value(random, depth + 1)).collect()),
        _ => Value::Table(table(random, depth + 1)),
    }
}

/// Small, huge, or at an edge.
fn number(random: &mut StdRng) -> u64 {
    match random.random_range(0..4) {
        0 => random.random_range(0..3),
        1 => 1_795_392_000,
        2 => u64::MAX >> random.random_range(0..3),
        _ => random.random(),
    }
}

/// Text, nearly text, or not at all; now and then as long as it may be.
fn bytes(random: &mut StdRng, most: usize) -> Vec<u8> {
    let most = if random.random_bool(0.02) { 255 } else { most };
    let length = random.random_range(0..=most);
    let any = random.random_bool(0.3);
    let byte = |random: &mut StdRng| if any { random.random() } else { random.random_range(b' '..=b'~') };
    (0..length).map(|_| byte(random)).collect()
}

fn body(random: &mut StdRng) -> Vec<u8> {
    // Begins with what no other has, to be told apart.
    let mut body = uuid::Uuid::from_u128(random.random()).into_bytes().to_vec();
    body.extend(bytes(random, 400));
    body
}
