//! Faults of the database, under traffic that does not stop.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Transaction};
use tokio::time::{Instant, sleep_until};

use crate::outage::Storm;
use crate::postgres::{Forwarder, Postgres, given};
use crate::table::{is_full, times};

/// R2, R6: killed, and started again.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_killed() {
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut storm = Storm::on(&postgres.url(), "PostgreSQL: kill -9 and restart", times(30)).await;
    storm
        .strikes(async |caller| {
            postgres.kill();
            caller.asks(&[503]).await;
            postgres.start_again().await;
        })
        .await;
    storm.finish().await;
}

/// R2, R6: it hangs, and nobody is told, with a request under way: it waits for a lock at that moment.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_hangs() {
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let fault = "PostgreSQL: stopped, with a request under way";
    let mut storm = Storm::on(&postgres.url(), fault, times(10)).await;
    let (url, mut acts) = (storm.database.url.clone(), false);
    storm
        .strikes(async |caller| {
            let mut locking = PgConnection::connect(&url).await.unwrap();
            let lock = lock(&mut locking).await;
            let mut watching = postgres.connect().await.unwrap();
            let waits = async || until_a_request_waits(&mut watching).await;
            caller.asks_until(acts, &[503], waits, || postgres.signal("-STOP")).await;
            acts = !acts;
            caller.asks(&[503]).await;
            postgres.signal("-CONT");
            lock.rollback().await.unwrap();
        })
        .await;
    storm.finish().await;
}

/// R2, R6: every connection of ours is ended by the server.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_terminated() {
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut storm = Storm::on(&postgres.url(), "PostgreSQL: pg_terminate_backend", times(100)).await;
    let mut terminated = 0;
    storm
        .strikes(async |caller| {
            let mut connection = postgres.connect().await.unwrap();
            terminated += terminate(&mut connection).await;
            // Nothing is away: a request is answered, or says that its connection was ended.
            caller.asks(&[200, 202, 503]).await;
        })
        .await;
    storm.row.figure("connections terminated", terminated);
    storm.row.must(terminated > 0, "some were terminated");
    storm.finish().await;
}

/// R2, R6: the primary dies, and the standby that had to have each commit takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_standby_is_promoted() {
    let Some(mut primary) = given(Postgres::start(&["synchronous_commit=on"]).await) else { return };
    let way = Forwarder::start(primary.address()).await;
    let (url, fault) = (
        format!("postgres://postgres@{}/postgres", way.address),
        "PostgreSQL: promotion of a synchronous standby",
    );
    let mut storm = Storm::on(&url, fault, times(10)).await;
    storm
        .strikes(async |caller| {
            let standby = primary.start_standby().await;
            primary.kill();
            caller.asks(&[503]).await;
            standby.promote().await;
            way.point_to(standby.address());
            primary = standby;
        })
        .await;
    storm.finish().await;
}

/// R2, R6: no transaction may write any more, in any session, for longer than messages may be held: they go back to the queue
/// once, and not again while the database answers and takes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_read_only() {
    const LENGTH: Duration = Duration::from_secs(8);
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let settings = [("DEAD_LETTER_CONSUMER_TIMEOUT", "2s")];
    let mut storm = Storm::with(&settings, &postgres.url(), "PostgreSQL: read-only", times(10)).await;
    storm
        .strikes(async |caller| {
            let ended = Instant::now() + LENGTH;
            postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on").await;
            postgres.execute("SELECT pg_reload_conf()").await;
            caller.until_it_shows().await;
            // What only reads is answered.
            caller.asks(&[200, 503]).await;
            caller.asks_to_act(&[503]).await;
            sleep_until(ended).await;
            postgres.execute("ALTER SYSTEM RESET default_transaction_read_only").await;
            postgres.execute("SELECT pg_reload_conf()").await;
        })
        .await;
    storm.finish().await;
}

/// R2, R6: nothing more can be written. Where that ends `PostgreSQL`, it is started again.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    const DISK: u64 = 512 << 20;
    let settings = ["min_wal_size=32MB", "max_wal_size=32MB"];
    let Some(postgres) = given(Postgres::start_on_small_disk(&settings, DISK).await) else { return };
    let mut storm = Storm::on(&postgres.url(), "PostgreSQL: disk full", times(5)).await;
    storm
        .strikes(async |caller| {
            postgres.fill_disk();
            caller.until_it_shows().await;
            // It may still find room for a few rows, or have ended.
            caller.asks(&[200, 202, 503]).await;
            postgres.free_disk();
            postgres.start_again().await;
        })
        .await;
    storm.finish().await;
}

/// R2, R6: others have every connection that there is.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_connections_left() {
    let Some(postgres) = given(Postgres::start(&["max_connections=30"]).await) else { return };
    let mut storm = Storm::on(&postgres.url(), "PostgreSQL: out of connections", times(5)).await;
    storm
        .strikes(async |caller| {
            let mut others = vec![postgres.connect().await.unwrap()];
            take_all(&postgres, &mut others).await;
            caller.until_it_shows().await;
            caller.asks(&[503]).await;
        })
        .await;
    storm.finish().await;
}

/// R2, R6: somebody locks the table for as long as a careless migration does.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_locked() {
    let length = Duration::from_secs(if is_full() { 60 } else { 5 });
    let Some(postgres) = given(Postgres::start(&[]).await) else { return };
    let mut storm = Storm::on(&postgres.url(), "PostgreSQL: a lock of the table, 60 s", times(5)).await;
    let url = storm.database.url.clone();
    storm
        .strikes(async |caller| {
            let mut locking = PgConnection::connect(&url).await.unwrap();
            let (lock, ended) = (lock(&mut locking).await, Instant::now() + length);
            caller.asks(&[503]).await;
            sleep_until(ended).await;
            lock.rollback().await.unwrap();
        })
        .await;
    storm.finish().await;
}

async fn lock(connection: &mut PgConnection) -> Transaction<'_, sqlx::Postgres> {
    let mut lock = connection.begin().await.unwrap();
    sqlx::query("LOCK TABLE dead_letter, dead_letter_pending IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    lock
}

/// Until a request of the API waits for a lock.
async fn until_a_request_waits(connection: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND (query LIKE 'SELECT d.%' OR query LIKE 'SET LOCAL lock_timeout%')";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
