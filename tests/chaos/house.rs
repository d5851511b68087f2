//! The whole house: a cluster of `RabbitMQ`, a primary of `PostgreSQL` with a synchronous standby, two replicas and a load balancer. Each
//! part dies in its turn, under traffic that does not stop.

mod pair;
mod patroni;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use reqwest::Method;

use crate::haproxy::HaProxy;
use crate::nodes::Cluster;
use crate::postgres::given;
use crate::stand::seed;
use crate::support::{Broker, Database, Service, TestQueue};
use crate::table::{Row, is_full, times};
use crate::traffic::{ACTING, Failure, Traffic, Way};
use pair::Pair;

const NODES: usize = 3;
/// How often each fault strikes in the full table.
const ROUNDS: usize = 10;
/// Dead letters that there are to redeliver.
const BEFORE: usize = 1_000;
/// A load balancer notices within a second that a replica is not ready. The default is for slower ones.
const SETTINGS: [(&str, &str); 2] = [("DEAD_LETTER_BATCH_ROWS", "100"), ("DEAD_LETTER_DRAIN_DELAY", "3s")];
/// Longest time in which no request succeeds, and from a confirm until a message is stored.
const SILENCE: Duration = Duration::from_secs(15);
const STORED: Duration = Duration::from_secs(30);

/// Failures of each fault that are shown.
const SHOWN: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    ReplicaKilled,
    FavouriteKilled,
    ReplicaStopped,
    BothStopped,
    LeaderKilled,
    PrimaryKilled,
    PrimaryAndReplicaKilled,
}

use Fault::{
    BothStopped, FavouriteKilled, LeaderKilled, PrimaryAndReplicaKilled, PrimaryKilled, ReplicaKilled,
    ReplicaStopped,
};

impl Fault {
    const ALL: [Self; 7] = [
        ReplicaKilled,
        FavouriteKilled,
        ReplicaStopped,
        BothStopped,
        LeaderKilled,
        PrimaryKilled,
        PrimaryAndReplicaKilled,
    ];

    /// With `make test` without those that are part of another one.
    fn of_this_run() -> Vec<Self> {
        let is_part = |fault: &Self| matches!(fault, FavouriteKilled | PrimaryKilled);
        Self::ALL.into_iter().filter(|fault| is_full() || !is_part(fault)).collect()
    }

    fn text(self) -> &'static str {
        match self {
            ReplicaKilled => "a replica killed",
            FavouriteKilled => "the balancer's favourite killed",
            ReplicaStopped => "a replica stopped and started",
            BothStopped => "both replicas stopped, then started",
            LeaderKilled => "the queue's leader killed",
            PrimaryKilled => "the primary killed and the standby promoted",
            PrimaryAndReplicaKilled => "the primary killed, then a replica, and the standby promoted",
        }
    }

    /// Whether a request may fail in that way.
    fn excuses(self, failure: &Failure) -> bool {
        match self {
            PrimaryAndReplicaKilled => PrimaryKilled.excuses(failure) || ReplicaKilled.excuses(failure),
            // What only reads is asked again of the other replica. What acts may have been done, and is not: HAProxy says so, or closes a
            // connection that was used before.
            ReplicaKilled | FavouriteKilled => {
                failure.method == Method::POST && failure.status.is_none_or(|status| status == 502)
            }
            // A stop and what the broker does is noticed by nobody.
            ReplicaStopped | BothStopped | LeaderKilled => false,
            PrimaryKilled => failure.status == Some(503),
        }
    }
}

/// What a fault did.
struct Struck {
    fault: Fault,
    failures: Vec<Failure>,
    silence: Duration,
    slowest: Duration,
    stored: Duration,
}

/// Fields are dropped in this order.
struct House {
    replicas: [Service; 2],
    source: TestQueue,
    origin: TestQueue,
    database: Database,
    balancer: HaProxy,
    postgres: Pair,
    cluster: Arc<Cluster>,
    random: StdRng,
}

/// R1, R2, R3, R7, R8, R10: nothing is lost and nothing is done twice, whichever part dies; and who asks the load balancer notices no
/// more than has to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_part_dies_in_its_turn() {
    let (rounds, mut faults) = (times(ROUNDS), Fault::of_this_run());
    let mut row = Row::new("the whole house, each part in its turn", rounds * faults.len());
    let Some(mut house) = given(House::start().await) else { return };
    let way = Way {
        amqp_urls: house.cluster.urls(),
        source: house.source.name.clone(),
        origin: house.origin.name.clone(),
    };
    let traffic = Traffic::start(way, &house.balancer.api, &house.database, BEFORE).await;
    traffic.until_as_before().await;
    let mut struck = Vec::new();
    for _ in 0..rounds {
        faults.shuffle(&mut house.random);
        for fault in &faults {
            struck.push(house.strike(*fault, &traffic).await);
        }
    }
    traffic.finish(&mut row, &house.replicas[0].api, &house.database).await;
    report(&mut row, &struck, house.postgres.takes_longer_by());
    row.finish();
}

