//! Publishes that the broker refuses, or does not answer.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::proxy::{Deed, Protocol, Proxy, Trap, Way, connection_blocked, connection_unblocked, server};
use crate::stand::repeat;
use crate::support::{
    Broker, Database, DeadMessage, Servers, Service, TestQueue, id, text, until, until_eq, until_within,
};
use crate::table::{Row, times};

/// By then each item has its reason, or the operation says what it waits for.
const REASON: Duration = Duration::from_secs(10);
/// Messages of an operation that are refused, and those that are not.
const BAD: usize = 10;
const GOOD: usize = 30;
/// Each may have the same chunk in hand, one after the other.
const WORKERS: usize = 2;
/// Messages that come in meanwhile.
const PROBE: usize = 500;
/// Bytes of a body that is too large, and the limit.
const LARGE: usize = 200_000;
const LIMIT: &str = "100000";
/// The longest frame, less what stands around the properties in one, less what is left for them to grow.
const NEAR_THE_FRAME: usize = 131_072 - 20 - 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NoQueue,
    NoExchange,
    NoPermission,
    FullQueue,
    HeadersTooLarge,
    BodyTooLarge,
    SaidToBeBlocked,
    Blocked,
    NoConfirm,
    BrokerGone,
}

impl Fault {
    const ALL: [Self; 10] = [
        Self::NoQueue,
        Self::NoExchange,
        Self::NoPermission,
        Self::FullQueue,
        Self::HeadersTooLarge,
        Self::BodyTooLarge,
        Self::SaidToBeBlocked,
        Self::Blocked,
        Self::NoConfirm,
        Self::BrokerGone,
    ];

    /// What the reason has to contain.
    fn reason(self) -> &'static str {
        match self {
            Self::NoQueue => "312 NO_ROUTE",
            Self::NoExchange => "404 NOT_FOUND",
            Self::NoPermission => "403 ACCESS_REFUSED",
            Self::FullQueue => "Nacked by a target queue",
            Self::HeadersTooLarge => "Properties and headers take 131",
            Self::BodyTooLarge => "406 PRECONDITION_FAILED",
            Self::SaidToBeBlocked | Self::Blocked => "blocks publishers",
            Self::NoConfirm => "No confirm from the broker in time",
            Self::BrokerGone => "not available",
        }
    }

    /// Whether it is a matter of time, and not of some messages.
    fn passes(self) -> bool {
        matches!(self, Self::SaidToBeBlocked | Self::Blocked | Self::NoConfirm | Self::BrokerGone)
    }
}

/// R7: whatever the broker refuses, there is no false success, a reason soon, and no harm to the other messages.
#[tokio::test(flavor = "multi_thread")]
async fn refused_publishes_have_a_reason() {
    let mut row = Row::new("refused publishes, of 10 kinds", times(10) * Fault::ALL.len());
    let mut bench = Bench::start().await;
    let usual = [bench.probe().await, bench.probe().await, bench.probe().await];
    let usual = usual.into_iter().max().unwrap();
    let (mut reasons, mut probes, mut repeats) = (Vec::new(), Vec::new(), 0);
    for fault in Fault::ALL {
        for _ in 0..times(10) {
            let found = bench.strike(fault, &mut row).await;
            println!("{fault:?}: reason after {:.1?}, {} repeated", found.reason_after, found.repeats);
            reasons.push(found.reason_after);
            repeats += found.repeats;
            probes.extend(found.probe);
        }
    }
    row.within("reason after", reasons, 1.0, REASON);
    row.figure("published again", repeats);
    let ratio = |took: Duration| format!("{:.2}", usual.as_secs_f64() / took.as_secs_f64());
    probes.sort_unstable();
    row.figure("ingest meanwhile, of its usual rate,", ratio(probes[probes.len() / 2]));
    row.within("500 stored meanwhile", probes, 0.5, usual * 2);
    row.finish();
}

/// Servers of its own, and a user who may not publish everywhere. Fields are dropped in this order.
struct Bench {
    service: Service,
    proxy: Proxy,
    source: TestQueue,
    database: Database,
    broker: Broker,
    servers: Servers,
}

