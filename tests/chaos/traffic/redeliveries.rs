//! Redeliveries one after the other, and whether what they say of each dead letter is what happened (rules R7, R8, R10).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Asked;
use crate::ledger::Ledger;
use crate::redelivery::{count, items, message_id, redelivery_id};
use crate::stand::repeat;
use crate::support::{Api, Broker, id, until_within};
use crate::table::Row;

/// Dead letters of an operation, and how many of them go out in a second. Who began it waits for its end, for seconds: so there is nearly
/// always a request under way that may not be repeated by the load balancer.
const LIMIT: usize = 100;
const RATE: usize = 25;
const BEGIN: &str = "/operations?wait=5";
const PAUSE: Duration = Duration::from_millis(100);
/// An operation that takes longer never ends.
const DEADLINE: Duration = Duration::from_mins(3);

pub struct Redeliveries {
    api: Api,
    service: String,
    /// Those that begin with the oldest dead letters have other ones than those that begin with the newest.
    order: &'static str,
    asked: Arc<Asked>,
    /// Their addresses.
    operations: Vec<String>,
}

impl Redeliveries {
    pub fn new(api: Api, service: String, order: &'static str, asked: Arc<Asked>) -> Self {
        Self { api, service, order, asked, operations: Vec::new() }
    }

    /// Begins one after the other; the last one is completed.
    pub async fn until(mut self, done: CancellationToken) -> Self {
        while !done.is_cancelled() {
            let path = self.begin().await;
            let what = format!("{path} is completed ({})", repeat());
            until_within(DEADLINE, &what, || async {
                tokio::time::sleep(PAUSE).await;
                let operation = self.asked.ask(&self.api, Method::GET, &path, None).await?;
                (operation["state"] == "completed").then_some(())
            })
            .await;
            self.operations.push(path);
        }
        self
    }

    /// As a client should: with the same key until there is an answer, since the operation may have begun.
    async fn begin(&self) -> String {
        // Nobody takes them from the queue.
        let body = json!({
            "kind": "redeliver", "filter": {"service": self.service}, "limit": LIMIT, "order": self.order, "rate": RATE,
            "maxQueueDepth": 0, "idempotencyKey": id(),
        });
        let begun = Instant::now();
        loop {
            if let Some(operation) = self.asked.ask(&self.api, Method::POST, BEGIN, Some(&body)).await {
                return format!("/operations/{}", operation["id"].as_str().unwrap());
            }
            assert!(begun.elapsed() < DEADLINE, "an operation can be begun ({})", repeat());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Compares what the operations recorded with what is in the queue.
pub async fn check(
    row: &mut Row,
    done: &[Redeliveries],
    api: &Api,
    broker: &Broker,
    queue: &str,
    ledger: &Ledger,
) {
    let depth = broker.depth(queue).await as usize;
    let (mut arrived, mut changed): (HashMap<String, HashSet<String>>, usize) = (HashMap::new(), 0);
    for delivery in broker.drain(queue, depth).await {
        changed += usize::from(!ledger.is_body(&delivery.data));
        arrived.entry(redelivery_id(&delivery)).or_default().insert(message_id(&delivery));
    }
    row.must(changed == 0, format!("{changed} redelivered messages have another body"));
    let mixed = arrived.values().filter(|messages| messages.len() > 1).count();
    row.must(mixed == 0, format!("{mixed} redelivery ids are on several messages"));
    let (mut recorded, mut letters, mut sent) = (HashSet::new(), HashSet::new(), 0);
    let operations: Vec<_> = done.iter().flat_map(|done| &done.operations).collect();
    for path in &operations {
        let operation = api.get(path).await.assert(200).json;
        // Another one may have been faster.
        let settled = count(&operation, "sent") + count(&operation, "skipped");
        row.must(operation["total"] == settled, format!("not all are sent: {operation}"));
        sent += count(&operation, "sent");
        for (letter, redelivery) in items(api, &operation).await {
            letters.insert(letter);
            recorded.insert(redelivery);
        }
    }
    let missing = recorded.iter().filter(|id| !arrived.contains_key(*id)).count();
    row.must(missing == 0, format!("{missing} count as redelivered, and were not published"));
    let unknown = arrived.keys().filter(|id| !recorded.contains(*id)).count();
    row.must(unknown == 0, format!("{unknown} were published, and are not recorded"));
    row.must(letters.len() == sent, format!("{} dead letters were sent {sent} times", letters.len()));
    row.must(sent > 0, "nothing was redelivered");
    row.figure("operations", operations.len());
    row.figure("redelivered", sent);
    row.figure("published again", depth - arrived.len());
}
