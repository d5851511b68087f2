//! Traffic that does not stop while parts are killed and replaced: messages with confirms, requests through a load balancer, and
//! redeliveries two at a time.

mod asking;
mod publisher;
mod redeliveries;
mod stored;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ledger::Ledger;
use crate::stand::{repeat, seed};
use crate::support::{Api, Broker, Database, until_within};
use crate::table::Row;
pub use asking::{Asked, Failure};
use publisher::Publisher;
use redeliveries::Redeliveries;
pub use stored::Stored;

/// Messages that are published together, and how often.
const PART: usize = 20;
const PACE: Duration = Duration::from_millis(200);
/// What only reads, and how often each client asks it.
const READING: [&str; 3] =
    ["/dead-letters?limit=5", "/dead-letters/service-overview", "/dead-letters/error-groups?limit=5"];
const PAUSE: Duration = Duration::from_millis(50);
/// Clients that act at the same time.
pub const ACTING: usize = ORDERS.len();
/// With which dead letters each of them begins.
const ORDERS: [&str; 2] = ["oldest", "newest"];
/// Time in which all is stored in the end.
const QUIET: Duration = Duration::from_mins(2);

/// Where the messages go, and where those that are redelivered go.
pub struct Way {
    /// Of each node of the broker, separated by commas.
    pub amqp_urls: String,
    pub source: String,
    /// Of the service's queue, whose name begins with `q_`.
    pub origin: String,
}

pub struct Traffic {
    way: Way,
    done: CancellationToken,
    publishing: JoinHandle<Ledger>,
    asking: Vec<JoinHandle<()>>,
    redelivering: Vec<JoinHandle<Redeliveries>>,
    pub asked: Arc<Asked>,
    pub stored: Arc<Stored>,
}

impl Traffic {
    /// Begins with so many messages that are stored.
    pub async fn start(way: Way, balancer: &Api, database: &Database, before: usize) -> Self {
        let done = CancellationToken::new();
        let (asked, stored) = (Arc::new(Asked::default()), Stored::watch(&database.pool, &done));
        let mut publishing = Publishing {
            publisher: Publisher::new(&way.amqp_urls),
            source: way.source.clone(),
            origin: way.origin.clone(),
            ledger: Ledger::default(),
            random: StdRng::seed_from_u64(seed()),
            stored: Arc::clone(&stored),
        };
        publishing.publish(before).await;
        until_within(QUIET, "what is there before is stored", || async {
            publishing.ledger.is_stored(&database.pool).await.then_some(())
        })
        .await;
        let asking = READING.map(|path| {
            let (balancer, asked, done) = (balancer.clone(), Arc::clone(&asked), done.clone());
            tokio::spawn(async move {
                while !done.is_cancelled() {
                    asked.ask(&balancer, Method::GET, path, None).await;
                    let _ = done.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                }
            })
        });
        let service = way.origin.trim_start_matches("q_").to_owned();
        let redelivering = ORDERS.map(|order| {
            let redeliveries =
                Redeliveries::new(balancer.clone(), service.clone(), order, Arc::clone(&asked));
            tokio::spawn(redeliveries.until(done.clone()))
        });
        Self {
            way,
            publishing: tokio::spawn(publishing.until(done.clone())),
            asking: asking.into(),
            redelivering: redelivering.into(),
            done,
            asked,
            stored,
        }
    }

    /// Waits until messages are stored again, and requests that were under way have ended.
    pub async fn until_as_before(&self) {
        let now = Instant::now();
        self.stored.until_since(now).await;
        self.asked.until_answered(now).await;
    }

    /// Ends it, and checks what became of it: all is stored once, and what counts as redelivered was published as it had been.
    pub async fn finish(self, row: &mut Row, api: &Api, database: &Database) {
        self.done.cancel();
        let ledger = self.publishing.await.unwrap();
        for asking in self.asking {
            asking.await.unwrap();
        }
        let mut redeliveries = Vec::new();
        for redelivering in self.redelivering {
            redeliveries.push(redelivering.await.unwrap());
        }
        let broker = Broker::on(self.way.amqp_urls.split(',').next().unwrap()).await;
        until_within(QUIET, &format!("all is stored ({})", repeat()), || async {
            ledger.is_stored(&database.pool).await.then_some(())
        })
        .await;
        broker.until_empty(&self.way.source).await;
        row.figure("requests", self.asked.count());
        redeliveries::check(row, &redeliveries, api, &broker, &self.way.origin, &ledger).await;
        database.assert_counters_exact().await;
        row.ledger(&ledger.classify(&database.pool).await);
    }
}

struct Publishing {
    publisher: Publisher,
    source: String,
    origin: String,
    ledger: Ledger,
    random: StdRng,
    stored: Arc<Stored>,
}

impl Publishing {
    async fn publish(&mut self, count: usize) -> Vec<String> {
        let (messages, ids) = self.ledger.prepare(&self.origin, count, &mut self.random);
        self.publisher.publish(&self.source, messages).await;
        ids
    }

    async fn until(mut self, done: CancellationToken) -> Ledger {
        while !done.is_cancelled() {
            let ids = self.publish(PART).await;
            self.stored.expect(ids);
            // No condition to wait for: this is the load.
            let _ = done.run_until_cancelled(tokio::time::sleep(PACE)).await;
        }
        self.ledger
    }
}