struct Found {
    reason_after: Duration,
    repeats: usize,
    /// How long some messages took to come in meanwhile, where they could.
    probe: Option<Duration>,
}

/// Of one operation.
struct Work {
    service: String,
    good: TestQueue,
    /// Messages of it that cannot be delivered.
    bad: usize,
    _full: Option<TestQueue>,
}

/// Runs `rabbitmqctl`.
fn ctl(servers: &Servers, arguments: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers.sh");
    let output = Command::new(script).arg("ctl").arg(&servers.folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether the broker has written down that there is this queue, which it does a moment after it has said so.
fn is_on_disk(servers: &Servers, queue: &str) -> bool {
    let nodes: Vec<_> = std::fs::read_dir(servers.folder.join("rabbitmq/data")).unwrap().flatten().collect();
    // RabbitMQ 4.3 has no Mnesia: it answers a declaration when that is on disk.
    if !nodes.iter().any(|node| node.path().join("LATEST.LOG").exists()) {
        return true;
    }
    let logs = nodes.iter().flat_map(|node| {
        ["LATEST.LOG", "rabbit_durable_queue.DCL", "rabbit_durable_queue.DCD"]
            .map(|file| node.path().join(file))
    });
    let mut written = logs.filter_map(|log| std::fs::read(log).ok());
    written.any(|bytes| bytes.windows(queue.len()).any(|window| window == queue.as_bytes()))
}

fn classic() -> (&'static str, AMQPValue) {
    // As soon as the broker is there such a queue is: that of a quorum would refuse until it has a leader.
    ("x-queue-type", text("classic"))
}

impl Bench {
    async fn start() -> Self {
        let servers = Servers::start("refusals").await;
        ctl(&servers, &["add_user", "limited", "limited"]);
        ctl(&servers, &["set_permissions", "limited", ".*", r"^amq\.default$", ".*"]);
        let broker = Broker::on(&servers.amqp_url).await;
        let database = Database::on(&servers.database_url).await;
        let source = broker.declare_source(&[classic()]).await;
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declaring = broker.channel.exchange_declare(
            "closed".into(),
            ExchangeKind::Fanout,
            options,
            FieldTable::default(),
        );
        declaring.await.unwrap();
        let proxy = Proxy::start(server(&servers.amqp_url), Protocol::Amqp).await;
        let url = proxy.url(&servers.amqp_url);
        let (_, rest) = url.split_once('@').unwrap();
        let service = Service::start(
            &database.url,
            &format!("amqp://limited:limited@{rest}"),
            &source.name,
            &[("DEAD_LETTER_OPERATION_WORKERS", &WORKERS.to_string())],
        );
        service.until_ready().await;
        Self { service, proxy, source, database, broker, servers }
    }

    async fn strike(&mut self, fault: Fault, row: &mut Row) -> Found {
        let work = self.work(fault).await;
        self.begin(fault, &work).await;
        let to = if matches!(fault, Fault::NoExchange | Fault::NoPermission) { "exchange" } else { "queue" };
        let body = json!({"kind": "redeliver", "filter": {"service": work.service}, "to": to});
        let begun = Instant::now();
        let operation = self.service.api.post("/operations", &body).await.assert(202).json;
        let path = format!("/operations/{}", operation["id"].as_str().unwrap());
        // While the broker is blocked or gone nothing comes in that could be measured.
        let measured = !matches!(fault, Fault::Blocked | Fault::BrokerGone);
        let (reason_after, probe) = tokio::join!(self.until_reason(fault, &path, begun, row), async {
            if measured { Some(self.probe().await) } else { None }
        });
        self.end(fault).await;
        let what = format!("the operation ends after {fault:?} ({})", repeat());
        let operation = until_within(Duration::from_secs(90), &what, || async {
            let now = self.service.api.get(&path).await.json;
            (now["state"] == "completed").then_some(now)
        })
        .await;
        let repeats = self.check(fault, &work, &operation, row).await;
        Found { reason_after, repeats, probe }
    }

    /// Stores the dead letters of an operation.
    async fn work(&self, fault: Fault) -> Work {
        let service = format!("s{}", &id()[..8]);
        let good = self.broker.declare_queue(&format!("good_{service}"), &[classic()]).await;
        let bad = if fault.passes() { 0 } else { BAD };
        let mut full = None;
        if fault == Fault::FullQueue {
            let arguments =
                [classic(), ("x-max-length", AMQPValue::LongInt(0)), ("x-overflow", text("reject-publish"))];
            full = Some(self.broker.declare_queue(&format!("full_{service}"), &arguments).await);
        }
        let published =
            |queue: &str, exchange: &str, key: &str| DeadMessage::published((exchange, key), &id(), queue);
        let dead_good = (0..GOOD).map(|_| published(&good.name, "", &good.name));
        let dead_bad = (0..bad).map(|_| match fault {
            Fault::NoExchange => published(&good.name, "nowhere", "key"),
            Fault::NoPermission => published(&good.name, "closed", "key"),
            Fault::FullQueue => DeadMessage::new(&id(), &format!("full_{service}")),
            Fault::HeadersTooLarge => near_the_frame(&format!("h_{service}")),
            Fault::BodyTooLarge => DeadMessage::new(&id(), &good.name).body(vec![b'x'; LARGE]),
            _ => DeadMessage::new(&id(), &format!("gone_{service}")),
        });
        // Bad ones among the good ones.
        let (mut dead, dead_bad): (Vec<_>, Vec<_>) = (dead_good.collect(), dead_bad.collect());
        for (place, message) in dead_bad.into_iter().enumerate() {
            dead.insert(place * 3, message);
        }
        let count = dead.len() as i64;
        self.broker.publish_all(&self.source.name, dead).await;
        until_eq("dead letters of the service", count, || self.stored(&service)).await;
        Work { service, good, bad, _full: full }
    }

    async fn stored(&self, service: &str) -> i64 {
        let count = "SELECT count(*) FROM dead_letter WHERE service = $1";
        sqlx::query_scalar(count).bind(service).fetch_one(&self.database.pool).await.unwrap()
    }

    async fn begin(&mut self, fault: Fault, work: &Work) {
        let at_a_confirm = |deed| Trap {
            way: Way::ToClient,
            name: "basic.ack",
            after: Some("basic.publish"),
            skip: 0,
            deed,
        };
        match fault {
            Fault::BodyTooLarge => {
                // RabbitMQ 4 looks elsewhere than 3 does.
                let limit = format!(
                    "application:set_env(rabbit, max_message_size, {LIMIT}), persistent_term:put(max_message_size, {LIMIT})."
                );
                ctl(&self.servers, &["eval", &limit]);
                // The limit is for new channels.
                self.service.restart();
                self.service.until_ready().await;
            }
            Fault::SaidToBeBlocked => {
                let time = Duration::from_secs(8);
                let deed = Deed::Pause(connection_blocked, time, connection_unblocked);
                self.proxy.set(at_a_confirm(deed));
            }
            Fault::NoConfirm => self.proxy.set(at_a_confirm(Deed::FreezeBefore)),
            Fault::Blocked => ctl(&self.servers, &["set_vm_memory_high_watermark", "0"]),
            Fault::BrokerGone => {
                until("the queue is written down", || async {
                    is_on_disk(&self.servers, &work.good.name).then_some(())
                })
                .await;
                // So are the names of queues, which may still be in a buffer.
                ctl(&self.servers, &["eval", "whereis(mnesia_sup) =:= undefined orelse mnesia:sync_log()."]);
                self.servers.kill("rabbitmq");
            }
            _ => {}
        }
    }

    async fn end(&mut self, fault: Fault) {
        match fault {
            Fault::BodyTooLarge => {
                let usual = "application:unset_env(rabbit, max_message_size),
                     persistent_term:put(max_message_size, 16777216).";
                ctl(&self.servers, &["eval", usual]);
            }
            Fault::SaidToBeBlocked | Fault::NoConfirm => self.proxy.heal(),
            Fault::Blocked => ctl(&self.servers, &["set_vm_memory_high_watermark", "0.4"]),
            Fault::BrokerGone => {
                self.servers.start_again("rabbitmq");
                self.broker = Broker::on(&self.servers.amqp_url).await;
                self.service.until_ready().await;
            }
            _ => {}
        }
    }

    /// Waits for the reason of every item that is refused, or for what the operation waits for; says how long that took.
    async fn until_reason(&self, fault: Fault, path: &str, begun: Instant, row: &mut Row) -> Duration {
        let what = format!("a reason after {fault:?} ({})", repeat());
        let why = until_within(Duration::from_mins(1), &what, || async {
            let now = self.service.api.get(path).await.json;
            if fault.passes() {
                return now["lastError"].as_str().map(|why| vec![why.to_owned()]);
            }
            (now["state"] == "completed").then_some(())?;
            let refused = format!("{path}/items?outcome=refused&limit=200");
            let items = self.service.api.get(&refused).await.assert(200).json["items"].clone();
            let detail = |item: &Value| item["detail"].as_str().unwrap_or("none").to_owned();
            Some(items.as_array().unwrap().iter().map(detail).collect())
        })
        .await;
        let took = begun.elapsed();
        let other = why.iter().find(|why| !why.contains(fault.reason()));
        row.must(other.is_none(), format!("{fault:?}: the reason is {other:?}"));
        took
    }

    /// How long it takes until some messages are stored.
    async fn probe(&self) -> Duration {
        let service = format!("p{}", &id()[..8]);
        let broker = Broker::on(&self.servers.amqp_url).await;
        let begun = Instant::now();
        let messages = (0..PROBE).map(|_| DeadMessage::new(&id(), &format!("q_{service}")));
        broker.publish_all(&self.source.name, messages).await;
        until("the probe is stored", || async {
            (self.stored(&service).await == PROBE as i64).then_some(())
        })
        .await;
        begun.elapsed()
    }

    /// No false success, and the good ones are where they belong; says how many came more than once.
    async fn check(&self, fault: Fault, work: &Work, operation: &Value, row: &mut Row) -> usize {
        let count = |outcome: &str| operation["outcomes"][outcome].as_u64().unwrap() as usize;
        row.must(count("sent") == GOOD && count("refused") == work.bad, format!("{fault:?}: {operation}"));
        let depth = self.broker.depth(&work.good.name).await as usize;
        let came = self.broker.drain(&work.good.name, depth).await;
        let message = |id: Option<&str>| id.unwrap().to_owned();
        let came_ids: HashSet<String> = came
            .iter()
            .map(|it| message(it.properties.message_id().as_ref().map(lapin::types::ShortString::as_str)))
            .collect();
        let sent = self.service.api.all(&format!("service={}&status=redelivered", work.service), 200).await;
        let sent: HashSet<String> = sent.iter().map(|it| message(it["messageId"].as_str())).collect();
        let amiss = sent.difference(&came_ids).count();
        row.must(amiss == 0, format!("{fault:?}: {amiss} count as redelivered, and did not come"));
        row.must(sent.len() == came_ids.len(), format!("{fault:?}: {} came", came_ids.len()));
        row.must(sent.len() == GOOD, format!("{fault:?}: {} redelivered", sent.len()));
        let dead = self.service.api.all(&format!("service={}", work.service), 200).await.len();
        row.must(dead == work.bad, format!("{fault:?}: {dead} are still dead"));
        self.database.assert_counters_exact().await;
        let repeats = came.len() - came_ids.len();
        row.must(repeats <= WORKERS * GOOD, format!("{fault:?}: {repeats} published again"));
        repeats
    }
}

/// A message that just fits a frame, and does not any more with what we add.
fn near_the_frame(queue: &str) -> DeadMessage {
    let message_id = id();
    let queue_header = "dead-letter-origin-queue";
    // Flags, the message id, the length of the table, and two headers: name, type, length, value.
    let others =
        2 + (1 + message_id.len()) + 4 + (1 + queue_header.len() + 5 + queue.len()) + (1 + "large".len() + 5);
    DeadMessage::plain()
        .id(&message_id)
        .header(queue_header, text(queue))
        .header("large", text(&"x".repeat(NEAR_THE_FRAME - others)))
}
