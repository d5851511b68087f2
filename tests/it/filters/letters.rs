//! Generated dead letters, of few values each, so that filters find some.

use std::io::Write;
use std::ops::Deref;

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::domain::convention::{Failure, Origin};
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, floor_id};
use dead_letter::domain::fingerprint;
use dead_letter::domain::message::{Properties, Table, Value as Wire};
use dead_letter::domain::place::{Place, Source};
use dead_letter::domain::wire;
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

pub fn pick<'t>(random: &mut StdRng, from: &[&'t str]) -> &'t str {
    from[random.random_range(0..from.len())]
}

fn maybe(random: &mut StdRng, from: &[&str]) -> Option<String> {
    random.random_bool(0.8).then(|| pick(random, from).to_owned())
}

const SERVICES: [&str; 3] = ["webshop", "mailer", "unknown"];
/// Broker and virtual host of the service.
pub const HOME: (&str, &str) = ("default", "/");
pub const WORDS: [&str; 3] = ["orders", "letters", "Æbler"];
pub const REASONS: [&str; 2] = ["rejected", "expired"];
pub const CONVENTIONS: [&str; 2] = ["native", "spring"];
const ERRORS: [&str; 4] = [
    "order # timed out after # ms",
    "no template 'welcome-#' for Åse",
    "duplicate key: account # already has 100% of a deposit_1",
    "cannot parse \"#\" at line # of order-list",
];

const SKUS: [&str; 3] = ["1", "2", "\"2\""];
pub const NAMES: [&str; 3] = ["Ørsted A/S", "漢字", "plain"];
pub const TENANTS: [&str; 2] = ["acme", "Åse & co"];

/// A row, and what people see in it.
#[derive(Clone)]
pub struct Letter {
    pub row: NewDeadLetter,
    /// What its JSON says, neither escaped nor compressed.
    pub plain: String,
    pub sku: &'static str,
    pub tenant: Option<&'static str>,
    pub retries: i32,
    pub app: &'static str,
    pub content_type: Option<&'static str>,
    /// Texts among the values of its headers, however deep.
    pub header_texts: Vec<String>,
    /// The group that it counts as, once groups are merged.
    pub whole: Uuid,
}

impl Deref for Letter {
    type Target = NewDeadLetter;

    fn deref(&self) -> &NewDeadLetter {
        &self.row
    }
}

/// JSON with everything escaped that any writer escapes.
fn escaped(random: &mut StdRng, text: &str) -> String {
    let upper = random.random();
    let mut escaped = String::new();
    for character in text.chars() {
        let units = character.encode_utf16(&mut [0; 2]).to_vec();
        match character {
            '/' => escaped.push_str("\\/"),
            '&' | '\u{80}'.. if upper => escaped.extend(units.iter().map(|unit| format!("\\u{unit:04X}"))),
            '\u{80}'.. => escaped.extend(units.iter().map(|unit| format!("\\u{unit:04x}"))),
            other => escaped.push(other),
        }
    }
    escaped
}

pub fn compressed(coding: &str, body: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        _ => ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest),
    }
}

/// Of a message with a body in this content encoding.
pub fn properties(coding: &str) -> Vec<u8> {
    wire::encode(&Properties { content_encoding: Some(coding.into()), ..Properties::default() }).unwrap()
}

pub fn letter(random: &mut StdRng, now: DateTime<Utc>) -> Letter {
    let (sku, name) = (SKUS[random.random_range(0..3)], pick(random, &NAMES));
    let plain = format!("{{\"sku\":{sku},\"buyers\":[{{\"name\":\"{name}\"}}]}}");
    let body = if random.random() { escaped(random, &plain) } else { plain.clone() };
    let coding = random.random_bool(0.3).then(|| pick(random, &["gzip", "deflate", "zstd"]));
    let body = coding.map_or_else(|| body.clone().into_bytes(), |coding| compressed(coding, body.as_bytes()));
    let tenant = random.random_bool(0.7).then(|| TENANTS[random.random_range(0..2)]);
    let retries = random.random_range(1..4);
    let mut headers = Table::default();
    // Another one of that name, where nobody looks for it.
    headers.set("nested", Wire::Table(Table(vec![(b"tenant".to_vec(), Wire::text("acme"))])));
    let mut header_texts = vec!["acme".to_owned()];
    if random.random() {
        headers.set("x.retries", Wire::I64(retries.into()));
    } else {
        headers.set("x.retries", Wire::text(retries.to_string()));
        header_texts.push(retries.to_string());
    }
    if let Some(tenant) = tenant {
        headers.set("tenant", Wire::text(tenant));
        header_texts.push(tenant.to_owned());
    }
    let app = if retries == 1 { "shop" } else { "kiosk" };
    let content_type = random.random::<bool>().then_some("application/json");
    let properties = Properties {
        app_id: Some(app.into()),
        content_type: content_type.map(Into::into),
        content_encoding: coding.map_or_else(|| Some(b"utf-8".to_vec()), |coding| Some(coding.into())),
        headers: Some(headers),
        ..Properties::default()
    };
    let row = row(random, now, wire::encode(&properties).unwrap(), body);
    let whole = row.fingerprint.group;
    Letter { row, plain, sku, tenant, retries, app, content_type, header_texts, whole }
}

fn row(random: &mut StdRng, now: DateTime<Utc>, properties: Vec<u8>, body: Vec<u8>) -> NewDeadLetter {
    let mut text = maybe(random, &ERRORS);
    while let Some(more) = text.as_ref().filter(|text| text.contains('#')) {
        text = Some(more.replacen('#', &random.random_range(1..300).to_string(), 1));
    }
    let failure = Failure {
        reason: maybe(random, &REASONS),
        error_type: maybe(random, &["Timeout", "ParseError"]),
        error_message: text,
        error_stack: None,
    };
    let service = pick(random, &SERVICES);
    let source = match random.random_range(0..6) {
        // As the version before wrote it: it is at home.
        0 => Source::from("s"),
        1..4 => Source::at_home("s", Place::new(HOME.0, HOME.1)),
        4 => Source::elsewhere("s", Place::new(HOME.0, "shop")),
        _ => Source::elsewhere("s", Place::new("other", HOME.1)),
    };
    let arrived = now - TimeDelta::seconds(random.random_range(0..4 * 24 * 3600));
    let died_at =
        random.random_bool(0.8).then(|| arrived - TimeDelta::seconds(random.random_range(0..90_000)));
    NewDeadLetter {
        id: Uuid::from_u128(floor_id(arrived).as_u128() | u128::from(random.random::<u64>())),
        identity: None,
        former_identity: None,
        latest_death: died_at,
        fingerprint: fingerprint::of(service, &failure).away(source.away()),
        source,
        derived: Derived {
            service: service.into(),
            origin: Origin {
                queue: maybe(random, &WORDS),
                exchange: maybe(random, &["", "orders"]),
                routing_key: maybe(random, &["", "a.b"]),
            },
            reason: failure.reason,
            message_id: maybe(random, &["m-1", "m-2", "m-3"]),
            correlation_id: maybe(random, &["c-1", "c-2"]),
            message_type: maybe(random, &WORDS),
            convention: maybe(random, &CONVENTIONS),
            error_type: failure.error_type,
            error_message: failure.error_message,
            died_at,
            deaths: random.random_range(1..4),
            redelivery_id: random.random_bool(0.2).then(|| Uuid::from_u128(random.random())),
            ..Derived::default()
        },
        warning: None,
        properties,
        body,
    }
}
