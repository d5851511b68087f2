//! R9: a filter means the same in list, count, chart, groups and act: generated filters over generated data, against a model.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Deref;

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::amqp::codec;
use dead_letter::clock;
use dead_letter::domain::convention::{Failure, Origin};
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, floor_id};
use dead_letter::domain::fingerprint;
use dead_letter::domain::message::{Properties, Table, Value as Wire};
use dead_letter::domain::needle::holds;
use dead_letter::domain::place::{Place, Source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::World;

const LETTERS: usize = 400;
const FILTERS: usize = 250;
/// Each so many filters are acted on as well.
const ACT_ON: usize = 10;

fn pick<'t>(random: &mut StdRng, from: &[&'t str]) -> &'t str {
    from[random.random_range(0..from.len())]
}

fn maybe(random: &mut StdRng, from: &[&str]) -> Option<String> {
    random.random_bool(0.8).then(|| pick(random, from).to_owned())
}

const SERVICES: [&str; 3] = ["webshop", "mailer", "unknown"];
/// Broker and virtual host of the service.
const HOME: (&str, &str) = ("default", "/");
const WORDS: [&str; 3] = ["orders", "letters", "Æbler"];
const REASONS: [&str; 2] = ["rejected", "expired"];
const CONVENTIONS: [&str; 2] = ["native", "spring"];
const ERRORS: [&str; 4] = [
    "order # timed out after # ms",
    "no template 'welcome-#' for Åse",
    "duplicate key: account # already has 100% of a deposit_1",
    "cannot parse \"#\" at line # of order-list",
];

const SKUS: [&str; 3] = ["1", "2", "\"2\""];
const NAMES: [&str; 3] = ["Ørsted A/S", "漢字", "plain"];
const TENANTS: [&str; 2] = ["acme", "Åse & co"];

