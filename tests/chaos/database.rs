//! Faults of the database, under traffic that does not stop.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Transaction};
use tokio::time::{Instant, sleep_until};

use crate::outage::{Stage, Storm};
use crate::postgres::{Forwarder, Postgres, given};
use crate::support::until;
use crate::table::{Row, is_full, times};

/// R2, R6: killed, and started again.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_killed() {
    let row = Row::new("PostgreSQL: kill -9 and restart", times(30));
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    for _ in 0..times(30) {
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                postgres.kill();
                storm.asks(service, &[503]).await;
                postgres.start_again().await;
            })
            .await;
        storm.passed(&mut stage, "a kill").await;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: it hangs, and nobody is told, with requests under way: they wait for a lock at that moment.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_hangs() {
    let row = Row::new("PostgreSQL: stopped, with requests under way", times(10));
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    for _ in 0..times(10) {
        let mut locking = PgConnection::connect(&stage.database.url).await.unwrap();
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                let lock = lock(&mut locking).await;
                let stopping = async {
                    until("both wait for the lock", || async {
                        (waiting(&postgres).await == 2).then_some(())
                    })
                    .await;
                    postgres.signal("-STOP");
                };
                storm.asks_during(service, &[503], stopping).await;
                storm.asks(service, &[503]).await;
                postgres.signal("-CONT");
                lock.rollback().await.unwrap();
            })
            .await;
        storm.passed(&mut stage, "a stop").await;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: every connection of ours is ended by the server.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_terminated() {
    let mut row = Row::new("PostgreSQL: pg_terminate_backend", times(100));
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    let mut terminated = 0;
    for _ in 0..times(100) {
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                let mut connection = postgres.connect().await.unwrap();
                terminated += terminate(&mut connection).await;
                // Nothing is away: a request is answered, or says that its connection was ended.
                storm.asks(service, &[200, 202, 503]).await;
            })
            .await;
        storm.passed(&mut stage, "pg_terminate_backend").await;
    }
    row.figure("connections terminated", terminated);
    row.must(terminated > 0, "some were terminated");
    storm.finish(row, &stage).await;
}

/// R2, R6: the primary dies, and the standby that had to have each commit takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_standby_is_promoted() {
    let row = Row::new("PostgreSQL: promotion of a synchronous standby", times(10));
    let Some(mut primary) = given(Postgres::start(&["synchronous_commit=on"]).await) else { return };
    let way = Forwarder::start(primary.address()).await;
    let mut stage = Stage::start(&format!("postgres://postgres@{}/postgres", way.address)).await;
    let mut storm = Storm::default();
    for _ in 0..times(10) {
        let standby = primary.start_standby().await;
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                primary.kill();
                storm.asks(service, &[503]).await;
                standby.promote().await;
                way.point_to(standby.address());
            })
            .await;
        storm.passed(&mut stage, "a promotion").await;
        primary = standby;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: no transaction may write any more, in any session, for longer than messages may be held: they go back to the queue
/// once, and not again while the database answers and takes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_read_only() {
    const LENGTH: Duration = Duration::from_secs(8);
    let row = Row::new("PostgreSQL: read-only", times(10));
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let settings = [("DEAD_LETTER_CONSUMER_TIMEOUT", "2s")];
    let mut stage = Stage::start_with(&postgres.url(), &settings).await;
    let mut storm = Storm::default();
    for _ in 0..times(10) {
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                let ended = Instant::now() + LENGTH;
                postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on").await;
                postgres.execute("SELECT pg_reload_conf()").await;
                until("it holds", || async { (!service.is_ready().await).then_some(()) }).await;
                // What only reads is answered.
                storm.asks(service, &[200, 503]).await;
                storm.asks_to_act(service, &[503]).await;
                sleep_until(ended).await;
                postgres.execute("ALTER SYSTEM RESET default_transaction_read_only").await;
                postgres.execute("SELECT pg_reload_conf()").await;
            })
            .await;
        storm.passed(&mut stage, "read-only").await;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: nothing more can be written. Where that ends `PostgreSQL`, it is started again.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    const DISK: u64 = 512 << 20;
    let row = Row::new("PostgreSQL: disk full", times(5));
    let settings = ["min_wal_size=32MB", "max_wal_size=32MB"];
    let Some(postgres) = given(Postgres::start_on_small_disk(&settings, DISK).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    for _ in 0..times(5) {
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                postgres.fill_disk();
                until("it holds", || async { (!service.is_ready().await).then_some(()) }).await;
                // It may still find room for a few rows, or have ended.
                storm.asks(service, &[200, 202, 503]).await;
                postgres.free_disk();
                postgres.start_again().await;
            })
            .await;
        storm.passed(&mut stage, "a full disk").await;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: others have every connection that there is.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_connections_left() {
    let row = Row::new("PostgreSQL: out of connections", times(5));
    let Some(postgres) = given(Postgres::start(&["max_connections=30"]).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    for _ in 0..times(5) {
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                let mut others = vec![postgres.connect().await.unwrap()];
                take_all(&postgres, &mut others).await;
                until("it holds", || async { (!service.is_ready().await).then_some(()) }).await;
                storm.asks(service, &[503]).await;
            })
            .await;
        storm.passed(&mut stage, "no connections").await;
    }
    storm.finish(row, &stage).await;
}

/// R2, R6: somebody locks the table for as long as a careless migration does.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_locked() {
    let length = Duration::from_secs(if is_full() { 60 } else { 5 });
    let row = Row::new("PostgreSQL: a lock of the table, 60 s", times(5));
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut stage = Stage::start(&postgres.url()).await;
    let mut storm = Storm::default();
    for _ in 0..times(5) {
        let mut locking = PgConnection::connect(&stage.database.url).await.unwrap();
        let Stage { traffic, service, .. } = &mut stage;
        traffic
            .during(async {
                let lock = lock(&mut locking).await;
                let ended = Instant::now() + length;
                storm.asks(service, &[503]).await;
                sleep_until(ended).await;
                lock.rollback().await.unwrap();
            })
            .await;
        storm.passed(&mut stage, "a lock").await;
    }
    storm.finish(row, &stage).await;
}

async fn lock(connection: &mut PgConnection) -> Transaction<'_, sqlx::Postgres> {
    let mut lock = connection.begin().await.unwrap();
    sqlx::query("LOCK TABLE dead_letter IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    lock
}

/// How many requests of the API wait for a lock.
async fn waiting(postgres: &Postgres) -> i64 {
    let mut connection = postgres.connect().await.unwrap();
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
             AND (query LIKE 'SELECT d.%' OR query LIKE 'SET LOCAL lock_timeout%')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap()
}

/// Takes connections away from the service, and then all that are left.
async fn take_all(postgres: &Postgres, others: &mut Vec<PgConnection>) {
    loop {
        terminate(&mut others[0]).await;
        while let Some(connection) = postgres.connect().await {
            others.push(connection);
        }
        let ours: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dead-letter'",
        )
        .fetch_one(&mut others[0])
        .await
        .unwrap();
        if ours == 0 {
            return;
        }
    }
}

async fn terminate(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'dead-letter'",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}
