//! `RabbitMQ` dies: one node alone, and the leader of a cluster's.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ledger::{Ledger, Verdict};
use crate::nodes::{Cluster, Cut};
use crate::postgres::given;
use crate::stand::{repeat, seed};
use crate::support::{Broker, Database, Servers, Service, TestQueue, until_within};
use crate::table::{Row, is_full, times};

const NODES: usize = 3;
/// Messages before a fault, and while it lasts.
const BEFORE: usize = 300;
const MEANWHILE: usize = 100;
/// Time in which what is published comes in again, once there is a leader.
const CONSUMING_AGAIN: Duration = Duration::from_secs(15);
/// The slowest machine, and a node that catches up.
const DEADLINE: Duration = Duration::from_mins(3);

/// The service on brokers that die; fields are dropped in this order.
struct Scene {
    service: Service,
    source: TestQueue,
    database: Database,
    ledger: Ledger,
    random: StdRng,
}

impl Scene {
    async fn start(broker: &Broker, urls: &str, database: Database) -> Self {
        let source = broker.declare_source(&[]).await;
        let service = Service::start(&database.url, urls, &source.name, &[("DEAD_LETTER_BATCH_ROWS", "100")]);
        service.until_ready().await;
        let random = StdRng::seed_from_u64(seed());
        Self { service, source, database, ledger: Ledger::default(), random }
    }

    async fn publish(&mut self, broker: &Broker, count: usize) -> Vec<String> {
        self.ledger.publish(broker, &self.source.name, count, &mut self.random).await
    }

    async fn until_stored(&self, id: &str) -> SystemTime {
        until_within(DEADLINE, &format!("the source is consumed again ({})", repeat()), || async {
            let count = "SELECT count(*) FROM dead_letter WHERE message_id = $1";
            let stored: i64 =
                sqlx::query_scalar(count).bind(id).fetch_one(&self.database.pool).await.unwrap();
            (stored > 0).then(SystemTime::now)
        })
        .await
    }

    /// The same, and whether the service had no consumer for a while.
    async fn until_consumed(&self, id: &str) -> (SystemTime, bool) {
        let consuming = format!("dead_letter_source_consuming{{source=\"{}\"}}", self.source.name);
        let mut lost = false;
        let watching = async {
            loop {
                lost |= self.service.metric(&consuming).await == 0.0;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let stored_at = tokio::select! {
            at = self.until_stored(id) => at,
            () = watching => unreachable!("it has no end"),
        };
        (stored_at, lost)
    }

    async fn until_quiet(&self, broker: &Broker) {
        until_within(DEADLINE, &format!("all is stored ({})", repeat()), || async {
            self.ledger.is_stored(&self.database.pool).await.then_some(())
        })
        .await;
        broker.until_empty(&self.source.name).await;
    }

    async fn verdict(&self) -> Verdict {
        self.database.assert_counters_exact().await;
        self.ledger.classify(&self.database.pool).await
    }
}

/// R2, R3: the only node is killed while messages come in, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing() {
    let mut row = Row::new("RabbitMQ, one node: SIGKILL and restart", times(30));
    let servers = Servers::start("broker-kills").await;
    let mut broker = Broker::on(&servers.amqp_url).await;
    let database = Database::on(&servers.database_url).await;
    let mut scene = Scene::start(&broker, &servers.amqp_url, database).await;
    servers.until_registered(&scene.source.name).await;
    let mut took = Vec::new();
    for round in 1..=times(30) {
        scene.publish(&broker, BEFORE).await;
        servers.kill("rabbitmq");
        servers.start_again("rabbitmq");
        broker = Broker::on(&servers.amqp_url).await;
        let ids = scene.publish(&broker, MEANWHILE).await;
        // Confirmed: so there is a leader.
        let leader_at = SystemTime::now();
        let consuming_at = scene.until_stored(&ids[0]).await;
        let consuming_after = consuming_at.duration_since(leader_at).unwrap_or_default();
        println!("round {round}: consuming again after {:.1} s", consuming_after.as_secs_f64());
        took.push(consuming_after);
        scene.until_quiet(&broker).await;
    }
    row.within("consuming again after", took, 1.0, CONSUMING_AGAIN);
    row.ledger(&scene.verdict().await);
    row.finish();
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Stopped,
    CutOff,
}

/// R2, R3: the node that leads the source is killed, stopped for a while, or cut off from the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_its_leader_loses_nothing() {
    if !is_full() {
        println!("skipped: three nodes take too long to start; `make chaos` has them");
        return;
    }
    let Some(cluster) = given(Cluster::start("cluster", NODES).await) else { return };
    let cluster = Arc::new(cluster);
    let broker = Broker::on(cluster.url(0)).await;
    let mut scene = Scene::start(&broker, &cluster.urls(), Database::shared().await).await;
    let rows = [
        (Fault::Killed, "three nodes: the source's leader killed", times(30)),
        (Fault::Stopped, "three nodes: the source's leader stopped for 10 to 30 s", times(30)),
        (Fault::CutOff, "three nodes: the source's leader cut off for 20 s", times(10)),
    ];
    for (fault, name, often) in rows {
        if let (Fault::CutOff, Some(why)) = (fault, Cut::missing()) {
            println!("skipped: {name}: {why}");
            continue;
        }
        let mut row = Row::new(name, often);
        let (mut took, mut stuck, mut elections) = (Vec::new(), Vec::new(), 0);
        for round in 1..=often {
            let struck = strike(&cluster, &mut scene, fault).await;
            println!("round {round}: {struck:?}");
            elections += usize::from(struck.elected);
            if struck.broker_was_stuck { &mut stuck } else { &mut took }.push(struck.consuming_after);
        }
        row.figure("elections", elections);
        row.must(elections > 0, "no other leader was ever elected");
        row.within("consuming again after", took, 1.0, CONSUMING_AGAIN);
        row.within("after the fault, where a consumer was asked for in it:", stuck, 1.0, CONSUMING_AGAIN);
        row.ledger(&scene.verdict().await);
        row.finish();
    }
}

