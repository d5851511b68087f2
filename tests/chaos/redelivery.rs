//! Redeliveries of two replicas: killed on the way, and asked for by many at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lapin::message::Delivery;
use lapin::types::AMQPValue;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::stand::{repeat, seed};
use crate::support::{
    Api, Broker, Database, DeadMessage, Service, TestQueue, id, until, until_eq, until_within,
};
use crate::table::{Row, is_full, times};

/// What is left of a killed replica is to be seen by then.
const LISTED: Duration = Duration::from_mins(1);
/// Dead letters of a redelivery, how often it is killed, and what it may have in hand each time.
const MESSAGES: usize = 10_000;
const FEWER: usize = 3_000;
const KILLS: usize = 10;
const CHUNK: usize = 100;
const WORKERS: usize = 2;
/// Callers at once, and the dead letters that they all want.
const CALLERS: usize = 50;
const WANTED: usize = 1_000;

/// Two replicas on one source. Fields are dropped in this order.
struct Pair {
    replicas: [Service; 2],
    source: TestQueue,
    database: Database,
    broker: Broker,
    random: StdRng,
}

/// Dead letters of a service of their own, and the queue that they go to.
struct Work {
    service: String,
    queue: TestQueue,
}

impl Pair {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let source = broker.declare_source(&[]).await;
        let start = || Service::start(&database.url, &broker.url, &source.name, settings);
        let replicas = [start(), start()];
        for replica in &replicas {
            replica.until_ready().await;
        }
        Self { replicas, source, database, broker, random: StdRng::seed_from_u64(seed()) }
    }

    /// Stores so many dead letters.
    async fn work(&self, messages: usize) -> Work {
        let service = format!("work{}", id().replace('-', ""));
        let queue = self.broker.declare_queue(&format!("q_{service}"), &[]).await;
        let dead = (0..messages).map(|_| DeadMessage::new(&id(), &queue.name));
        self.broker.publish_all(&self.source.name, dead).await;
        until_eq("dead letters of the service", messages as i64, || async {
            let count = "SELECT count(*) FROM dead_letter WHERE service = $1";
            sqlx::query_scalar(count).bind(&service).fetch_one(&self.database.pool).await.unwrap()
        })
        .await;
        Work { service, queue }
    }

    /// What whichever replica is there says.
    async fn get(&self, path: &str) -> Option<Value> {
        for replica in &self.replicas {
            let answer = replica.api.try_send(replica.api.request(reqwest::Method::GET, path)).await;
            if let Some(answer) = answer.filter(|answer| answer.status == 200) {
                return Some(answer.json);
            }
        }
        None
    }

    async fn until_completed(&self, path: &str) -> Value {
        let what = format!("{path} is completed ({})", repeat());
        until_within(Duration::from_mins(3), &what, || async {
            self.get(path).await.filter(|operation| operation["state"] == "completed")
        })
        .await
    }

    /// What was published to the queue.
    async fn published(&self, queue: &TestQueue) -> Vec<Delivery> {
        let depth = self.broker.depth(&queue.name).await;
        let taken = self.broker.drain(&queue.name, depth as usize).await;
        assert_eq!(self.broker.depth(&queue.name).await, 0, "nothing comes any more");
        taken
    }
}

pub fn message_id(delivery: &Delivery) -> String {
    delivery.properties.message_id().as_ref().unwrap().to_string()
}

pub fn redelivery_id(delivery: &Delivery) -> String {
    let headers = delivery.properties.headers().as_ref().unwrap();
    let AMQPValue::LongString(id) = &headers.inner()["dead-letter-redelivery-id"] else {
        panic!("it is text")
    };
    String::from_utf8_lossy(id.as_bytes()).into_owned()
}

pub fn count(operation: &Value, outcome: &str) -> usize {
    operation["outcomes"][outcome].as_u64().unwrap() as usize
}

/// Message ids of the service's dead letters of this status, by the dead letter's id.
async fn with_status(api: &Api, service: &str, status: &str) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = api.all(&format!("service={service}&status={status}"), 200).await;
    found.iter().map(|letter| (text(&letter["id"]), text(&letter["messageId"]))).collect()
}

