//! No input is deadly (rule R16): messages and requests that cost much more than their bytes, against the service in a control
//! group of 512 MiB.

mod messages;
mod requests;
mod shapes;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use futures_util::StreamExt;
use futures_util::stream;
use lapin::types::AMQPValue;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use self::messages::{Amplifier, FEW, amplifiers};
use crate::memory::{ControlGroup, has_ended, peak};
use crate::postgres::given;
use crate::support::raw::RawClient;
use crate::support::{DeadMessage, World, id, until_within};
use crate::table::{Row, is_full};

const MIB: usize = 1 << 20;
const LIMIT: usize = 512;
/// What stays free of it.
const MARGIN: usize = 128;
/// The longest answer to a question about one message: the head of a body, two views of the headers, a stack trace.
const MAX_ANSWER: usize = 4 * MIB;
/// The longest answer to a request that is wrong.
const MAX_REFUSAL: usize = 64 << 10;
const STORED: Duration = Duration::from_mins(5);
/// So many requests at the same time.
const BESIDE: usize = 4;

/// One after the other they come in, are looked at, previewed, changed and put back.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cost_more_than_their_bytes() {
    let size = if is_full() { 7 * MIB } else { 2 * MIB };
    let mut all = amplifiers(size);
    if !is_full() {
        all.truncate(FEW);
    }
    let mut row =
        Row::new("amplifiers: messages in 512 MiB, with each thing that is done with one", all.len());
    let Some(group) = given(ControlGroup::new(LIMIT * MIB)) else { return };
    let world = World::start_with(&[("DEAD_LETTER_BATCH_LINGER", "20ms")]).await;
    group.take(world.service.pid());
    let sink = world.broker.declare_queue(&format!("sink-{}", id()), &[]).await;
    let mut publisher = RawClient::connect(&world.broker.url).await.unwrap();
    let (mut longest, mut stored) = (0, 0);
    for Amplifier { name, message } in all {
        let length = message.body.len();
        if let Err(why) = publisher.publish(world.source.name.as_bytes(), &[message]).await {
            row.must(false, format!("the broker refused {name}: {why}"));
            break;
        }
        stored += 1;
        let is_stored = until_within(STORED, &name, || async {
            let is_stored = world.database.count("dead_letter").await == stored;
            (is_stored || has_ended(world.service.pid())).then_some(is_stored)
        });
        if !is_stored.await {
            row.must(false, format!("ended by {name}"));
            break;
        }
        let newest = "SELECT id FROM dead_letter ORDER BY id DESC LIMIT 1";
        let letter: Uuid = sqlx::query_scalar(newest).fetch_one(&world.database.pool).await.unwrap();
        match deal_with(&world, letter, &sink.name, length).await {
            Ok(answer) => longest = longest.max(answer),
            Err(why) => row.must(false, format!("{name}: {why}")),
        }
        if has_ended(world.service.pid()) || group.kills() > 0 {
            row.must(false, format!("ended by what was done with {name}"));
            break;
        }
        println!("{name}: most in memory by now {} MiB", peak(world.service.pid()));
    }
    row.figure("longest answer but for bodies", format!("{} KiB", longest >> 10));
    finish(row, &world, &group);
}

/// Returns the length of the longest answer.
async fn deal_with(world: &World, letter: Uuid, sink: &str, length: usize) -> Result<usize, String> {
    let api = world.api();
    let to = json!({"exchange": "", "routingKey": sink});
    let request = |edit| json!({"kind": "redeliver", "ids": [letter], "to": to, "copy": true, "edit": edit});
    let patch = json!({"patch": [
        {"op": "test", "path": "", "value": {"a": [1, 2.0, {"b": "c"}]}}, {"op": "add", "path": "/a", "value": 1},
        {"op": "copy", "from": "", "path": "/b"},
    ]});
    let add = json!({"patch": [{"op": "add", "path": "/0", "value": [[1]]}, {"op": "remove", "path": "/1"}]});
    let mut answers = Vec::new();
    for edit in [patch, add, json!(null)] {
        answers.push(api.post("/operations/preview", &request(edit.clone())).await);
        let done = api.post("/operations?wait=30", &request(edit)).await;
        let outcomes = &done.json["outcomes"];
        if outcomes["sent"] != 1 && outcomes["refused"] != 1 {
            return Err(format!("neither sent nor refused: {}", done.json));
        }
        answers.push(done);
    }
    let path = format!("/dead-letters/{letter}");
    let looks = stream::iter(0..BESIDE).map(|_| api.get(&path)).buffer_unordered(BESIDE);
    answers.extend(looks.collect::<Vec<_>>().await);
    for path in ["/dead-letters", "/dead-letters/error-groups"] {
        answers.push(api.get(path).await);
    }
    // Into this one only, decoded and without its escapes: all of them together take a database longer than anybody waits.
    let since = letter.get_timestamp().map_or((0, 0), |made| made.to_unix());
    let since = DateTime::from_timestamp(since.0.cast_signed(), since.1).unwrap_or_default();
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    for look in [
        "contains=%5B%5B",
        "contains=%C3%98%2F",
        "find=%C3%98%2F",
        "body.a.b=1",
        "body.0.0=%C3%98",
        "header.x=1",
    ] {
        answers.push(api.get(&format!("/dead-letters?from={since}&{look}")).await);
    }
    let path = format!("{path}/body");
    let bodies = stream::iter(0..BESIDE).map(|_| api.get(&path)).buffer_unordered(BESIDE);
    for body in bodies.collect::<Vec<_>>().await {
        if body.bytes.len() != length {
            return Err(format!("{} of {length} bytes of the body", body.bytes.len()));
        }
    }
    if let Some(failed) = answers.iter().find(|answer| !answer.status.is_success()) {
        return Err(format!("{}: {}", failed.status, String::from_utf8_lossy(&failed.bytes)));
    }
    let longest = answers.iter().map(|answer| answer.bytes.len()).max().unwrap_or_default();
    if longest > MAX_ANSWER { Err(format!("an answer of {longest} bytes")) } else { Ok(longest) }
}