fn report(row: &mut Row, struck: &[Struck], longer: Duration) {
    for fault in Fault::of_this_run() {
        let these = || struck.iter().filter(move |struck| struck.fault == fault);
        let failed: usize = these().map(|it| it.failures.len()).sum();
        let most = |of: fn(&Struck) -> Duration| these().map(of).max().unwrap_or_default().as_secs_f64();
        let found = format!(
            "{failed} failed, {:.1} s without an answer, slowest answer {:.1} s, stored after {:.1} s",
            most(|it| it.silence),
            most(|it| it.slowest),
            most(|it| it.stored)
        );
        row.figure(&format!("{}:", fault.text()), found);
        let unexcused = these().flat_map(|it| &it.failures).filter(|failure| !fault.excuses(failure));
        for failure in unexcused.take(SHOWN) {
            row.must(false, format!("{}: {failure}", fault.text()));
        }
        let under_way = these().count() * ACTING;
        let are_few = !matches!(fault, ReplicaKilled | FavouriteKilled) || failed <= under_way;
        row.must(are_few, format!("{}: {failed} failed where {under_way} were under way", fault.text()));
    }
    row.within("without an answer", struck.iter().map(|it| it.silence).collect(), 1.0, SILENCE + longer);
    row.within("stored after", struck.iter().map(|it| it.stored).collect(), 1.0, STORED + longer);
}

impl House {
    async fn start() -> Result<Self, String> {
        let building = tokio::spawn(Cluster::start("house", NODES));
        let postgres = Pair::start().await;
        let cluster = Arc::new(building.await.unwrap()?);
        let postgres = postgres?;
        let balancer = HaProxy::start(postgres.members()).await?;
        let database = Database::on(&format!("postgres://postgres@{}/postgres", balancer.database)).await;
        let broker = Broker::on(cluster.url(0)).await;
        let source = broker.declare_source(&[]).await;
        let origin = broker.declare_queue(&format!("q_{}", source.name), &[]).await;
        let replicas = [0, 1].map(|which| {
            let settings = [&SETTINGS[..], &balancer.addresses(which)].concat();
            Service::start(&database.url, &cluster.urls(), &source.name, &settings)
        });
        balancer.until_both_are_up().await;
        let random = StdRng::seed_from_u64(seed());
        Ok(Self { replicas, source, origin, database, balancer, postgres, cluster, random })
    }

    /// Strikes, and waits until everything is as before.
    async fn strike(&mut self, fault: Fault, traffic: &Traffic) -> Struck {
        // Not to wait for anything: any moment is as good as another.
        self.pause(100..1500).await;
        let begun = Instant::now();
        match fault {
            ReplicaKilled => self.kill_one().await,
            FavouriteKilled => self.kill(self.balancer.favourite().await).await,
            ReplicaStopped => {
                let replica = usize::from(self.random.random::<bool>());
                assert!(self.replicas[replica].terminate().await.success());
                self.replicas[replica].restart();
            }
            BothStopped => {
                let [one, two] = &mut self.replicas;
                let (first, second) = tokio::join!(one.terminate(), two.terminate());
                assert!(first.success() && second.success());
                one.restart();
                two.restart();
            }
            LeaderKilled => self.kill_leader().await,
            PrimaryKilled | PrimaryAndReplicaKilled => {
                self.postgres.kill_primary().await;
                // As long as those who watch it need to be sure.
                self.pause(500..2000).await;
                if fault == PrimaryAndReplicaKilled {
                    // It has messages in hand that it cannot store.
                    self.kill_one().await;
                }
                self.postgres.promote_standby().await;
            }
        }
        for replica in &self.replicas {
            replica.until_ready().await;
        }
        self.balancer.until_both_are_up().await;
        traffic.until_as_before().await;
        let struck = Struck {
            fault,
            failures: traffic.asked.failures_since(begun),
            silence: traffic.asked.longest_silence_since(begun),
            slowest: traffic.asked.slowest_since(begun),
            stored: traffic.stored.slowest_since(begun),
        };
        println!("{:.1} s: {}", begun.elapsed().as_secs_f64(), fault.text());
        struck
    }

    async fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        let moment = self.random.random_range(milliseconds);
        tokio::time::sleep(Duration::from_millis(moment)).await;
    }

    async fn kill_one(&mut self) {
        let replica = usize::from(self.random.random::<bool>());
        self.kill(replica).await;
    }

    /// A replica dies, and is started again some time later.
    async fn kill(&mut self, replica: usize) {
        self.replicas[replica].kill();
        self.pause(500..3000).await;
        self.replicas[replica].restart();
    }

    /// The node that leads the source or the queue that redeliveries go to.
    async fn kill_leader(&mut self) {
        let queue = if self.random.random() { &self.source.name } else { &self.origin.name }.clone();
        let asked = self.random.random_range(0..NODES);
        let cluster = Arc::clone(&self.cluster);
        let striking = tokio::task::spawn_blocking(move || {
            let leader = cluster.watch_leader(&queue, asked).old_leader;
            cluster.kill(leader);
            cluster.start_again(leader);
        });
        striking.await.unwrap();
    }
}