/// R7, R10: a replica is killed at any moment of a redelivery; no dead letter counts as redelivered that was not published, at most the
/// chunks in hand are published again, under the same redelivery ids, and the operation is never out of sight.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redelivery_is_resumed() {
    let operations = times(100).div_ceil(KILLS);
    let mut row = Row::new("redelivery killed on the way, 10 times each, 2 replicas", operations * KILLS);
    // With `make test` there is less to do.
    let messages = if is_full() { MESSAGES } else { FEWER };
    let mut pair = Pair::start(&[
        ("DEAD_LETTER_CHUNK_ITEMS", &CHUNK.to_string()),
        ("DEAD_LETTER_OPERATION_WORKERS", &WORKERS.to_string()),
    ])
    .await;
    let (mut listed_after, mut in_time, mut repeats, mut most) = (Vec::new(), 0, 0, 0);
    for _ in 0..operations {
        let work = pair.work(messages).await;
        // Nobody takes them from the queue, which is crowded in the end with what was published again.
        let body = json!({"kind": "redeliver", "filter": {"service": work.service}, "maxQueueDepth": 0});
        let operation = pair.replicas[0].api.post("/operations", &body).await.assert(202).json;
        let path = format!("/operations/{}", operation["id"].as_str().unwrap());
        for kill in 0..KILLS {
            let struck = strike(&mut pair, &path, messages * kill / (KILLS + 1)).await;
            in_time += usize::from(struck.was_running);
            listed_after.push(struck.listed_after);
        }
        let operation = pair.until_completed(&path).await;
        for replica in &pair.replicas {
            replica.until_ready().await;
        }
        let repeated = check(&pair, &work, &operation, messages, &mut row).await;
        row.must(repeated <= KILLS * WORKERS * CHUNK, format!("{repeated} published again by {KILLS} kills"));
        (repeats, most) = (repeats + repeated, most.max(repeated));
    }
    row.must(in_time * 2 > operations * KILLS, format!("only {in_time} kills came before the end"));
    row.within("listed after the restart in", listed_after, 1.0, LISTED);
    row.figure(
        "published again",
        format!("{repeats} of {} (at most {most} by 10 kills)", operations * messages),
    );
    pair.database.assert_counters_exact().await;
    row.finish();
}

/// What a kill met.
struct Struck {
    was_running: bool,
    listed_after: Duration,
}

/// Kills a replica when so many are done and some more, and says when that one lists the operation again.
async fn strike(pair: &mut Pair, path: &str, done: usize) -> Struck {
    let share = done + pair.random.random_range(0..FEWER / (KILLS + 1));
    until(&format!("{share} are sent ({})", repeat()), || async {
        let operation = pair.get(path).await?;
        (count(&operation, "sent") >= share).then_some(())
    })
    .await;
    // Not to wait for anything: any moment is as good as another.
    tokio::time::sleep(Duration::from_millis(pair.random.random_range(0..30))).await;
    let which = usize::from(pair.random.random::<bool>());
    let was_running = pair.get(path).await.is_none_or(|before| before["state"] != "completed");
    pair.replicas[which].restart();
    let (restarted, api) = (Instant::now(), pair.replicas[which].api.clone());
    until_within(LISTED, &format!("the operation is listed ({})", repeat()), || async {
        let answer = api.try_send(api.request(reqwest::Method::GET, "/operations?limit=5")).await?;
        let listed =
            answer.json["operations"].as_array()?.iter().any(|it| path.ends_with(it["id"].as_str().unwrap()));
        listed.then_some(())
    })
    .await;
    Struck { was_running, listed_after: restarted.elapsed() }
}

/// Compares what is said of each of so many dead letter with what is in the queue; says how many were published more than once.
async fn check(pair: &Pair, work: &Work, operation: &Value, messages: usize, row: &mut Row) -> usize {
    row.must(count(operation, "sent") == messages, format!("{operation}"));
    let published = pair.published(&work.queue).await;
    let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
    for delivery in &published {
        ids.entry(message_id(delivery)).or_default().insert(redelivery_id(delivery));
    }
    let api = &pair.replicas[0].api;
    let redelivered = with_status(api, &work.service, "redelivered").await;
    row.must(redelivered.len() == messages, format!("{} are redelivered", redelivered.len()));
    let (mut false_success, mut other_id) = (0, 0);
    for (letter, recorded) in items(api, operation).await {
        match ids.get(&redelivered[&letter]) {
            None => false_success += 1,
            Some(found) => other_id += usize::from(*found != HashSet::from([recorded])),
        }
    }
    row.must(false_success == 0, format!("{false_success} count as redelivered, and were not published"));
    row.must(other_id == 0, format!("{other_id} bear another redelivery id than the recorded one"));
    published.len() - ids.len()
}

