//! Messages that cost their readers more than their bytes.

use std::process::Command;

use dead_letter::domain::message::{Properties, Table, Value};
use dead_letter::domain::wire;

use super::shapes::shapes;
use crate::support::raw::{LONGEST_PROPERTIES, RawMessage};

/// The first so many are enough for the short form: one of each sort.
pub const FEW: usize = 8;

/// A message that is hard to take.
pub struct Amplifier {
    pub name: String,
    pub message: RawMessage,
}

fn amplifier(name: impl Into<String>, properties: &Properties, body: Vec<u8>) -> Amplifier {
    let properties = wire::encode(properties).unwrap();
    Amplifier { name: name.into(), message: RawMessage { key: b"dead".to_vec(), properties, body } }
}

/// All of them, with bodies of about so many bytes.
pub fn amplifiers(size: usize) -> Vec<Amplifier> {
    let mut all = Vec::new();
    let shapes = shapes(size);
    let shape = |name: &str| shapes.iter().find(|(other, _)| *other == name).unwrap().1.clone();
    all.push(in_an_envelope("easynetq: headers of objects", EASYNETQ_HEADERS, &shape("objects")));
    all.push(amplifier("plain: objects", &Properties::default(), shape("objects")));
    all.push(with_headers(
        "headers: array of empty tables",
        vec![(b"x".to_vec(), filled(&Value::Table(Table::default()), 5))],
    ));
    all.push(amplifier("bytes: control characters", &Properties::default(), vec![1; size]));
    all.push(compressed("gzip: zeros", "head -c 1000000000 /dev/zero | gzip -9", b"gzip"));
    all.push(in_an_envelope("dramatiq: arguments", DRAMATIQ_ARGUMENTS, &shape("deep arrays")));
    all.push(in_an_envelope("easynetq: a long exception", EASYNETQ_EXCEPTION, &shape("escapes")));
    all.push(with_headers("headers: voids", vec![(b"x".to_vec(), filled(&Value::Void, 1))]));
    assert_eq!(all.len(), FEW);
    all.extend(
        shapes
            .iter()
            .filter(|(name, _)| *name != "objects")
            .map(|(name, text)| amplifier(format!("plain: {name}"), &Properties::default(), text.clone())),
    );
    for (name, envelope, text) in [
        ("easynetq: headers of many keys", EASYNETQ_HEADERS, shape("many keys")),
        ("easynetq: deep headers", EASYNETQ_HEADERS, shape("deep objects")),
        ("easynetq: a long message", EASYNETQ_MESSAGE, shape("escapes")),
        ("easynetq: a member of its own", EASYNETQ_OTHER, shape("objects")),
        ("dramatiq: a traceback", DRAMATIQ_TRACEBACK, shape("escapes")),
        ("dramatiq: objects", DRAMATIQ_ARGUMENTS, shape("objects")),
        ("cloudevents: data", CLOUDEVENTS_DATA, shape("objects")),
        ("cloudevents: an id", CLOUDEVENTS_ID, shape("quotes")),
        ("laravel: data", LARAVEL_DATA, shape("numbers")),
    ] {
        all.push(in_an_envelope(name, envelope, &text));
    }
    all.push(amplifier("bytes: no UTF-8", &Properties::default(), vec![0xff; size]));
    all.push(amplifier(
        "bytes: half a character at the end",
        &Properties::default(),
        "é".repeat(size / 2)[..].as_bytes()[..size / 2 * 2 - 1].to_vec(),
    ));
    all.extend(headers());
    all.push(compressed("gzip: gzip of zeros", "head -c 1000000000 /dev/zero | gzip -9 | gzip -9", b"gzip"));
    all.push(compressed("gzip: objects", "yes '{\"\":0},' | head -c 300000000 | gzip -9", b"gzip"));
    all.push(compressed(
        "deflate: zeros",
        "head -c 1000000000 /dev/zero | gzip -9 | tail -c +11",
        b"deflate",
    ));
    all.push(compressed("zstd: no zstd", "head -c 1000000000 /dev/zero | gzip -9", b"zstd"));
    all
}

