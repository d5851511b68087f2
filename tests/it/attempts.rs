//! Chunks that the service does not survive (rule R16).

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{DeadMessage, World, id, until, until_eq};

/// What a chunk waits for in its middle: it has published, and cannot record.
async fn hold(world: &World) -> PgConnection {
    let mut holder = PgConnection::connect(&world.database.url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE dead_letter_pending IN SHARE MODE").execute(&mut holder).await.unwrap();
    holder
}

/// SIGKILL in the middle of a chunk, and a start after the database has noticed.
async fn kill_in_a_chunk(world: &mut World) {
    world.service.kill();
    let query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'dead-letter'";
    until_eq("its transaction is gone", 0_i64, || async {
        sqlx::query_scalar(query).fetch_one(&world.database.pool).await.unwrap()
    })
    .await;
    world.service.restart();
}

async fn operation(world: &World, asked: &Value) -> Value {
    world.api().get(&format!("/operations/{}", asked["id"].as_str().unwrap())).await.json
}

/// After the first death each dead letter is tried alone, so that the one that may be the cause has a name; after the third its
/// operation is paused, and goes on when somebody says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_was_begun_three_times_without_an_end_pauses_its_operation() {
    let mut world = World::start().await;
    let queue = world.broker.declare_queue(&format!("deadly-{}", id()), &[]).await;
    let messages = (0..5).map(|n| DeadMessage::new(&n.to_string(), &queue.name));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(5).await;
    let letters = world.api().all("order=oldest", 10).await;

    let holder = hold(&world).await;
    let request = json!({"filter": {}, "all": true, "order": "oldest"});
    let asked = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    // All of the chunk, and then the first of it alone.
    for published in [5, 6, 7] {
        until_eq("the chunk is published", published, || world.broker.depth(&queue.name)).await;
        kill_in_a_chunk(&mut world).await;
    }
    holder.close().await.unwrap();
    world.service.until_ready().await;
    let paused = until("it is paused", || async {
        Some(operation(&world, &asked).await).filter(|operation| operation["state"] == "paused")
    })
    .await;
    let (why, letter) = (paused["lastError"].as_str().unwrap(), letters[0]["id"].as_str().unwrap());
    assert!(why.contains(letter) && why.contains("3 times") && why.contains("resume"), "{why}");
    assert_eq!(
        (&paused["events"][0]["action"], &paused["events"][0]["by"]),
        (&json!("pause"), &json!("dead-letter"))
    );
    assert_eq!(world.broker.depth(&queue.name).await, 7);

    let resume = format!("/operations/{}/resume", asked["id"].as_str().unwrap());
    world.api().post(&resume, &json!({})).await.assert(200);
    let done = until("it is completed", || async {
        Some(operation(&world, &asked).await).filter(|operation| operation["state"] == "completed")
    })
    .await;
    assert_eq!((&done["outcomes"]["sent"], &done["lastError"]), (&json!(5), &Value::Null));
    assert_eq!(world.database.count("operation_begin").await, 0);
    world.assert_counters_exact().await;
}

/// Deaths of other causes, each in another chunk, pause nothing: one by one the items of the chunk are done, and then in chunks again.
#[tokio::test(flavor = "multi_thread")]
async fn deaths_in_different_chunks_pause_nothing() {
    let mut world = World::start_with(&[("DEAD_LETTER_CHUNK_ITEMS", "10")]).await;
    let queue = world.broker.declare_queue(&format!("unlucky-{}", id()), &[]).await;
    let messages = (0..100).map(|n| DeadMessage::new(&n.to_string(), &queue.name));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(100).await;
    let request = json!({"filter": {}, "all": true, "rate": 40});
    let asked = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
    for kill in 1..=4_i64 {
        until("some are sent", || async {
            let sent = operation(&world, &asked).await["outcomes"]["sent"].as_i64()?;
            (sent >= kill * 15).then_some(())
        })
        .await;
        let holder = hold(&world).await;
        let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                       AND application_name = 'dead-letter' AND wait_event_type = 'Lock')";
        until_eq("a chunk waits for the lock in its middle", true, || async {
            sqlx::query_scalar(waiting).fetch_one(&world.database.pool).await.unwrap()
        })
        .await;
        kill_in_a_chunk(&mut world).await;
        holder.close().await.unwrap();
        world.service.until_ready().await;
    }
    let done = until("it is completed", || async {
        Some(operation(&world, &asked).await).filter(|operation| operation["state"] == "completed")
    })
    .await;
    assert_eq!(done["outcomes"]["sent"], 100);
    assert_eq!(world.database.count("operation_begin").await, 0);
    world.assert_counters_exact().await;
}