/// The redelivery id of each dead letter that was sent.
pub async fn items(api: &Api, operation: &Value) -> HashMap<String, String> {
    let (mut found, mut cursor) = (HashMap::new(), String::new());
    let path = format!("/operations/{}/items?outcome=sent&limit=200", operation["id"].as_str().unwrap());
    loop {
        let page = api.get(&format!("{path}{cursor}")).await.assert(200).json;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for item in page["items"].as_array().unwrap() {
            found.insert(text(&item["deadLetterId"]), text(&item["redeliveryId"]));
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// R8, R11: many callers want the same dead letters, some to redeliver and some to delete them; each is published once, or deleted
/// and never published.
#[tokio::test(flavor = "multi_thread")]
async fn callers_who_want_the_same_share_it() {
    let mut row = Row::new("50 callers redeliver and delete the same 1,000 ids, 2 replicas", times(20));
    let mut pair = Pair::start(&[("DEAD_LETTER_CHUNK_ITEMS", "50")]).await;
    let (mut sent, mut deleted, mut asked_again) = (0, 0, 0);
    for _ in 0..times(20) {
        let work = pair.work(WANTED).await;
        let dead: Vec<String> =
            with_status(&pair.replicas[0].api, &work.service, "dead").await.into_keys().collect();
        let calls: Vec<_> = (0..CALLERS).map(|caller| call(&mut pair, caller, &dead)).collect();
        let mut outcomes: HashMap<&str, usize> = HashMap::new();
        let mut total = 0;
        for call in calls {
            let (operation, again) = call.await.unwrap();
            asked_again += again;
            let path = format!("/operations/{}", operation["id"].as_str().unwrap());
            let operation = pair.until_completed(&path).await;
            let settled = ["sent", "deleted", "refused", "skipped"].map(|it| (it, count(&operation, it)));
            let all = operation["total"].as_u64().unwrap() as usize;
            row.must(settled.iter().map(|(_, n)| n).sum::<usize>() == all, format!("{operation}"));
            total += all;
            for (outcome, n) in settled {
                *outcomes.entry(outcome).or_default() += n;
            }
        }
        row.must(outcomes["sent"] + outcomes["deleted"] == WANTED, format!("{outcomes:?}"));
        row.must(outcomes["refused"] == 0, format!("{outcomes:?}"));
        row.must(outcomes["skipped"] == total - WANTED, format!("{outcomes:?} of {total}"));
        sent += outcomes["sent"];
        deleted += outcomes["deleted"];
        each_once(&pair, &work, &mut row).await;
        pair.database.assert_counters_exact().await;
    }
    row.figure("published", sent);
    row.figure("deleted", deleted);
    row.figure("asked again after 503", asked_again);
    row.finish();
}

/// A caller that asks until it is answered, by the same key. Every second one wants all, the others some of them: so there is something
/// left for those who come later.
fn call(pair: &mut Pair, caller: usize, dead: &[String]) -> tokio::task::JoinHandle<(Value, usize)> {
    let api = pair.replicas[caller % 2].api.clone();
    let kind = if pair.random.random::<bool>() { "redeliver" } else { "delete" };
    let mut body = json!({"kind": kind, "ids": dead, "idempotencyKey": id()});
    if caller % 4 < 2 {
        body["limit"] = json!(pair.random.random_range(1..WANTED / 4));
        body["order"] = json!(if pair.random.random::<bool>() { "oldest" } else { "newest" });
    }
    tokio::spawn(async move {
        let again = AtomicUsize::new(0);
        let operation = until("the operation is taken", || async {
            let answer = api.post("/operations?wait=30", &body).await;
            if answer.status.is_success() {
                return Some(answer.json);
            }
            assert_eq!(answer.status, 503, "{}", answer.json);
            again.fetch_add(1, Ordering::SeqCst);
            None
        })
        .await;
        (operation, again.into_inner())
    })
}

async fn each_once(pair: &Pair, work: &Work, row: &mut Row) {
    let published: Vec<String> = pair.published(&work.queue).await.iter().map(message_id).collect();
    let distinct: HashSet<&String> = published.iter().collect();
    row.must(
        distinct.len() == published.len(),
        format!("{} published twice", published.len() - distinct.len()),
    );
    let api = &pair.replicas[0].api;
    let redelivered = with_status(api, &work.service, "redelivered").await;
    let deleted = with_status(api, &work.service, "deleted").await;
    row.must(
        redelivered.values().collect::<HashSet<_>>() == distinct,
        "those redelivered are not those published",
    );
    row.must(deleted.values().all(|id| !distinct.contains(id)), "one was deleted and published");
    row.must(redelivered.len() + deleted.len() == WANTED, "one is neither");
}