/// An edit that makes 4 MiB of each of many small messages, of all in one chunk.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_makes_much_of_little() {
    let count = if is_full() { 500 } else { 100 };
    let mut row =
        Row::new("amplifiers: an edit from 4 KiB to 4 MiB in 512 MiB, messages of one operation", count);
    let Some(group) = given(ControlGroup::new(LIMIT * MIB)) else { return };
    let world = World::start().await;
    group.take(world.service.pid());
    let keeps_one = [("x-max-length", AMQPValue::LongInt(1))];
    let sink = world.broker.declare_queue(&format!("sink-{}", id()), &keeps_one).await;
    let body = json!({"a": "x".repeat(4 << 10)}).to_string();
    let messages = (0..count).map(|_| DeadMessage::new(&id(), &sink.name).body(body.as_str()));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(count as i64).await;
    let double = |n| json!({"op": "copy", "from": "", "path": format!("/{n}")});
    let patch: Vec<_> = (0..10).map(double).collect();
    let (api, edit) = (world.api(), json!({"patch": patch}));
    let preview = json!({"kind": "redeliver", "filter": {}, "all": true, "edit": edit});
    let redeliver = json!({"filter": {}, "all": true, "edit": edit});
    let [preview, redeliver] = [("/operations/preview", preview), ("/dead-letters/redeliver", redeliver)]
        .map(|(path, body)| api.try_send(api.request(Method::POST, path).json(&body)));
    let (preview, asked) = tokio::join!(preview, redeliver);
    row.must(preview.is_some_and(|preview| preview.status.is_success()), "no preview");
    let asked = asked.map_or(json!(null), |asked| asked.json);
    let path = format!("/operations/{}", asked["id"].as_str().unwrap_or_default());
    let sent = until_within(STORED, "the operation ends", || async {
        let operation = api.try_send(api.request(Method::GET, &path)).await;
        let sent = operation.filter(|operation| operation.json["state"] == "completed");
        let sent = sent.map(|operation| operation.json["outcomes"]["sent"].clone());
        if has_ended(world.service.pid()) { Some(json!(null)) } else { sent }
    });
    let sent = sent.await;
    row.must(sent == count, format!("{sent} of {count} are sent"));
    finish(row, &world, &group);
}

/// Each endpoint that takes a body, and each that takes a query.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_ask_for_more_than_they_are() {
    let bodies = requests::bodies(is_full());
    let queries = requests::queries();
    let Some(group) = given(ControlGroup::new(LIMIT * MIB)) else { return };
    // Each is to be read.
    let unlimited =
        ["DEAD_LETTER_REQUESTS_PER_SECOND", "DEAD_LETTER_ACTS_PER_MINUTE", "DEAD_LETTER_PLANS_PER_CALLER"];
    let world = World::start_with(&unlimited.map(|setting| (setting, "off"))).await;
    group.take(world.service.pid());
    let takers = requests::takers(world.api()).len();
    let number = bodies.len() * takers + queries.len();
    let mut row =
        Row::new("amplifiers: requests of 2 MiB, queries of 60 KB, four at a time, in 512 MiB", number);
    let api = world.api();
    let mut longest = 0;
    for (name, body) in &bodies {
        let sent = requests::takers(api).into_iter().map(|request| api.try_send(request.body(body.clone())));
        for answer in stream::iter(sent).buffer_unordered(BESIDE).collect::<Vec<_>>().await {
            let Some(answer) = answer else {
                row.must(false, format!("no answer to {name}"));
                continue;
            };
            longest = longest.max(answer.bytes.len());
            row.must(answer.status.is_client_error(), format!("{} to {name}", answer.status));
            row.must(answer.bytes.len() <= MAX_REFUSAL, format!("{} bytes to {name}", answer.bytes.len()));
        }
        if has_ended(world.service.pid()) {
            row.must(false, format!("ended by {name}"));
            break;
        }
    }
    let sent =
        queries.iter().map(|path| async move { (path, api.try_send(api.request(Method::GET, path)).await) });
    for (path, answer) in stream::iter(sent).buffer_unordered(BESIDE).collect::<Vec<_>>().await {
        let name = &path[..path.len().min(80)];
        let Some(answer) = answer else {
            row.must(false, format!("no answer to {name}"));
            continue;
        };
        longest = longest.max(answer.bytes.len());
        row.must(!answer.status.is_server_error(), format!("{} to {name}", answer.status));
        row.must(answer.bytes.len() <= MAX_REFUSAL, format!("{} bytes to {name}", answer.bytes.len()));
    }
    row.figure("longest answer", format!("{} KiB", longest >> 10));
    finish(row, &world, &group);
}

fn finish(mut row: Row, world: &World, group: &ControlGroup) {
    let highest = peak(world.service.pid());
    row.figure("most in memory", format!("{highest} MiB"));
    row.must(group.kills() == 0, "killed for want of memory");
    row.must(!has_ended(world.service.pid()), "the service ended");
    row.must(highest <= LIMIT - MARGIN, format!("{highest} MiB in memory"));
    row.finish();
}
