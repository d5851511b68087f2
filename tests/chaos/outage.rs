//! The service on a database that fails, while messages come in all the time; and what is found out about an outage.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::stand::{repeat, seed};
use crate::support::{Api, Broker, Database, Service, TestQueue, until_within};
use crate::table::Row;

/// Messages that are published together, and how often.
const PART: usize = 40;
const PACE: Duration = Duration::from_millis(50);
/// Time in which all that was held and queued is stored.
const QUIET: Duration = Duration::from_mins(2);
/// A request that takes longer hangs.
const HANGS: Duration = Duration::from_secs(20);
/// How soon after the fault everything is as before.
const RESUMED: Duration = Duration::from_secs(10);
/// How soon a request is answered.
const ANSWERED: Duration = Duration::from_secs(2);

/// What only reads.
const READING: [&str; 2] = ["/dead-letters?limit=1", "/dead-letters/squad-overview"];
const ACTING: &str = "/dead-letters/redeliver";

/// Fields are dropped in this order.
pub struct Stage {
    pub service: Service,
    pub traffic: Traffic,
    pub database: Database,
}

/// Messages that come in.
pub struct Traffic {
    pub source: TestQueue,
    pub broker: Broker,
    pub ledger: Ledger,
    random: StdRng,
}

impl Stage {
    /// On this server, and the shared broker.
    pub async fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[]).await
    }

    /// With settings of the service.
    pub async fn start_with(database_url: &str, settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::on(database_url).await);
        let source = broker.declare_source(&[]).await;
        let service = Service::start(&database.url, &broker.url, &source.name, settings);
        service.until_ready().await;
        let random = StdRng::seed_from_u64(seed());
        Self { service, traffic: Traffic { source, broker, ledger: Ledger::default(), random }, database }
    }
}

impl Traffic {
    pub async fn publish(&mut self, count: usize) {
        self.ledger.publish(&self.broker, &self.source.name, count, &mut self.random).await;
    }

    /// Publishes until the fault is over.
    pub async fn during<T>(&mut self, fault: impl Future<Output = T>) -> T {
        let over = Cell::new(false);
        let fault = async {
            let value = fault.await;
            over.set(true);
            value
        };
        let publishing = async {
            while !over.get() {
                self.publish(PART).await;
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::join!(fault, publishing).0
    }
}

/// A request and how it was answered.
struct Asked {
    path: &'static str,
    status: Option<u16>,
    took: Duration,
}

fn nobodys() -> Value {
    json!({"filter": {"service": "nobody"}})
}

/// Asks, in a task of its own: what else the test does is not to count.
async fn ask(api: &Api, path: &'static str, body: Option<Value>) -> Asked {
    let api = api.clone();
    let asking = tokio::spawn(async move {
        let request = match &body {
            Some(body) => api.request(Method::POST, path).json(body),
            None => api.request(Method::GET, path),
        };
        let begun = Instant::now();
        let answer = api.try_send(request.timeout(HANGS)).await;
        Asked { path, status: answer.map(|answer| answer.status.as_u16()), took: begun.elapsed() }
    });
    asking.await.unwrap()
}

/// What was found out.
#[derive(Default)]
pub struct Storm {
    resumed: Vec<Duration>,
    answered: Vec<Duration>,
    wrong: Vec<String>,
}

impl Storm {
    /// Asks for a page, an overview and a redelivery.
    pub async fn asks(&mut self, service: &Service, allowed: &[u16]) {
        for path in READING {
            self.note(ask(&service.api, path, None).await, allowed);
        }
        self.asks_to_act(service, allowed).await;
    }

    /// Asks for a redelivery.
    pub async fn asks_to_act(&mut self, service: &Service, allowed: &[u16]) {
        self.note(ask(&service.api, ACTING, Some(nobodys())).await, allowed);
    }

    /// Asks for a page and a redelivery, and meanwhile something happens.
    pub async fn asks_during(&mut self, service: &Service, allowed: &[u16], what: impl Future<Output = ()>) {
        let reading = ask(&service.api, READING[0], None);
        let acting = ask(&service.api, ACTING, Some(nobodys()));
        let (read, acted, ()) = tokio::join!(reading, acting, what);
        self.note(read, allowed);
        self.note(acted, allowed);
    }

    fn note(&mut self, asked: Asked, allowed: &[u16]) {
        let Asked { path, status, took } = asked;
        if took > ANSWERED {
            println!("{path} took {took:.1?}: {status:?}");
        }
        match status {
            Some(status) if allowed.contains(&status) => self.answered.push(took),
            Some(status) => self.wrong.push(format!("{path} answered {status}")),
            None => self.wrong.push(format!("{path} did not answer in {took:.1?}")),
        }
    }

    /// The fault is over: waits until everything that came in is stored.
    pub async fn passed(&mut self, stage: &mut Stage, after: &str) {
        let begun = Instant::now();
        let sent = i64::try_from(stage.traffic.ledger.count()).unwrap();
        until_within(QUIET, &format!("all is stored after {after} ({})", repeat()), || async {
            (stage.traffic.ledger.stored(&stage.database.pool).await >= sent).then_some(())
        })
        .await;
        self.resumed.push(begun.elapsed());
        stage.traffic.broker.until_empty(&stage.traffic.source.name).await;
    }

    pub async fn finish(self, mut row: Row, stage: &Stage) {
        row.within("all stored after", self.resumed, 0.95, RESUMED);
        row.within("requests answered in", self.answered, 1.0, ANSWERED);
        row.must(self.wrong.is_empty(), self.wrong.join(", "));
        // No message was there in two outages, as each ended with all being stored.
        let (given_back, returns) = returns(&stage.database).await;
        row.figure("given back", format!("{given_back} messages, {returns} times at most"));
        row.must(returns <= 1, format!("a message was given back {returns} times in an outage"));
        stage.database.assert_counters_exact().await;
        row.ledger(&stage.traffic.ledger.classify(&stage.database.pool).await);
        row.finish();
    }
}

/// How many stored messages had been given back to their quorum queue, and how often at most, which the queue says itself: by
/// its header `x-delivery-count`, a number of eight bytes, of which the last is enough.
async fn returns(database: &Database) -> (i64, i32) {
    sqlx::query_as(
        "SELECT count(*), COALESCE(max(get_byte(properties, at + 23)), 0) FROM dead_letter, \
             LATERAL (SELECT position('x-delivery-count'::bytea IN properties)) p (at) WHERE at > 0",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap()
}
