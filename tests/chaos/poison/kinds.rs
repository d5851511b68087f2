//! Kinds of poison, made by hand.

use dead_letter::domain::message::{Properties, Table, Value};
use dead_letter::domain::wire;

use crate::support::raw::RawMessage;
use crate::table::times;

/// What RabbitMQ 3.10 does not take from a publisher.
pub const REFUSED: [&str; 4] = ["not a number", "an infinite number", "delivery mode 0", "delivery mode 255"];

/// One kind.
pub struct Kind {
    pub name: &'static str,
    pub message: RawMessage,
}

/// As it is made, before it is written.
struct Draft {
    name: &'static str,
    key: Vec<u8>,
    properties: Properties,
    body: Option<Vec<u8>>,
    /// In place of the properties, where they are such as we do not write.
    wire: Option<Vec<u8>>,
}

impl Draft {
    fn new(name: &'static str) -> Self {
        Self { name, key: b"dead".to_vec(), properties: Properties::default(), body: None, wire: None }
    }

    fn key(mut self, key: &[u8]) -> Self {
        self.key = key.to_vec();
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Properties)) -> Self {
        change(&mut self.properties);
        self
    }

    fn header(mut self, name: impl AsRef<[u8]>, value: Value) -> Self {
        let headers = self.properties.headers.get_or_insert_default();
        headers.0.push((name.as_ref().to_vec(), value));
        self
    }

    fn deaths(self, deaths: Vec<Value>) -> Self {
        self.header("x-death", Value::Array(deaths))
    }

    /// One that also has what it is known by: a message id and a time of death.
    fn keyed(self, mark: &str) -> Self {
        self.with(|p| p.message_id = Some(format!("poison-{mark}").into_bytes()))
    }

    fn finish(self, mark: &str) -> Kind {
        let body = self.body.unwrap_or_else(|| format!("{} {mark}", self.name).into_bytes());
        let properties = self.wire.unwrap_or_else(|| wire::encode(&self.properties).unwrap());
        Kind { name: self.name, message: RawMessage { key: self.key, properties, body } }
    }
}

/// All of them. The mark tells one set from another.
pub fn kinds(mark: &str) -> Vec<Kind> {
    let drafts = [texts(), deaths(mark), headers(), ours(mark), properties(), bodies()];
    drafts.into_iter().flatten().map(|draft| draft.finish(mark)).collect()
}

