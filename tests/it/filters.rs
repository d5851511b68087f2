//! R9: a filter means the same in list, count, chart, groups and act: generated filters over generated data, against a model.

pub mod letters;
mod model;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use dead_letter::domain::dead_letter::NewDeadLetter;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::World;
use letters::{CONVENTIONS, HOME, Letter, NAMES, REASONS, TENANTS, WORDS, letter, pick};
use model::lists;

const LETTERS: usize = 400;
const FILTERS: usize = 250;
/// Each so many filters are acted on as well.
const ACT_ON: usize = 10;

/// A filter as JSON: each condition with a small chance, its value from what there is or near it.
fn filter(random: &mut StdRng, letters: &[Letter], now: DateTime<Utc>) -> Map<String, Value> {
    let mut filter = Map::new();
    let conditions = random.random_range(1..4);
    while filter.len() < conditions {
        let like = &letters[random.random_range(0..letters.len())];
        let time = now - TimeDelta::seconds(random.random_range(0..4 * 24 * 3600));
        let (name, value) = match random.random_range(0..26) {
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
                let path = match random.random_range(0..4) {
                    3 => json!({"buyers.*.name": pick(random, &NAMES)}),
                    0 => json!({"sku": "2"}),
                    1 => json!({"buyers.0.name": pick(random, &NAMES)}),
                    _ => json!({"buyers.1.name": "plain"}),
                };
                ("bodyPaths", path)
            }
            20 => ("find", json!(something(random, like))),
            21 => ("broker", json!(pick(random, &[HOME.0, "other", "nowhere"]))),
            23 => ("appId", json!(pick(random, &["shop", "kiosk", "sho"]))),
            24 => ("contentType", json!(pick(random, &["application/json", "json"]))),
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

/// What somebody may have at hand of a dead letter. Spaces alone are refused: they say nothing.
fn something(random: &mut StdRng, letter: &Letter) -> String {
    let id = letter.id.to_string();
    let something = match random.random_range(0..8) {
        0 => id.clone(),
        1 => format!("…{}", &id[28..]),
        2 => letter.derived.redelivery_id.map_or_else(|| "nothing".into(), |id| id.to_string()),
        3 => pick(random, &["m-1", "c-2"]).into(),
        4 => "acme".into(),
        5 => "Åse &".into(),
        6 => pick(random, &NAMES).into(),
        _ => text_of(random, letter),
    };
    if something.trim().is_empty() { id } else { something }
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
    merge_some(&world, &mut letters, &mut random).await;
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

/// Merges about half of the groups into others of their services.
async fn merge_some(world: &World, letters: &mut [Letter], random: &mut StdRng) {
    let groups: BTreeMap<Uuid, String> =
        letters.iter().map(|letter| (letter.fingerprint.group, letter.derived.service.clone())).collect();
    for (group, service) in &groups {
        let others: Vec<_> = groups.iter().filter(|(id, of)| *id != group && *of == service).collect();
        if others.is_empty() || random.random() {
            continue;
        }
        let into = others[random.random_range(0..others.len())].0;
        let path = format!("/dead-letters/error-groups/{into}");
        let merge = world.api().request(Method::PATCH, &path);
        let merge = merge.json(&json!({"action": "merge", "groups": [group]}));
        let whole: Uuid =
            world.api().send(merge).await.assert(200).json["id"].as_str().unwrap().parse().unwrap();
        let whole_of = |id: &Uuid| {
            letters.iter().find(|letter| letter.fingerprint.group == *id).map(|letter| letter.whole)
        };
        let parts = [whole_of(group).unwrap(), whole_of(into).unwrap()];
        letters
            .iter_mut()
            .filter(|letter| parts.contains(&letter.whole))
            .for_each(|letter| letter.whole = whole);
    }
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
    check_groups(&listed, &groups, &query);

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

/// What the list says of each dead letter's group, and the counts of the groups, are the same.
fn check_groups(listed: &[Value], groups: &Value, query: &str) {
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    for letter in listed {
        *expected.entry(letter["errorGroup"].as_str().unwrap()).or_default() += 1;
    }
    let counted = groups["groups"].as_array().unwrap().iter();
    let counted = counted.map(|group| (group["id"].as_str().unwrap(), group["count"].as_i64().unwrap()));
    let counted: BTreeMap<_, _> = counted.filter(|(_, count)| *count > 0).collect();
    if groups["total"].as_u64() <= Some(200) {
        assert_eq!(counted, expected, "groups {query}");
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

/// Of what takes long to count people see the page, and that there are more.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_to_count_is_listed() {
    let world = World::start().await;
    let (store, now) = (world.database.store(), clock::now());
    let mut random = StdRng::seed_from_u64(1);
    let body = letters::compressed("gzip", format!("{{\"sku\":\"{}\"}}", "a".repeat(2 << 20)).as_bytes());
    let rows: Vec<_> = (0..40)
        .map(|_| NewDeadLetter {
            id: clock::new_id(),
            properties: letters::properties("gzip"),
            body: body.clone(),
            ..letter(&mut random, now).row
        })
        .collect();
    store.insert(&rows, now).await.unwrap();
    let page = world.api().get("/dead-letters?contains=sku&limit=1").await.assert(200).json;
    assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
    assert!(page["total"]["value"].as_u64().unwrap() >= 1, "{page}");
}
