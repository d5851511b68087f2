//! SIGTERM under load: replicas that are stopped and started again, one after the other, as a rollout does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::ledger::Ledger;
use crate::stand::seed;
use crate::support::{Api, Broker, Database, Servers, Service, TestQueue, until, until_within};
use crate::table::{Row, is_full, times};

/// What each replica may take from SIGTERM to its end.
const LIMIT: Duration = Duration::from_secs(10);
/// Messages that come at once, again and again.
const MESSAGES: usize = 200;
/// What the broker has sent and the channel of a consumer that is cancelled has not yet passed on goes back to a quorum queue (RabbitMQ's
/// issue 3729); it is a few, while what a replica has in hand is a batch or more.
const ON_THEIR_WAY: usize = 50;
/// An operation takes several seconds at this rate, so that there is always one when a replica stops.
const RATE: usize = 50;

/// R1, R2: nothing is delivered again by a stop, and no request fails.
#[tokio::test(flavor = "multi_thread")]
async fn stops_are_noticed_by_nobody() {
    let count = times(50);
    let mut row = Row::new("SIGTERM under load, one of 2 replicas after the other", count);
    // As it is by default; a load balancer as attentive as that of this test needs less.
    let delay = if is_full() { "5s" } else { "1s" };
    // Batches that wait for more, so that there is always one in hand when a replica stops.
    let settings = [("DEAD_LETTER_DRAIN_DELAY", delay), ("DEAD_LETTER_BATCH_LINGER", "300ms")];
    let mut rollout = Rollout::start(&settings).await;
    let done = CancellationToken::new();
    let (broker, source) = (Broker::shared().await, rollout.source.name.clone());
    let publishing = tokio::spawn(publish(broker, source, done.clone()));
    let asking = rollout.balancer.load(&rollout.sink.name, &done);
    let mut took = Vec::new();
    for stop in 0..count {
        took.push(rollout.restart(stop % 2, &mut row).await);
    }
    done.cancel();
    let ledger = publishing.await.unwrap();
    for asking in asking {
        asking.await.unwrap();
    }
    row.within("exit after", took, 1.0, LIMIT);
    rollout.report(&mut row, &ledger, count).await;
    row.finish();
}

/// R1: a channel of the broker keeps acknowledgements to itself while the queue is behind, and forgets them as it is closed. Here it
/// does so as soon as the queue is one command behind, instead of 32.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_noted_before_the_end() {
    let count = times(50);
    let mut row = Row::new("SIGTERM where the broker holds acknowledgements back", count);
    let servers = Servers::start_with("acknowledgements", &["{quorum_commands_soft_limit, 1}"]).await;
    let (broker, database) = (Broker::on(&servers.amqp_url).await, Database::shared().await);
    let source = broker.declare_source(&[]).await;
    // Acknowledgements that follow each other closely to the very end.
    let settings = [
        ("DEAD_LETTER_DRAIN_DELAY", "0s"),
        ("DEAD_LETTER_BATCH_ROWS", "5"),
        ("DEAD_LETTER_BATCHES_IN_FLIGHT", "8"),
    ];
    let mut service = Service::start(&database.url, &servers.amqp_url, &source.name, &settings);
    let done = CancellationToken::new();
    let publisher = Broker::on(&servers.amqp_url).await;
    let publishing = tokio::spawn(publish(publisher, source.name.clone(), done.clone()));
    let in_hand = format!("dead_letter_in_flight_messages{{source=\"{}\"}}", source.name);
    for _ in 0..count {
        service.until_ready().await;
        until("messages are in hand", || async { (service.metric(&in_hand).await > 0.0).then_some(()) })
            .await;
        let status = service.terminate().await;
        row.must(status.success(), format!("{status} after SIGTERM"));
        service.restart();
    }
    done.cancel();
    let ledger = publishing.await.unwrap();
    all_is_stored_once(&mut row, &ledger, &source, &broker, &database).await;
    row.finish();
}

/// Two replicas on one source. Fields are dropped in this order.
struct Rollout {
    replicas: [Service; 2],
    balancer: Arc<Balancer>,
    source: TestQueue,
    sink: TestQueue,
    database: Database,
    broker: Broker,
}

impl Rollout {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let source = broker.declare_source(&[]).await;
        let sink = broker.declare_queue(&format!("sink-{}", source.name), &[]).await;
        let start = || Service::start(&database.url, &broker.url, &source.name, settings);
        let replicas = [start(), start()];
        for replica in &replicas {
            replica.until_ready().await;
        }
        let balancer = Balancer::start(&replicas);
        Self { replicas, balancer, source, sink, database, broker }
    }

    /// Stops one replica, and starts it again; says how long it took to end.
    async fn restart(&mut self, which: usize, row: &mut Row) -> Duration {
        let replica = &mut self.replicas[which];
        // Connections that nobody asks anything on, and one whose client has stopped in the middle of a request.
        let idle = [
            connect(&replica.api, "").await,
            connect(&replica.api, "GET /openapi.json HTTP/1.1\r\nhost: api\r\n\r\n").await,
            connect(&replica.api, "GET /dead-letters HTTP/1.1\r\nhost: ").await,
        ];
        let begun = Instant::now();
        let status = replica.terminate().await;
        let took = begun.elapsed();
        drop(idle);
        println!("replica {which} ended after {:.1} s: {status}", took.as_secs_f64());
        row.must(status.success(), format!("{status} after SIGTERM"));
        replica.restart();
        let balancer = &self.balancer;
        until("it is ready again", || async { balancer.members[which].is_ready().then_some(()) }).await;
        took
    }

    async fn report(&self, row: &mut Row, ledger: &Ledger, stops: usize) {
        all_is_stored_once(row, ledger, &self.source, &self.broker, &self.database).await;
        let Balancer { answers, accepted, failures, .. } = self.balancer.as_ref();
        row.figure("requests", answers.load(Ordering::SeqCst));
        row.figure("answered before their end", accepted.load(Ordering::SeqCst));
        let failures = failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        row.figure("failed", failures.len());
        row.must(failures.is_empty(), format!("{} requests failed: {:?}", failures.len(), failures.first()));
        let again = delivered_again(&self.database).await;
        row.figure("on their way to a consumer as it was cancelled, and delivered to another", again);
        row.must(again < stops * ON_THEIR_WAY, format!("{again} messages were delivered again"));
    }
}