/// What is called text, and is none.
fn texts() -> Vec<Draft> {
    let everywhere = |name, bytes: &[u8]| {
        let text = || Some(bytes.to_vec());
        Draft::new(name)
            .key(bytes)
            .with(|p| {
                p.content_type = text();
                p.content_encoding = text();
                p.correlation_id = text();
                p.reply_to = text();
                p.message_id = text();
                p.kind = text();
                p.app_id = text();
                p.cluster_id = text();
            })
            .header(bytes, Value::LongString(bytes.to_vec()))
            .header("dead-letter-error-type", Value::LongString(bytes.to_vec()))
            .header("dead-letter-error-message", Value::LongString(bytes.to_vec()))
            .header("dead-letter-error-stack", Value::LongString(bytes.to_vec()))
            .header("dead-letter-origin-queue", Value::LongString(bytes.to_vec()))
            .header("dead-letter-origin-exchange", Value::LongString(bytes.to_vec()))
            .header("dead-letter-origin-routing-key", Value::LongString(bytes.to_vec()))
            .header("x-first-death-queue", Value::LongString(bytes.to_vec()))
            .header("x-first-death-reason", Value::LongString(bytes.to_vec()))
            .header("traceparent", Value::LongString(bytes.to_vec()))
    };
    vec![
        everywhere("NUL everywhere", b"a\0b\0"),
        everywhere("not UTF-8 everywhere", &[0xff, 0xfe, 0xc3, 0x28]),
        everywhere("255 bytes of NUL everywhere", &[0; 255]),
        everywhere("255 bytes that are not UTF-8 everywhere", &[0xff; 255]),
        everywhere("names of 255 bytes, cut within a character", &"ü".repeat(128).as_bytes()[..255]),
        everywhere("empty everywhere", b""),
        everywhere("lone surrogates", &[0xed, 0xa0, 0x80, 0xed, 0xbf, 0xbf]),
        everywhere("right-to-left marks", "\u{202e}gnp.exe\u{202c}\u{200f}\u{2066}".as_bytes()),
        everywhere("control characters", b"\x1b[2J\r\n\x07\x08\x7f\t\x0b"),
        everywhere("SQL", b"'); DROP TABLE dead_letter; --"),
        everywhere("JSON", br#"{"a":"\u0000","b":["#),
        everywhere("markup", b"<script>alert('x')</script>&amp;"),
        everywhere("format directives", b"%s%n{}{0}${jndi:ldap://x}\\N\\."),
        everywhere("characters beyond 16 bits", "\u{1f4a3}\u{10ffff}\u{e000}".as_bytes()),
    ]
}

/// `x-death` as the broker never writes it.
fn deaths(mark: &str) -> Vec<Draft> {
    let entry = |fields: Vec<(&str, Value)>| {
        Value::Table(Table(fields.into_iter().map(|(name, value)| (name.into(), value)).collect()))
    };
    let counted = |count| {
        entry(vec![
            ("queue", Value::text("q_count")),
            ("reason", Value::text("rejected")),
            ("count", count),
            ("time", Value::Timestamp(1_795_392_000)),
        ])
    };
    let at = |time| entry(vec![("queue", Value::text("q_time")), ("time", time)]);
    let nested = (0..100).fold(Value::Void, |inner, _| Value::Array(vec![inner]));
    let many = (0..1_500).map(|n| counted(Value::I64(n))).collect();
    vec![
        Draft::new("x-death is text").header("x-death", Value::text("not an array")),
        Draft::new("x-death is void").header("x-death", Value::Void),
        Draft::new("x-death is a table").header("x-death", Value::Table(Table::default())),
        Draft::new("x-death is empty").deaths(vec![]),
        Draft::new("x-death of numbers").deaths(vec![Value::I8(1), Value::F64(0.5)]),
        Draft::new("x-death nested 100 deep").deaths(vec![nested]),
        Draft::new("x-death of empty tables").deaths(vec![entry(vec![]), entry(vec![])]),
        Draft::new("x-death of 1,500 entries").deaths(many).keyed(mark),
        Draft::new("x-death twice").deaths(vec![counted(Value::I64(1))]).deaths(vec![]),
        Draft::new("count negative").deaths(vec![counted(Value::I64(-5))]).keyed(mark),
        Draft::new("count i64::MAX twice")
            .deaths(vec![counted(Value::I64(i64::MAX)), counted(Value::I64(i64::MAX))])
            .keyed(mark),
        Draft::new("count i64::MIN").deaths(vec![counted(Value::I64(i64::MIN))]).keyed(mark),
        Draft::new("count is text").deaths(vec![counted(Value::text("many"))]).keyed(mark),
        Draft::new("time 0").deaths(vec![at(Value::Timestamp(0))]).keyed(mark),
        Draft::new("time u64::MAX").deaths(vec![at(Value::Timestamp(u64::MAX))]).keyed(mark),
        Draft::new("time in the year 292 million")
            .deaths(vec![at(Value::Timestamp(9_223_372_036_854_775_807))])
            .keyed(mark),
        Draft::new("time in the last second of 9999")
            .deaths(vec![at(Value::Timestamp(253_402_300_799))])
            .keyed(mark),
        Draft::new("time negative").deaths(vec![at(Value::I64(-62_135_596_800))]).keyed(mark),
        Draft::new("routing keys of another type")
            .deaths(vec![entry(vec![("routing-keys", Value::Array(vec![Value::Void, Value::I8(1)]))])]),
    ]
}

/// Tables of every shape.
fn headers() -> Vec<Draft> {
    let deep = (0..100).fold(Value::Bool(true), |inner, _| Value::Table(Table(vec![(b"n".to_vec(), inner)])));
    let every_type = [
        Value::Bool(true),
        Value::I8(i8::MIN),
        Value::U8(u8::MAX),
        Value::I16(i16::MIN),
        Value::U16(u16::MAX),
        Value::I32(i32::MIN),
        Value::U32(u32::MAX),
        Value::I64(i64::MIN),
        Value::I64(i64::MAX),
        Value::F32(f32::MIN_POSITIVE),
        Value::F32(f32::MAX),
        Value::F64(f64::MIN),
        Value::F64(-0.0),
        Value::Decimal { scale: 255, value: u32::MAX },
        Value::Decimal { scale: 0, value: 0 },
        Value::LongString(vec![0xff; 300]),
        Value::Bytes(vec![0; 300]),
        Value::Timestamp(u64::MAX),
        Value::Timestamp(0),
        Value::Array(vec![]),
        Value::Table(Table::default()),
        Value::Void,
    ];
    let numbered = |draft, values: Vec<Value>| {
        values.into_iter().enumerate().fold(draft, |d: Draft, (n, v)| d.header(format!("h{n}"), v))
    };
    vec![
        numbered(Draft::new("every type"), every_type.to_vec()),
        Draft::new("not a number").header("n", Value::F64(f64::NAN)),
        Draft::new("an infinite number").header("n", Value::F32(f32::NEG_INFINITY)),
        Draft::new("every type in an array").header("all", Value::Array(every_type.to_vec())),
        Draft::new("tables nested 100 deep").header("deep", deep),
        Draft { wire: Some(deeper_than_read(600)), ..Draft::new("arrays nested 600 deep") },
        Draft::new("an array of 10,000").header("a", Value::Array(vec![Value::Bool(false); 10_000])),
        Draft::new("one name 1,000 times")
            .with(|p| p.headers = Some(Table(vec![(b"twin".to_vec(), Value::Void); 1_000]))),
        numbered(Draft::new("3,000 headers"), vec![Value::text("v"); 3_000]),
        Draft::new("no headers, but a table of them").with(|p| p.headers = Some(Table::default())),
        Draft::new("a header without a name").header("", Value::text("v")),
        Draft::new("names of headers of 255 bytes")
            .header([0xff; 255], Value::Void)
            .header([0; 255], Value::Void),
        Draft::new("a trace that is none")
            .header("traceparent", Value::text("00-00000000000000000000000000000000-0000000000000000-ff"))
            .header("tracestate", Value::Array(vec![])),
    ]
}

/// The header `deep` with so many arrays in each other.
fn deeper_than_read(depth: usize) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let value = (0..depth).fold(b"V".to_vec(), |inner, _| [b"A", &sized(&inner)[..]].concat());
    [&[0x20, 0][..], &sized(&[b"\x04deep", &value[..]].concat())].concat()
}

