//! What is too old is freed by whole days of arrival, and nothing else is.

use std::process::Command;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dead_letter::domain::convention::Failure;
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, floor_id};
use dead_letter::domain::fingerprint;
use dead_letter::store::Store;
use serde_json::json;

use crate::support::{DeadMessage, World, id};

fn arrived(at: DateTime<Utc>, number: u128) -> NewDeadLetter {
    let id = uuid::Uuid::from_u128(floor_id(at).as_u128() + number);
    NewDeadLetter {
        id,
        identity: Some(id),
        former_identity: None,
        latest_death: Some(at),
        source: "s".into(),
        derived: Derived { service: "old".into(), ..Derived::default() },
        fingerprint: fingerprint::of("old", &Failure::default()),
        warning: None,
        properties: vec![0, 0],
        body: b"body".to_vec(),
    }
}

async fn store_on(store: &Store, days: &[NaiveDate]) {
    for day in days {
        store.create_partitions_for(*day, *day).await.unwrap();
        let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
        let rows: Vec<_> = (0..3).map(|number| arrived(noon, number)).collect();
        assert_eq!(store.insert(&rows, noon).await.unwrap().stored, 3);
    }
}

/// R11 with it: rows and counters go together, also while others read, and an operation on what is gone says so.
#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_over_are_freed_with_their_counts() {
    let world = World::start().await;
    let today = dead_letter::clock::now().date_naive();
    let store = world.database.store();
    store_on(
        &store,
        &[today - TimeDelta::days(12), today - TimeDelta::days(11), today - TimeDelta::days(10)],
    )
    .await;
    world.publish(DeadMessage::new(&id(), "new_service")).await;
    world.until_stored(10).await;
    let slow = json!({"filter": {"service": "old"}, "rate": 1});
    let operation = world.api().post("/dead-letters/redeliver", &slow).await.assert(202).json;

    // Somebody reads the oldest day for a while: it is waited for, and not for ever.
    let mut reader = world.database.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM dead_letter").execute(&mut *reader).await.unwrap();
    let expiring = tokio::task::spawn_blocking({
        let url = world.database.url.clone();
        move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
            command.args(["expire", "--retention", "10d", "--database-url", &url]).output().unwrap()
        }
    });
    crate::support::until("the lock is waited for", || async {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'",
        )
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
    reader.rollback().await.unwrap();
    let output = expiring.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("6 dead letters of 2 days dropped\n"), "{said}");

    assert_eq!(world.database.count("dead_letter").await, 4);
    world.assert_counters_exact().await;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    let done = crate::support::until("the operation ends", || async {
        let operation = world.api().get(&path).await.json;
        (operation["state"] == "completed").then_some(operation)
    })
    .await;
    assert!(done["outcomes"]["skipped"].as_i64().unwrap() >= 1, "{done}");
}

/// Without a number of days that makes sense nothing is freed.
#[tokio::test(flavor = "multi_thread")]
async fn a_retention_that_makes_no_sense_frees_nothing() {
    for wrong in ["0d", "90", "-3d"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
        let output = command.args(["expire", &format!("--retention={wrong}")]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("such as 90d"));
    }
}