/// A row, and what people see in it.
#[derive(Clone)]
struct Letter {
    row: NewDeadLetter,
    /// What its JSON says, neither escaped nor compressed.
    plain: String,
    sku: &'static str,
    tenant: Option<&'static str>,
    retries: i32,
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

fn compressed(coding: &str, body: &[u8]) -> Vec<u8> {
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

fn letter(random: &mut StdRng, now: DateTime<Utc>) -> Letter {
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
    headers.set(
        "x.retries",
        if random.random() { Wire::I64(retries.into()) } else { Wire::text(retries.to_string()) },
    );
    if let Some(tenant) = tenant {
        headers.set("tenant", Wire::text(tenant));
    }
    let properties = Properties {
        content_type: random.random::<bool>().then(|| b"application/json".to_vec()),
        content_encoding: coding.map_or_else(|| Some(b"utf-8".to_vec()), |coding| Some(coding.into())),
        headers: Some(headers),
        ..Properties::default()
    };
    let row = row(random, now, codec::encode(&properties).unwrap(), body);
    Letter { row, plain, sku, tenant, retries }
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
        1..4 => Source::new("s", Place::new(HOME.0, HOME.1), true),
        4 => Source::new("s", Place::new(HOME.0, "shop"), false),
        _ => Source::new("s", Place::new("other", HOME.1), false),
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

/// A filter as JSON: each condition with a small chance, its value from what there is or near it.
fn filter(random: &mut StdRng, letters: &[Letter], now: DateTime<Utc>) -> Map<String, Value> {
    let mut filter = Map::new();
    let conditions = random.random_range(1..4);
    while filter.len() < conditions {
        let like = &letters[random.random_range(0..letters.len())];
        let time = now - TimeDelta::seconds(random.random_range(0..4 * 24 * 3600));
        let (name, value) = match random.random_range(0..24) {
            0..=2 => ("service", json!(pick(random, &["webshop", "mailer", "unknown", "nobody"]))),
            3 => ("queue", json!(pick(random, &WORDS))),
            4 => ("exchange", json!(pick(random, &["", "orders"]))),
            5 => ("routingKey", json!(pick(random, &["", "a.b"]))),
            6 => ("messageId", json!(pick(random, &["m-1", "m-9"]))),
            7 => ("correlationId", json!("c-1")),
            8 => ("type", json!(pick(random, &WORDS))),
            9 | 10 => ("error", json!(text_of(random, like))),
            11 => ("errorGroup", json!(like.fingerprint.group)),
            12 => ("reason", json!(pick(random, &REASONS))),
            13 => ("convention", json!(pick(random, &CONVENTIONS))),
            14 => (pick(random, &["from", "to", "diedFrom", "diedTo"]), json!(time)),
            15 => ("returned", json!(random.random::<bool>())),
            16 | 17 => (
                "contains",
                json!(pick(random, &["sku\":1", "Ørsted A/S", "漢字", "plain", "hex:6E61", "rsted"])),
            ),
            18 => {
                let value = random.random_range(1..5);
                let header = match random.random_range(0..3) {
                    0 => json!({"tenant": pick(random, &TENANTS)}),
                    1 => json!({"tenant": "acme", "x.retries": value}),
                    _ => json!({"x.retries": value.to_string()}),
                };
                ("headers", header)
            }
            19 => {
                let path = match random.random_range(0..3) {
                    0 => json!({"sku": "2"}),
                    1 => json!({"buyers.0.name": pick(random, &NAMES)}),
                    _ => json!({"buyers.1.name": "plain"}),
                };
                ("bodyPaths", path)
            }
            20 => ("find", json!(something(random, like))),
            21 => ("broker", json!(pick(random, &[HOME.0, "other", "nowhere"]))),
            22 => ("vhost", json!(pick(random, &[HOME.1, "shop"]))),
            _ => ("minAttempt", json!(random.random_range(1..4))),
        };
        filter.insert(name.into(), value);
    }
    // A time that ends before it begins is refused.
    for (begin, end) in [("from", "to"), ("diedFrom", "diedTo")] {
        let time = |name| filter.get(name)?.as_str()?.parse::<DateTime<Utc>>().ok();
        if let (Some(from), Some(to)) = (time(begin), time(end))
            && from >= to
        {
            filter.remove(end);
        }
    }
    filter
}

/// What somebody may have at hand of a dead letter.
fn something(random: &mut StdRng, letter: &Letter) -> String {
    let id = letter.id.to_string();
    match random.random_range(0..8) {
        0 => id,
        1 => format!("…{}", &id[28..]),
        2 => letter.derived.redelivery_id.map_or_else(|| "nothing".into(), |id| id.to_string()),
        3 => pick(random, &["m-1", "c-2"]).into(),
        4 => "acme".into(),
        5 => "Åse &".into(),
        6 => pick(random, &NAMES).into(),
        _ => text_of(random, letter),
    }
}

/// Whether it is an id of this dead letter.
fn is_id(text: &str, letter: &Letter) -> bool {
    let derived = &letter.derived;
    let id = letter.id.to_string();
    let ids = [&derived.message_id, &derived.correlation_id];
    id == text
        || text.strip_prefix('…').is_some_and(|end| id.ends_with(end))
        || derived.redelivery_id.is_some_and(|id| id.to_string() == text)
        || ids.into_iter().flatten().any(|id| id == text)
}

/// As it stands, too: a short text may be among compressed bytes.
fn is_in_body(text: &str, letter: &Letter) -> bool {
    letter.plain.contains(text) || holds(&letter.body, text.as_bytes())
}

fn has_in_error(text: &str, letter: &Letter) -> bool {
    let derived = &letter.derived;
    let errors = [&derived.error_type, &derived.error_message];
    errors.into_iter().flatten().any(|error| error.to_lowercase().contains(&text.to_lowercase()))
}

/// A part of an error's text or type, in any case.
fn text_of(random: &mut StdRng, letter: &Letter) -> String {
    let text =
        if random.random_bool(0.2) { &letter.derived.error_type } else { &letter.derived.error_message };
    let text: Vec<char> = text.as_deref().unwrap_or("nothing").chars().collect();
    let from = random.random_range(0..text.len());
    let part: String = text[from..].iter().take(random.random_range(1..14)).collect();
    if random.random() { part.to_uppercase() } else { part }
}

fn lists(filter: &Map<String, Value>, letter: &Letter, all: &[Letter]) -> bool {
    let derived = &letter.derived;
    filter.iter().all(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        let is = |field: &Option<String>| field.as_deref() == Some(text);
        let place = letter.source.place().map_or(HOME, |place| (&place.broker, &place.vhost));
        let time = || text.parse::<DateTime<Utc>>().unwrap();
        match name.as_str() {
            "service" => derived.service == text,
            "broker" => place.0 == text,
            "vhost" => place.1 == text,
            "queue" => is(&derived.origin.queue),
            "exchange" => is(&derived.origin.exchange),
            "routingKey" => is(&derived.origin.routing_key),
            "messageId" => is(&derived.message_id),
            "correlationId" => is(&derived.correlation_id),
            "type" => is(&derived.message_type),
            "error" => has_in_error(text, letter),
            "errorGroup" => letter.fingerprint.group.to_string() == text,
            "reason" => is(&derived.reason),
            "convention" => is(&derived.convention),
            "from" => letter.id >= floor_id(time()),
            "to" => letter.id < floor_id(time()),
            "diedFrom" => derived.died_at.is_some_and(|died| died >= time()),
            "diedTo" => derived.died_at.is_some_and(|died| died < time()),
            "contains" if text == "hex:6E61" => {
                holds(&letter.body, b"na") || holds(letter.plain.as_bytes(), b"na")
            }
            "contains" => is_in_body(text, letter),
            "headers" => {
                value.as_object().unwrap().iter().all(|(name, value)| match (name.as_str(), value) {
                    ("tenant", value) => letter.tenant == value.as_str(),
                    (_, Value::String(retries)) => letter.retries.to_string() == *retries,
                    (_, retries) => retries == letter.retries,
                })
            }
            "bodyPaths" => value.as_object().unwrap().iter().all(|(path, value)| match path.as_str() {
                "sku" => letter.sku.trim_matches('"') == value,
                "buyers.0.name" => letter.plain.contains(&format!("\"{}\"", value.as_str().unwrap())),
                _ => false,
            }),
            "find" if all.iter().any(|other| is_id(text, other)) => is_id(text, letter),
            "find" => {
                let tenant = letter.tenant.is_some_and(|tenant| tenant.contains(text));
                let headers = tenant || "acme".contains(text) || holds(&letter.properties, text.as_bytes());
                headers || has_in_error(text, letter) || is_in_body(text, letter)
            }
            "returned" => derived.redelivery_id.is_some() == value.as_bool().unwrap(),
            "minAttempt" => i64::from(derived.deaths) >= value.as_i64().unwrap(),
            other => panic!("{other} has no model"),
        }
    })
}

fn query(filter: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = filter.iter().flat_map(|(name, value)| match (name.as_str(), value) {
        ("headers", Value::Object(of)) => {
            of.iter().map(|(name, value)| (format!("header.{name}"), text(value))).collect()
        }
        (_, Value::Object(of)) => {
            of.iter().map(|(name, value)| (format!("body.{name}"), text(value))).collect()
        }
        (name, value) => vec![(name.to_owned(), text(value))],
    });
    reqwest::Url::parse_with_params("http://x/", pairs).unwrap().query().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_means_the_same_everywhere() {
    let world = World::start().await;
    let seed: u64 =
        std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let now = clock::now();
    let store = world.database.store();
    for days in 0..5 {
        let day = (now - TimeDelta::days(days)).date_naive();
        store.create_partitions_for(day, day).await.unwrap();
    }
    let mut letters: Vec<_> = (0..LETTERS).map(|_| letter(&mut random, now)).collect();
    for part in letters.chunks(60) {
        let rows: Vec<_> = part.iter().map(|letter| letter.row.clone()).collect();
        store.insert(&rows, now).await.unwrap();
    }
    let all = letters.clone();
    for number in 0..FILTERS {
        let filter = filter(&mut random, &letters, now);
        let expected: BTreeSet<Uuid> =
            letters.iter().filter(|letter| lists(&filter, letter, &all)).map(|letter| letter.id).collect();
        check_reads(&world, &filter, &expected, now).await;
        // One that lists all of them would leave nothing to filter.
        if number % ACT_ON == 0 && expected.len() < letters.len() {
            check_act(&world, &filter, &expected).await;
            letters.retain(|letter| !expected.contains(&letter.id));
        }
    }
    world.assert_counters_exact().await;
}

async fn check_reads(
    world: &World,
    filter: &Map<String, Value>,
    expected: &BTreeSet<Uuid>,
    now: DateTime<Utc>,
) {
    let query = query(filter);
    let listed = world.api().all(&query, 7).await;
    let ids: BTreeSet<Uuid> =
        listed.iter().map(|letter| letter["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(&ids, expected, "list {query}");
    assert_eq!(listed.len(), expected.len(), "each once {query}");
    let count = i64::try_from(expected.len()).unwrap();
    let page = world.api().get(&format!("/dead-letters?{query}&limit=1")).await.assert(200).json;
    assert_eq!(page["total"], json!({"value": count, "relation": "eq"}), "count {query}");
    let groups =
        world.api().get(&format!("/dead-letters/error-groups?{query}&limit=200")).await.assert(200).json;
    assert_eq!(groups["messages"], count, "groups {query}");

    // A chart widens its times to whole intervals; without times it shows a day.
    let (from, to) = (now - TimeDelta::days(5), now + TimeDelta::seconds(1));
    let times = format!("from={}&to={}", from.format("%FT%TZ"), to.format("%FT%TZ"));
    let has_times = filter.contains_key("from") || filter.contains_key("to");
    if !has_times {
        for interval in ["1h", "6h"] {
            let path = format!("/dead-letters/histogram?{query}&{times}&interval={interval}");
            let chart = world.api().get(&path).await.assert(200).json;
            assert_eq!(chart["series"][0]["count"], count, "chart {query}");
        }
    }
}

async fn check_act(world: &World, filter: &Map<String, Value>, expected: &BTreeSet<Uuid>) {
    let deleted =
        world.api().delete("/dead-letters?wait=30", &json!({"filter": filter})).await.assert(200).json;
    assert_eq!(deleted["outcomes"]["deleted"], expected.len(), "act {filter:?}");
    let path = format!("/operations/{}/items?limit=200", deleted["id"].as_str().unwrap());
    let mut items = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = world.api().get(&format!("{path}{cursor}")).await.assert(200).json;
        items.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["deadLetterId"].as_str().unwrap().parse::<Uuid>().unwrap()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&items, expected, "act {filter:?}");
}