/// Messages that claim to come from us.
fn ours(mark: &str) -> Vec<Draft> {
    let failed_at =
        |name, time: &str| Draft::new(name).header("dead-letter-failed-at", Value::text(time)).keyed(mark);
    let queue = |name, queue: &[u8]| {
        Draft::new(name).header("dead-letter-origin-queue", Value::LongString(queue.to_vec()))
    };
    let error = |name, text: String| {
        Draft::new(name)
            .header("dead-letter-error-type", Value::text("Poison"))
            .header("dead-letter-error-message", Value::text(text.clone()))
            .header("dead-letter-error-stack", Value::text(text))
    };
    // As much as a content header has room for, twice.
    let most = 64_000;
    vec![
        Draft::new("a redelivery id that is none")
            .header("dead-letter-redelivery-id", Value::text("not a UUID")),
        Draft::new("a redelivery id of nobody")
            .header("dead-letter-redelivery-id", Value::text("0190a6f0-0000-7000-8000-000000000000")),
        Draft::new("a redelivery id of another type").header("dead-letter-redelivery-id", Value::I64(7)),
        Draft::new("a redelivery count beyond u64")
            .header("dead-letter-redelivery-count", Value::text("99999999999999999999999")),
        Draft::new("a redelivery count at its end")
            .header("dead-letter-redelivery-count", Value::text(u64::MAX.to_string())),
        failed_at("failed in the year 0", "0000-01-01T00:00:00+23:59"),
        failed_at("failed in the year 10,000", "9999-12-31T23:59:59.999999999-23:59"),
        failed_at("failed in a leap second", "2016-12-31T23:59:60.999Z"),
        failed_at("failed never", "yesterday"),
        failed_at("failed at a time of 255 bytes", &"9".repeat(255)),
        error("an error of the longest text", "x".repeat(most)),
        error("an error of one line 10,000 times", "at a.b\n".repeat(most / 7)),
        error("an error of quotes", "'\"".repeat(most / 2)),
        error("an error of characters that fall apart", "\u{1f468}\u{200d}\u{1f469}".repeat(most / 11)),
        error("an error of digits", "1".repeat(most)),
        queue("a queue that is empty", b""),
        queue("a service that is empty", b"q_"),
        queue("a service of underscores", b"____"),
        queue("a service of 255 bytes", &[b's'; 255]),
        queue("a service with quotes", br#"q_'"; \ %_*"#),
        queue("a service of a line end", b"q_\n"),
        queue("a service that is not owned", b"q_unowned"),
    ]
}

/// Odd values of the properties.
fn properties() -> Vec<Draft> {
    vec![
        Draft::new("timestamp 0").with(|p| p.timestamp = Some(0)),
        Draft::new("timestamp u64::MAX").with(|p| p.timestamp = Some(u64::MAX)),
        Draft::new("delivery mode 0").with(|p| p.delivery_mode = Some(0)),
        Draft::new("delivery mode 255").with(|p| p.delivery_mode = Some(255)),
        Draft::new("priority 255").with(|p| p.priority = Some(255)),
        Draft::new("expiration of a month").with(|p| p.expiration = Some(b"2592000000".to_vec())),
        Draft::new("user id").with(|p| p.user_id = Some(b"guest".to_vec())),
        Draft::new("CC and BCC")
            .header("CC", Value::Array(vec![Value::text("cc"), Value::text("")]))
            .header("BCC", Value::Array(vec![Value::text("bcc")])),
        Draft::new("reply to nowhere").with(|p| p.reply_to = Some(b"amq.gen-nobody".to_vec())),
        Draft::new("a routing key of 255 bytes").key(&[b'.'; 255]),
        Draft::new("a routing key of wildcards").key(b"#.*.#"),
    ]
}

/// Bodies; the largest has 20 MiB in the full form.
fn bodies() -> Vec<Draft> {
    let copy = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xff";
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff][..], &[0xff; 100]].concat();
    let json = |p: &mut Properties| p.content_type = Some(b"application/json".to_vec());
    vec![
        Draft::new("no body").body([]),
        Draft::new("a huge body").body(vec![0xa5; times(20) << 20]),
        Draft::new("a body that ends a COPY").body(*copy),
        Draft::new("a body that ends a COPY as text").body(*b"\\.\n\\N\t\\N\n\\."),
        Draft::new("a body of NULs").body(vec![0; 1_000]),
        Draft::new("gzip that is broken").with(|p| p.content_encoding = Some(b"gzip".to_vec())).body(gzip),
        Draft::new("JSON 100,000 deep").with(json).body("[".repeat(100_000)),
        Draft::new("JSON of a huge number").with(json).body(format!("{{\"n\":1e{}}}", "9".repeat(10_000))),
        Draft::new("JSON that is cut off").with(json).body(*br#"{"a":"\ud800"#),
        Draft::new("a body of line ends").body("\r\n".repeat(10_000)),
    ]
}