/// In the end, also what cannot be told apart.
async fn all_is_stored_once(
    row: &mut Row,
    ledger: &Ledger,
    source: &TestQueue,
    broker: &Broker,
    database: &Database,
) {
    until_within(Duration::from_mins(1), "all is stored", || async {
        ledger.is_stored(&database.pool).await.then_some(())
    })
    .await;
    broker.until_empty(&source.name).await;
    database.assert_counters_exact().await;
    let verdict = ledger.classify(&database.pool).await;
    row.must(verdict.twins == 0, format!("{} twins", verdict.twins));
    row.ledger(&verdict);
}

/// Dead letters that a quorum queue had on their way to another consumer before: it says so in a header.
async fn delivered_again(database: &Database) -> usize {
    let query =
        "SELECT count(*) FROM dead_letter WHERE position('x-delivery-count'::bytea IN properties) > 0";
    let count: i64 = sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap();
    count as usize
}

/// A connection on which this was sent, and what was answered to it, if it was a request.
async fn connect(api: &Api, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(api)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    if request.ends_with("\r\n\r\n") {
        assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
    }
    stream
}

/// Host and port.
fn address(api: &Api) -> String {
    let request = api.request(Method::GET, "/").build().unwrap();
    request.url().authority().to_owned()
}

async fn publish(broker: Broker, source: String, done: CancellationToken) -> Ledger {
    let (mut ledger, mut random) = (Ledger::default(), StdRng::seed_from_u64(seed()));
    while !done.is_cancelled() {
        ledger.publish(&broker, &source, MESSAGES, &mut random).await;
        // No condition to wait for: this is the load.
        let _ = done.run_until_cancelled(tokio::time::sleep(Duration::from_millis(100))).await;
    }
    ledger
}

/// Sends each request to the next replica that says that it is ready.
struct Balancer {
    members: [Member; 2],
    next: AtomicUsize,
    answers: AtomicUsize,
    /// Requests that were waiting for an operation when they were answered.
    accepted: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

struct Member {
    api: Api,
    ready: AtomicBool,
}

impl Member {
    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

impl Balancer {
    fn start(replicas: &[Service; 2]) -> Arc<Self> {
        let members =
            replicas.each_ref().map(|it| Member { api: it.api.clone(), ready: AtomicBool::new(true) });
        let balancer = Arc::new(Self {
            members,
            next: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            failures: Mutex::default(),
        });
        for (which, replica) in replicas.iter().enumerate() {
            let (admin, balancer) = (replica.admin.clone(), Arc::downgrade(&balancer));
            tokio::spawn(async move {
                while let Some(balancer) = balancer.upgrade() {
                    let answer = admin.try_send(admin.request(Method::GET, "/health/ready")).await;
                    let ready = answer.is_some_and(|answer| answer.status == 200);
                    balancer.members[which].ready.store(ready, Ordering::SeqCst);
                    drop(balancer);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
        balancer
    }

    /// Clients that ask without end, some of them for an operation whose end they wait for.
    fn load(self: &Arc<Self>, sink: &str, done: &CancellationToken) -> Vec<tokio::task::JoinHandle<()>> {
        let reading = ["/dead-letters?limit=5", "/dead-letters/service-overview", "/operations?limit=5"];
        let mut clients = Vec::new();
        for path in reading {
            let (balancer, done) = (Arc::clone(self), done.clone());
            clients.push(tokio::spawn(async move {
                while !done.is_cancelled() {
                    balancer.ask(Method::GET, path, None).await;
                    let _ = done.run_until_cancelled(tokio::time::sleep(Duration::from_millis(20))).await;
                }
            }));
        }
        for _ in 0..2 {
            let (balancer, done) = (Arc::clone(self), done.clone());
            let body = json!({
                "kind": "redeliver", "filter": {"service": "service"}, "limit": 5 * RATE, "rate": RATE,
                "to": {"exchange": "", "routingKey": sink},
            });
            clients.push(tokio::spawn(async move {
                while !done.is_cancelled() {
                    balancer.ask(Method::POST, "/operations?wait=20", Some(&body)).await;
                }
            }));
        }
        clients
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&serde_json::Value>) {
        let first = self.next.fetch_add(1, Ordering::SeqCst);
        let ready = (first..first + 2).map(|which| &self.members[which % 2]).find(|member| member.is_ready());
        let Some(member) = ready else {
            self.failed(format!("{method} {path}: no replica is ready"));
            // Not to fail a thousand times for it.
            tokio::time::sleep(Duration::from_millis(100)).await;
            return;
        };
        let mut request = member.api.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                let waited = answer.status() == 202;
                match answer.bytes().await {
                    Ok(_) => {
                        self.answers.fetch_add(1, Ordering::SeqCst);
                        self.accepted.fetch_add(usize::from(waited), Ordering::SeqCst);
                    }
                    Err(error) => self.failed(format!("{method} {path}: {error:?}")),
                }
            }
            Ok(answer) => self.failed(format!("{method} {path}: {}", answer.status())),
            Err(error) => self.failed(format!("{method} {path}: {error:?}")),
        }
    }

    fn failed(&self, what: String) {
        println!("{what}");
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}
