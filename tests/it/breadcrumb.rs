//! What was in hand when the process died is not decoded again in full (rule R16).

use serde_json::{Value, json};

use crate::identity::give_back;
use crate::support::{DeadMessage, World, id, text, until};

/// A message of Dramatiq: what it is stands in its body.
fn task(number: usize) -> DeadMessage {
    let body =
        json!({"queue_name": "orders_shop", "actor_name": "charge", "message_id": format!("m-{number}")});
    // As its encoder writes it.
    let body = format!(
        r#"{{"queue_name":{},"actor_name":{},"message_id":{}}}"#,
        body["queue_name"], body["actor_name"], body["message_id"]
    );
    DeadMessage::new(&id(), "orders_shop").body(body).error("PaymentDeclined", "card expired")
}

/// Publishes so many while nothing can be stored, and kills the service when it has them all in hand.
async fn kill_with_in_hand(world: &mut World, count: usize) {
    let mut lock = world.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE dead_letter IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    for number in 0..count {
        world.publish(task(number)).await;
    }
    let metric = format!("dead_letter_in_flight_messages{{source=\"{}\"}}", world.source.name);
    let wanted = i32::try_from(count).unwrap();
    until("all are in hand", || async {
        (world.service.metric(&metric).await >= f64::from(wanted)).then_some(())
    })
    .await;
    world.service.kill();
    // The database knows nothing of that yet, and would go on with what it was told.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'",
    )
    .execute(&mut *lock)
    .await
    .unwrap();
    lock.rollback().await.unwrap();
}

async fn all(world: &World, search: &str) -> Vec<Value> {
    world.api().all(search, 200).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_hand_at_a_kill_is_stored_undecoded_and_what_is_new_is_not() {
    const COUNT: usize = 20;
    let mut world = World::start().await;
    world.publish(task(99)).await;
    world.until_stored(1).await;
    world.until_source_empty().await;
    assert_eq!(world.only("convention=dramatiq").await["type"], "charge", "as long as nothing happens");

    for kill in 1..=2 {
        kill_with_in_hand(&mut world, COUNT).await;
        world.service.restart();
        world.service.until_ready().await;
        world.until_stored(1 + i64::try_from(kill * COUNT).unwrap()).await;
    }
    world.until_source_empty().await;
    let undecoded = all(&world, "convention=undecoded").await;
    assert_eq!(undecoded.len(), 2 * COUNT);
    for letter in undecoded {
        assert_eq!(
            [&letter["service"], &letter["queue"], &letter["reason"]],
            ["shop", "orders_shop", "rejected"]
        );
        assert_eq!([&letter["errorType"], &letter["type"]], [&json!("PaymentDeclined"), &Value::Null]);
        assert!(letter["warning"].as_str().unwrap().contains("only its headers were read"), "{letter}");
        let path = format!("/dead-letters/{}", letter["id"].as_str().unwrap());
        world.api().get(&path).await.assert(200);
    }
    // New ones are decoded at once; those of a clean end too.
    world.publish(task(100)).await;
    world.until_stored(2 + 2 * i64::try_from(COUNT).unwrap()).await;
    assert!(world.service.terminate().await.success());
    let lives: i64 =
        sqlx::query_scalar("SELECT count(*) FROM ingest_life").fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(lives, 0, "a clean end leaves nothing");
    assert_eq!(
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM dead_letter WHERE convention = 'dramatiq'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap(),
        2
    );
    world.assert_counters_exact().await;
}

/// What was stored before the crash and not acknowledged is known again, also where its id stands in the body only.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_known_although_it_is_not_decoded() {
    let mut world = World::start().await;
    let mut message = task(1).header("dead-letter-failed-at", text("2026-11-28T20:00:00Z"));
    message.properties = lapin::BasicProperties::default();
    world.publish(message.clone()).await;
    world.until_stored(1).await;
    world.until_source_empty().await;
    kill_with_in_hand(&mut world, 1).await;
    // Given back by a consumer that died: the same message once more.
    world.publish(message).await;
    give_back(&world, 2).await;
    world.service.restart();
    world.until_stored(2).await;
    world.until_source_empty().await;
    world.service.until_ready().await;
    assert_eq!(world.database.count("dead_letter").await, 2);
    world.assert_counters_exact().await;
}
