//! A new version takes the place of a former one, under traffic that does not stop: in a pause, or one replica after the other, and back.
//! `scripts/former.sh` builds the former versions.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::{Postgres, Transaction};

use crate::haproxy::{HaProxy, Member};
use crate::postgres::given;
use crate::proxy::server;
use crate::support::{Broker, Database, Service, TestQueue, binary, until};
use crate::table::{Row, is_full};
use crate::traffic::{Traffic, Way};

const SETTINGS: [(&str, &str); 1] = [("DEAD_LETTER_DRAIN_DELAY", "3s")];
/// Longest time in which no request is answered while replicas take turns, and while none is there.
const SILENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(20);
/// How long somebody reads while the schema is migrated.
const BACKUP: Duration = Duration::from_secs(3);
/// Longest time from a confirm until a message is stored.
const STORED: Duration = Duration::from_secs(20);

/// A former version; or a word why there is none.
fn former(version: &str) -> Result<OsString, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/former").join(version).join("dead-letter");
    if program.is_file() { Ok(program.into()) } else { Err(format!("{version} was not built: make upgrade")) }
}

/// Fields are dropped in this order.
struct Scene {
    replicas: [Service; 2],
    balancer: HaProxy,
    source: TestQueue,
    origin: TestQueue,
    database: Database,
    traffic: Traffic,
    begun: Instant,
}

/// R1, R2, R7: 0.2.0 cannot run beside the schema of this version. Both replicas are stopped, the schema is migrated, and both are started
/// as this version: requests wait for it, and none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn from_0_2_0_in_a_pause() {
    let Some(before) = given(former("0.2.0")) else { return };
    let mut row = Row::new("upgrade from 0.2.0 in a pause, under traffic", 1);
    let Some(mut scene) = given(Scene::start(before).await) else { return };
    let paused = Instant::now();
    let [one, two] = &mut scene.replicas;
    let (first, second) = tokio::join!(one.terminate(), two.terminate());
    row.must(first.success() && second.success(), "a replica of 0.2.0 did not end by itself");
    let migrated = scene.migrate(&mut row).await;
    for replica in &mut scene.replicas {
        replica.restart_as(binary());
    }
    scene.until_whole().await;
    row.figure("migrated in", format!("{:.1} s", migrated.as_secs_f64()));
    row.figure(
        "from the first SIGTERM until both are ready",
        format!("{:.1} s", paused.elapsed().as_secs_f64()),
    );
    scene.finish(row, PAUSE).await;
}

/// R1, R2, R7, R8: replicas of both versions work beside each other, whichever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_replica_after_the_other_and_back() {
    let Some(before) = given(former("schema-13")) else { return };
    let mut row = Row::new("upgrade from schema 13, one replica after the other, and back", 1);
    let Some(mut scene) = given(Scene::start(before.clone()).await) else { return };
    let backup = scene.begin_backup().await;
    let ending = tokio::spawn(async move {
        tokio::time::sleep(BACKUP).await;
        backup.rollback().await.unwrap();
    });
    let migrated = scene.migrate(&mut row).await;
    ending.await.unwrap();
    row.figure("migrated, beside a backup, in", format!("{:.1} s", migrated.as_secs_f64()));
    for (replica, version) in [(0, binary()), (1, binary()), (0, before.clone()), (1, before)] {
        let status = scene.replicas[replica].terminate().await;
        row.must(status.success(), format!("{status} after SIGTERM"));
        scene.replicas[replica].restart_as(version);
        scene.until_whole().await;
        scene.until_both_have_worked().await;
    }
    for replica in &scene.replicas {
        let ready = replica.admin.get("/health/ready").await.assert(200).json;
        let schema = ready["schema"].as_str().unwrap_or_default();
        row.must(schema.contains("newer than this release"), format!("the former version says: {schema}"));
    }
    scene.finish(row, SILENCE).await;
}

impl Scene {
    async fn start(program: OsString) -> Result<Self, String> {
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let nowhere = Member { address: server(&database.url), role: "127.0.0.1:1".parse().unwrap() };
        let balancer = HaProxy::start([nowhere, nowhere]).await?;
        let source = broker.declare_source(&[]).await;
        let origin = broker.declare_queue(&format!("q_{}", source.name), &[]).await;
        let replicas = [0, 1].map(|which| {
            let settings = [&SETTINGS[..], &balancer.addresses(which)].concat();
            Service::start_program(program.clone(), &database.url, &broker.url, &source.name, &settings)
        });
        balancer.until_both_are_up().await;
        let way =
            Way { amqp_urls: broker.url.clone(), source: source.name.clone(), origin: origin.name.clone() };
        // Enough for a migration to have something to do.
        let stored = if is_full() { 50_000 } else { 2_000 };
        let traffic = Traffic::start(way, &balancer.api, &database, stored).await;
        let scene = Self { replicas, balancer, source, origin, database, traffic, begun: Instant::now() };
        scene.until_both_have_worked().await;
        Ok(scene)
    }

    /// With the command of this version.
    async fn migrate(&self, row: &mut Row) -> Duration {
        let begun = Instant::now();
        let mut command = Command::new(binary());
        command.args(["migrate", "--database-url", &self.database.url]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        row.must(output.status.success(), String::from_utf8_lossy(&output.stderr));
        begun.elapsed()
    }

    /// Somebody who reads the tables that migrations change, as `pg_dump` does.
    async fn begin_backup(&self) -> Transaction<'static, Postgres> {
        let mut backup = self.database.pool.begin().await.unwrap();
        let lock = "LOCK TABLE dead_letter, error_group, operation IN ACCESS SHARE MODE";
        sqlx::query(lock).execute(&mut *backup).await.unwrap();
        backup
    }

    async fn until_whole(&self) {
        for replica in &self.replicas {
            replica.until_ready().await;
        }
        self.balancer.until_both_are_up().await;
        self.traffic.until_as_before().await;
    }
    /// Waits until each replica has stored and redelivered something from now on.
    async fn until_both_have_worked(&self) {
        let before = [self.work(0).await, self.work(1).await];
        for (replica, before) in before.into_iter().enumerate() {
            until("each replica stores and redelivers", || async {
                let now = self.work(replica).await;
                (now[0] > before[0] && now[1] > before[1]).then_some(())
            })
            .await;
        }
    }

    /// How much a replica has stored and redelivered.
    async fn work(&self, replica: usize) -> [f64; 2] {
        let stored = format!("dead_letter_ingested_total{{source=\"{}\"}}", self.source.name);
        let replica = &self.replicas[replica];
        [replica.metric(&stored).await, replica.metric("dead_letter_redelivered_total").await]
    }

    async fn finish(self, mut row: Row, silence: Duration) {
        let Self { replicas, balancer, source, origin, database, traffic, begun } = self;
        let failures = traffic.asked.failures_since(begun);
        row.figure("failed", failures.len());
        for failure in failures.iter().take(5) {
            row.must(false, failure.to_string());
        }
        let slowest = traffic.asked.slowest_since(begun);
        row.figure("slowest answer", format!("{:.1} s", slowest.as_secs_f64()));
        row.within("without an answer", vec![traffic.asked.longest_silence_since(begun)], 1.0, silence);
        row.within("stored after", vec![traffic.stored.slowest_since(begun)], 1.0, STORED);
        traffic.finish(&mut row, &replicas[0].api, &database).await;
        // What they work with outlives them.
        drop((replicas, balancer, source, origin));
        row.finish();
    }
}
