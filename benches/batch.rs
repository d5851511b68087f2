//! Storing a batch: by `COPY`, as nearly always, against `INSERT … SELECT FROM UNNEST … ON CONFLICT DO NOTHING`, as after a
//! crash and around midnight. Needs `DATABASE_URL`; makes a database of its own, and drops it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dead_letter::clock;
use dead_letter::domain::convention::{Failure, Origin};
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter};
use dead_letter::domain::fingerprint;
use dead_letter::store::{PoolSettings, Store};
use sqlx::{Connection, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// How long before its arrival each message died: only the second makes the writer careful.
const WAYS: [(&str, TimeDelta); 2] = [("copy", TimeDelta::zero()), ("unnest", TimeDelta::days(1))];

fn rows(count: u128, died_before: TimeDelta) -> Vec<NewDeadLetter> {
    let text = |text: &str| Some(text.to_owned());
    (0..count)
        .map(|_| NewDeadLetter {
            id: clock::new_id(),
            identity: Some(Uuid::new_v4()),
            former_identity: None,
            latest_death: Some(clock::now() - died_before),
            source: "dead-letter".into(),
            derived: Derived {
                service: "webshop".into(),
                origin: Origin {
                    queue: text("orders_webshop"),
                    exchange: text("orders"),
                    routing_key: text("orders.placed"),
                },
                reason: text("rejected"),
                message_id: Some(Uuid::new_v4().to_string()),
                correlation_id: Some(Uuid::new_v4().to_string()),
                message_type: text("OrderPlaced"),
                convention: text("native"),
                error_type: text("PaymentDeclined"),
                error_message: text("card issuer timed out after 3000 ms"),
                died_at: Some(clock::now() - died_before),
                deaths: 1,
                ..Derived::default()
            },
            fingerprint: fingerprint::of(
                "webshop",
                &Failure { error_message: text("card issuer timed out after 3000 ms"), ..Failure::default() },
            ),
            warning: None,
            properties: vec![b'p'; 545],
            body: vec![b'b'; 1024],
        })
        .collect()
}

fn batch(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (store, name) = runtime.block_on(database());
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(20).measurement_time(Duration::from_secs(8));
    for count in [100_u128, 500, 1000] {
        for (way, died_before) in WAYS {
            group.throughput(Throughput::Elements(u64::try_from(count).unwrap_or_default()));
            group.bench_function(BenchmarkId::new(way, count), |bencher| {
                bencher.iter_custom(|times| {
                    (0..times)
                        .map(|_| {
                            let rows = rows(count, died_before);
                            let begun = Instant::now();
                            black_box(runtime.block_on(store.insert(&rows, clock::now()))).expect("stored");
                            begun.elapsed()
                        })
                        .sum()
                });
            });
        }
    }
    group.finish();
    runtime.block_on(async {
        store.close().await;
        admin(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    });
}

async fn database() -> (Store, String) {
    let name = format!("bench_{}", Uuid::new_v4().simple());
    admin(&format!("CREATE DATABASE {name}")).await;
    let url = url();
    let server = url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server).to_owned();
    let store = Store::new(&format!("{server}/{name}"), PoolSettings::default()).expect("a URL");
    store.migrate().await.expect("migrated");
    store.create_partitions(clock::now().date_naive()).await.expect("partitions");
    (store, name)
}

async fn admin(statement: &str) {
    let mut connection =
        PgConnection::connect(&url()).await.expect("DATABASE_URL leads to a server: try make bench");
    sqlx::query(statement).execute(&mut connection).await.expect("allowed");
}

fn url() -> String {
    std::env::var("DATABASE_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

criterion_group!(benches, batch);
criterion_main!(benches);
