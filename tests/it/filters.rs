//! R9: a filter means the same in list, count, chart, groups and act: generated filters over generated data, against a model.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use dead_letter::domain::convention::{Failure, Origin};
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, floor_id};
use dead_letter::domain::fingerprint;
use dead_letter::domain::place::{Place, Source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::World;

const LETTERS: usize = 400;
const FILTERS: usize = 150;
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

fn letter(random: &mut StdRng, now: DateTime<Utc>) -> NewDeadLetter {
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
        properties: vec![0, 0],
        body: pick(random, &["{\"sku\":1}", "{\"sku\":2}", "\u{0}\u{1}"]).into(),
    }
}

/// A filter as JSON: each condition with a small chance, its value from what there is or near it.
fn filter(random: &mut StdRng, letters: &[NewDeadLetter], now: DateTime<Utc>) -> Map<String, Value> {
    let mut filter = Map::new();
    let conditions = random.random_range(1..4);
    while filter.len() < conditions {
        let like = &letters[random.random_range(0..letters.len())];
        let time = now - TimeDelta::seconds(random.random_range(0..4 * 24 * 3600));
        let (name, value) = match random.random_range(0..19) {
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
            16 => ("broker", json!(pick(random, &[HOME.0, "other", "nowhere"]))),
            17 => ("vhost", json!(pick(random, &[HOME.1, "shop"]))),
            _ if random.random() => ("contains", json!(pick(random, &["sku\":1", "hex:0001"]))),
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

/// A part of an error's text or type, in any case.
fn text_of(random: &mut StdRng, letter: &NewDeadLetter) -> String {
    let text =
        if random.random_bool(0.2) { &letter.derived.error_type } else { &letter.derived.error_message };
    let text: Vec<char> = text.as_deref().unwrap_or("nothing").chars().collect();
    let from = random.random_range(0..text.len());
    let part: String = text[from..].iter().take(random.random_range(1..14)).collect();
    if random.random() { part.to_uppercase() } else { part }
}

fn lists(filter: &Map<String, Value>, letter: &NewDeadLetter) -> bool {
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
            "error" => [&derived.error_type, &derived.error_message]
                .into_iter()
                .flatten()
                .any(|error| error.to_lowercase().contains(&text.to_lowercase())),
            "errorGroup" => letter.fingerprint.group.to_string() == text,
            "reason" => is(&derived.reason),
            "convention" => is(&derived.convention),
            "from" => letter.id >= floor_id(time()),
            "to" => letter.id < floor_id(time()),
            "diedFrom" => derived.died_at.is_some_and(|died| died >= time()),
            "diedTo" => derived.died_at.is_some_and(|died| died < time()),
            "contains" => {
                let wanted = if text == "hex:0001" { &[0, 1][..] } else { text.as_bytes() };
                letter.body.windows(wanted.len()).any(|window| window == wanted)
            }
            "returned" => derived.redelivery_id.is_some() == value.as_bool().unwrap(),
            "minAttempt" => i64::from(derived.deaths) >= value.as_i64().unwrap(),
            other => panic!("{other} has no model"),
        }
    })
}

fn query(filter: &Map<String, Value>) -> String {
    let pairs = filter.iter().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), text)
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
        store.insert(part, now).await.unwrap();
    }
    for number in 0..FILTERS {
        let filter = filter(&mut random, &letters, now);
        let expected: BTreeSet<Uuid> =
            letters.iter().filter(|letter| lists(&filter, letter)).map(|letter| letter.id).collect();
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