type Envelope = (&'static str, &'static str, &'static str);
const EASYNETQ: &str = "EasyNetQ.SystemMessages.Error, EasyNetQ";
/// Kind, and what stands before and after the text.
const EASYNETQ_HEADERS: Envelope =
    (EASYNETQ, r#"{"Queue":"q","Message":"m","BasicProperties":{"Headers":{"x":"#, "}}}");
const EASYNETQ_MESSAGE: Envelope = (EASYNETQ, r#"{"Queue":"q","Message":"#, "}");
const EASYNETQ_EXCEPTION: Envelope = (EASYNETQ, r#"{"Queue":"q","Message":"m","Exception":"#, "}");
const EASYNETQ_OTHER: Envelope = (EASYNETQ, r#"{"Queue":"q","Message":"m","Other":"#, "}");
const DRAMATIQ_ARGUMENTS: Envelope =
    ("", r#"{"queue_name":"q","actor_name":"a","message_id":"m","args":"#, "}");
const DRAMATIQ_TRACEBACK: Envelope =
    ("", r#"{"queue_name":"q","actor_name":"a","message_id":"m","options":{"traceback":"#, "}}");
const CLOUDEVENTS_DATA: Envelope = ("cloudevents", r#"{"id":"i","type":"t","data":"#, "}");
const CLOUDEVENTS_ID: Envelope = ("cloudevents", r#"{"type":"t","id":"#, "}");
const LARAVEL_DATA: Envelope = ("laravel", r#"{"displayName":"d","data":"#, "}");

fn in_an_envelope(name: &str, (kind, before, after): Envelope, text: &[u8]) -> Amplifier {
    let body = [before.as_bytes(), text, after.as_bytes()].concat();
    let mut properties = Properties::default();
    match kind {
        "cloudevents" => properties.content_type = Some(b"application/cloudevents+json".to_vec()),
        "laravel" => {
            properties.headers = Some(Table(vec![(b"laravel".to_vec(), Value::Table(Table::default()))]));
        }
        kind => properties.kind = (!kind.is_empty()).then(|| kind.as_bytes().to_vec()),
    }
    amplifier(name, &properties, body)
}

/// As many as fit of a value that takes so many bytes.
fn filled(value: &Value, size: usize) -> Value {
    Value::Array(vec![value.clone(); (LONGEST_PROPERTIES - 400) / size])
}

fn with_headers(name: &str, headers: Vec<(Vec<u8>, Value)>) -> Amplifier {
    amplifier(name, &Properties { headers: Some(Table(headers)), ..Properties::default() }, b"{}".to_vec())
}

fn headers() -> Vec<Amplifier> {
    let room = LONGEST_PROPERTIES - 400;
    let list = |element: &str| {
        format!("[{}{element}]", format!("{element},").repeat(room / (element.len() + 1) - 40))
    };
    let one = |name: &str, value: Value| (name.as_bytes().to_vec(), value);
    let deepest = (0..500).fold(Value::Void, |value, _| Value::Table(Table(vec![(b"n".to_vec(), value)])));
    let death =
        Value::Table(Table(vec![one("queue", Value::text("q")), one("reason", Value::text("rejected"))]));
    let info = |member: &str, text: &str| {
        vec![one("retry_info", Value::text(format!(r#"[{{"{member}":{text}}}]"#)))]
    };
    let stamp = "X-Message-Stamp-A\\ErrorDetailsStamp";
    vec![
        with_headers(
            "headers: many short names",
            (0..room / 9).map(|n| one(&format!("{n:06}"), Value::Void)).collect(),
        ),
        with_headers("headers: twins", vec![one("", Value::Void); room / 2]),
        with_headers("headers: nested tables", vec![one("n", deepest.clone())]),
        with_headers("headers: many nested tables", vec![one("n", deepest); room / 4_100]),
        with_headers(
            "headers: nested arrays",
            vec![one("n", (0..500).fold(Value::Void, |value, _| Value::Array(vec![value])))],
        ),
        with_headers("headers: a long string", vec![one("x", Value::LongString(vec![1; room]))]),
        with_headers("headers: long names", vec![(vec![b'n'; 255], Value::Bool(true)); room / 258]),
        with_headers("headers: booleans", vec![one("x", filled(&Value::Bool(true), 2))]),
        with_headers("headers: empty strings", vec![one("x", filled(&Value::text(""), 5))]),
        with_headers("x-death: many", vec![one("x-death", filled(&death, 38))]),
        with_headers("x-death: numbers", vec![one("x-death", filled(&Value::I8(1), 2))]),
        with_headers("sneakers: a backtrace", info("backtrace", &list("\"\""))),
        with_headers(
            "sneakers: properties",
            info("properties", &format!(r#"{{"headers":{{"x":{}}}}}"#, list("{\"\":0}"))),
        ),
        with_headers("sneakers: many failures", vec![one("retry_info", Value::text(list("{}")))]),
        with_headers("symfony: many stamps", vec![one(stamp, Value::text(list("{}")))]),
        with_headers(
            "symfony: objects",
            vec![one(stamp, Value::text(format!(r#"[{{"flattenException":{}}}]"#, list("{\"\":0}"))))],
        ),
        with_headers(
            "native: a long error",
            vec![one("dead-letter-error-message", Value::text("\u{1}".repeat(room)))],
        ),
    ]
}

/// What this command makes, as the body.
fn compressed(name: &str, command: &str, encoding: &[u8]) -> Amplifier {
    let made = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(made.status.success() && !made.stdout.is_empty(), "{command}");
    let content_encoding = Some(encoding.to_vec());
    let content_type = Some(b"application/json".to_vec());
    amplifier(name, &Properties { content_encoding, content_type, ..Properties::default() }, made.stdout)
}
