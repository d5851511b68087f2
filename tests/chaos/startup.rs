//! Replicas that start at the same moment, and `PgBouncer` in transaction mode in between.

use std::time::{Duration, Instant};

use dead_letter::store::migrator;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;

use crate::ledger::Ledger;
use crate::pgbouncer::PgBouncer;
use crate::postgres::given;
use crate::proxy::server;
use crate::stand::seed;
use crate::support::{Broker, Database, Service, TestQueue, until};
use crate::table::{Row, times};

const REPLICAS: usize = 5;
const MESSAGES: usize = 600;
const READY: Duration = Duration::from_secs(30);

/// Where they start.
#[derive(Clone, Copy)]
enum Schema {
    Empty,
    /// The one before the last migration.
    Previous,
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_start_at_once() {
    let mut row = Row::new("5 replicas start at once on an empty and on the previous schema", times(20));
    let ready = start_many(&mut row, None).await;
    row.within("ready after", ready, 1.0, READY);
    row.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_start_at_once_through_pgbouncer() {
    let mut row = Row::new("the same through PgBouncer in transaction mode", times(20));
    let database = Database::shared().await;
    let Some(pooler) = given(PgBouncer::start(server(&database.url)).await) else { return };
    let ready = start_many(&mut row, Some(&pooler)).await;
    row.within("ready after", ready, 1.0, READY);
    row.finish();
}

/// Settings of connections are lost there, and prepared statements too: it says what is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn pgbouncer_unannounced_is_told() {
    let row = Row::new("PgBouncer in transaction mode that DATABASE_URL says nothing of", 1);
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let Some(pooler) = given(PgBouncer::start(server(&database.url)).await) else { return };
    let url = pooler.url("postgres");
    let source = broker.declare_source(&[]).await;
    let service = Service::start(url.split_once('?').unwrap().0, &broker.url, &source.name, &[]);
    until("it says what DATABASE_URL lacks", || async {
        let admin = &service.admin;
        let ready = admin.try_send(admin.request(Method::GET, "/health/ready")).await?;
        ready.json["database"].as_str()?.contains("statement-cache-capacity=0").then_some(())
    })
    .await;
    row.finish();
}

/// Returns how long each replica took until it was ready.
async fn start_many(row: &mut Row, pooler: Option<&PgBouncer>) -> Vec<Duration> {
    let broker = Broker::shared().await;
    let mut ready = Vec::new();
    for round in 0..times(20) {
        let schema = if round % 2 == 0 { Schema::Empty } else { Schema::Previous };
        let (database, source) = (Database::shared().await, broker.declare_source(&[]).await);
        prepare(&database, schema).await;
        let url = pooler.map_or_else(|| database.url.clone(), |pooler| pooler.url(name(&database)));
        let begun = Instant::now();
        let replicas: Vec<_> =
            (0..REPLICAS).map(|_| Service::start(&url, &broker.url, &source.name, &[])).collect();
        for replica in &replicas {
            replica.until_ready().await;
            ready.push(begun.elapsed());
        }
        let migrations: Vec<(i64, bool)> =
            sqlx::query_as("SELECT version, success FROM _sqlx_migrations ORDER BY version")
                .fetch_all(&database.pool)
                .await
                .unwrap();
        let expected: Vec<_> = migrator().iter().map(|migration| (migration.version, true)).collect();
        row.must(migrations == expected, "each migration was done once");
        work(row, &broker, &source, &database, &replicas).await;
    }
    ready
}

/// What they do then works: messages come in, are found, and go out again.
async fn work(row: &mut Row, broker: &Broker, source: &TestQueue, database: &Database, replicas: &[Service]) {
    let (mut ledger, mut random) = (Ledger::default(), StdRng::seed_from_u64(seed()));
    ledger.publish(broker, &source.name, MESSAGES, &mut random).await;
    until("all are stored", || async { ledger.is_stored(&database.pool).await.then_some(()) }).await;
    broker.until_empty(&source.name).await;
    let verdict = ledger.classify(&database.pool).await;
    row.must(verdict.is_clean(), verdict.to_string());
    let asking = replicas.iter().map(|replica| async {
        for path in ["/dead-letters?limit=5&contains=abc", "/dead-letters/squad-overview", "/operations"] {
            replica.api.get(path).await.assert(200);
        }
        replica.api.delete("/dead-letters?wait=20", &json!({"filter": {}, "all": true, "limit": 50})).await
    });
    for answer in futures_util::future::join_all(asking).await {
        row.must(answer.json["state"] == "completed", format!("deleted: {}", answer.json));
    }
    database.assert_counters_exact().await;
}

async fn prepare(database: &Database, schema: Schema) {
    if let Schema::Previous = schema {
        let mut migrations = migrator();
        migrations.migrations.to_mut().pop();
        migrations.run(&database.pool).await.unwrap();
    }
}

fn name(database: &Database) -> &str {
    database.url.rsplit_once('/').unwrap().1
}
