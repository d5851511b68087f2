//! The service on a database that fails, while messages come in all the time; and what is found out about an outage.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::ledger::Ledger;
use crate::stand::{repeat, seed};
use crate::support::{Broker, DEADLINE, Database, Service, TestQueue, until, until_within};
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

/// A fault of a database that strikes again and again. Fields are dropped in this order.
pub struct Storm {
    pub row: Row,
    often: usize,
    caller: Caller,
    traffic: Traffic,
    pub database: Database,
    resumed: Vec<Duration>,
}

impl Storm {
    /// On this server, and the shared broker.
    pub async fn on(database_url: &str, fault: &'static str, often: usize) -> Self {
        Self::with(&[], database_url, fault, often).await
    }

    /// With settings of the service.
    pub async fn with(
        settings: &[(&str, &str)],
        database_url: &str,
        fault: &'static str,
        often: usize,
    ) -> Self {
        let row = Row::new(fault, often);
        let (broker, database) = (Broker::shared().await, Database::on(database_url).await);
        let source = broker.declare_source(&[]).await;
        let service = Service::start(&database.url, &broker.url, &source.name, settings);
        service.until_ready().await;
        let random = StdRng::seed_from_u64(seed());
        let traffic = Traffic { source, broker, ledger: Ledger::default(), random };
        let caller = Caller { service, answered: Vec::new(), wrong: Vec::new() };
        Self { row, often, caller, traffic, database, resumed: Vec::new() }
    }

    /// Has the fault come and go as often as it is to, while messages come in; each time all of them are stored then.
    pub async fn strikes(&mut self, mut fault: impl AsyncFnMut(&mut Caller)) {
        for _ in 0..self.often {
            self.traffic.during(Box::pin(fault(&mut self.caller))).await;
            let begun = Instant::now();
            until_within(QUIET, &format!("all is stored again ({})", repeat()), || async {
                self.traffic.ledger.is_stored(&self.database.pool).await.then_some(())
            })
            .await;
            self.resumed.push(begun.elapsed());
            self.traffic.broker.until_empty(&self.traffic.source.name).await;
        }
    }

    pub async fn finish(self) {
        let Self { mut row, caller, traffic, database, resumed, .. } = self;
        row.within("all stored after", resumed, 0.95, RESUMED);
        row.within("requests answered in", caller.answered, 1.0, ANSWERED);
        row.must(caller.wrong.is_empty(), caller.wrong.join(", "));
        // No message was there in two outages, as each ended with all being stored.
        let (given_back, returns) = returns(&database).await;
        row.figure("given back", format!("{given_back} messages, {returns} times at most"));
        row.must(returns <= 1, format!("a message was given back {returns} times in an outage"));
        database.assert_counters_exact().await;
        row.ledger(&traffic.ledger.classify(&database.pool).await);
        row.finish();
    }
}

/// Messages that come in.
struct Traffic {
    source: TestQueue,
    broker: Broker,
    ledger: Ledger,
    random: StdRng,
}

impl Traffic {
    /// Publishes until the fault is over.
    async fn during(&mut self, fault: impl Future<Output = ()>) {
        let over = Cell::new(false);
        let fault = async {
            fault.await;
            over.set(true);
        };
        let publishing = async {
            while !over.get() {
                self.ledger.publish(&self.broker, &self.source.name, PART, &mut self.random).await;
                tokio::time::sleep(PACE).await;
            }
        };
        tokio::join!(fault, publishing);
    }
}

/// Who asks the service, and notes what was wrong with the answers.
pub struct Caller {
    service: Service,
    answered: Vec<Duration>,
    wrong: Vec<String>,
}

impl Caller {
    /// Waits until readiness says that something is wrong.
    pub async fn until_it_shows(&self) {
        until("it shows", || async { (!self.service.is_ready().await).then_some(()) }).await;
    }

    /// Asks for a page, an overview and a redelivery.
    pub async fn asks(&mut self, allowed: &[u16]) {
        for path in READING {
            let asked = self.ask(path, None).await.unwrap();
            self.note(asked, allowed);
        }
        self.asks_to_act(allowed).await;
    }

    /// Asks for a redelivery.
    pub async fn asks_to_act(&mut self, allowed: &[u16]) {
        let asked = self.ask(ACTING, Some(nobodys())).await.unwrap();
        self.note(asked, allowed);
    }

    /// Asks for a redelivery, or else for a page, until that is under way at this moment, at which something happens to it.
    pub async fn asks_until(
        &mut self,
        acts: bool,
        allowed: &[u16],
        mut moment: impl AsyncFnMut(),
        happens: impl FnOnce(),
    ) {
        let begun = Instant::now();
        let asking = loop {
            assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: a request is under way");
            let (path, body) = if acts { (ACTING, Some(nobodys())) } else { (READING[0], None) };
            let mut asking = self.ask(path, body);
            tokio::select! {
                () = moment() => break asking,
                // Too early.
                _ = &mut asking => {}
            }
        };
        happens();
        let asked = asking.await.unwrap();
        self.note(asked, allowed);
    }

    /// In a task of its own: what else the test does is not to count.
    fn ask(&self, path: &'static str, body: Option<Value>) -> JoinHandle<Asked> {
        let api = self.service.api.clone();
        tokio::spawn(async move {
            let request = match &body {
                Some(body) => api.request(Method::POST, path).json(body),
                None => api.request(Method::GET, path),
            };
            let begun = Instant::now();
            let answer = api.try_send(request.timeout(HANGS)).await;
            Asked { path, status: answer.map(|answer| answer.status.as_u16()), took: begun.elapsed() }
        })
    }

    fn note(&mut self, Asked { path, status, took }: Asked, allowed: &[u16]) {
        if took > ANSWERED {
            println!("{path} took {took:.1?}: {status:?}");
        }
        match status {
            Some(status) if allowed.contains(&status) => self.answered.push(took),
            Some(status) => self.wrong.push(format!("{path} answered {status}")),
            None => self.wrong.push(format!("{path} did not answer in {took:.1?}")),
        }
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