#[derive(Debug)]
struct Struck {
    /// A message came in so long after there was a leader.
    consuming_after: Duration,
    /// It was another one.
    elected: bool,
    /// `RabbitMQ` 3.10 takes no new consumer from anybody while the old leader is silent and not known to be dead: who consumed
    /// through that node, or began to consume at that moment, has to wait for the end of the fault, after which the time counts
    /// then.
    broker_was_stuck: bool,
}

async fn strike(cluster: &Arc<Cluster>, scene: &mut Scene, fault: Fault) -> Struck {
    let asked = scene.random.random_range(0..NODES);
    let election = cluster.watch_leader(&scene.source.name, asked);
    let leader = election.old_leader;
    let other = (leader + scene.random.random_range(1..NODES)) % NODES;
    let lasts = Duration::from_millis(scene.random.random_range(10_000..30_000));
    let broker = Broker::on(cluster.url(other)).await;
    scene.publish(&broker, BEFORE).await;
    let cut = match fault {
        Fault::Killed => {
            cluster.kill(leader);
            None
        }
        Fault::Stopped => {
            cluster.stop(leader);
            None
        }
        Fault::CutOff => Some(cluster.cut_off(leader)),
    };
    let ending = tokio::spawn(end(Arc::clone(cluster), leader, fault, lasts, cut));
    let ids = scene.publish(&broker, MEANWHILE).await;
    let (consuming_at, lost) = scene.until_consumed(&ids[0]).await;
    let ended_at = ending.await.unwrap();
    scene.until_quiet(&broker).await;
    let decided = election.decided();
    let broker_was_stuck = (election.consumed_there || lost) && !matches!(fault, Fault::Killed);
    let leader_at = match decided {
        Some(decided) if !broker_was_stuck => decided.min(ended_at),
        _ => ended_at,
    };
    let consuming_after = consuming_at.duration_since(leader_at).unwrap_or_default();
    Struck { consuming_after, elected: decided.is_some(), broker_was_stuck }
}

/// Ends a fault when it has lasted long enough; says when that was.
async fn end(
    cluster: Arc<Cluster>,
    node: usize,
    fault: Fault,
    lasts: Duration,
    cut: Option<Cut>,
) -> SystemTime {
    match fault {
        Fault::Killed => {
            tokio::task::spawn_blocking(move || cluster.start_again(node)).await.unwrap();
            SystemTime::now()
        }
        // How long it lasts is what is tried.
        Fault::Stopped => {
            tokio::time::sleep(lasts).await;
            cluster.go_on(node);
            SystemTime::now()
        }
        Fault::CutOff => {
            tokio::time::sleep(Duration::from_secs(20)).await;
            drop(cut);
            SystemTime::now()
        }
    }
}
