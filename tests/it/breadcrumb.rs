//! What was in hand when the process died is not decoded again in full (rule R16).

use serde_json::{Value, json};

use crate::identity::give_back;
use crate::support::{DeadMessage, Service, World, id, text, until};

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

/// Publishes so many while nothing can be stored, and kills the service when it, with another one if there is one, has them all in
/// hand. Returns how many it had.
async fn kill_with_in_hand(world: &mut World, other: Option<&Service>, count: usize) -> usize {
    let mut lock = world.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE dead_letter IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    for number in 0..count {
        world.publish(task(number)).await;
    }
    let metric = format!("dead_letter_in_flight_messages{{source=\"{}\"}}", world.source.name);
    let wanted = i32::try_from(count).unwrap();
    let in_hand = until("all are in hand", || async {
        let own = world.service.metric(&metric).await;
        let others = match other {
            Some(other) => other.metric(&metric).await,
            None => 0.0,
        };
        (own + others >= f64::from(wanted)).then_some(own)
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
    in_hand.to_string().parse().unwrap()
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
        kill_with_in_hand(&mut world, None, COUNT).await;
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
    kill_with_in_hand(&mut world, None, 1).await;
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

/// A second service gets what the first had in hand as it is killed. Returns the second one, and how much that was.
async fn killed_beside_another(world: &mut World) -> (Service, usize) {
    let other = Service::start(&world.database.url, &world.broker.served_url(), &world.source.name, &[]);
    other.until_ready().await;
    let in_hand = kill_with_in_hand(world, Some(&other), BOTH).await;
    assert!((1..BOTH).contains(&in_hand), "both have some: {in_hand}");
    (other, in_hand)
}

/// So many are in hand of both.
const BOTH: usize = 20;

async fn assert_undecoded(world: &World, other: &Service, undecoded: usize) {
    world.until_stored(i64::try_from(BOTH).unwrap()).await;
    world.until_source_empty().await;
    assert_eq!(other.api.all("convention=undecoded", 200).await.len(), undecoded);
    assert_eq!(other.api.all("convention=dramatiq", 200).await.len(), BOTH - undecoded);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_had_in_hand_when_it_died_is_stored_undecoded() {
    let mut world = World::start().await;
    let (other, in_hand) = killed_beside_another(&mut world).await;
    assert_undecoded(&world, &other, in_hand).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_another_process_died_is_known_although_it_is_back_at_once() {
    let mut world = World::start().await;
    let (other, in_hand) = killed_beside_another(&mut world).await;
    world.service.restart();
    assert_undecoded(&world, &other, in_hand).await;
}

/// It only lost its connection, or gave the message back.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_had_in_hand_that_lives_is_decoded() {
    let mut world = World::start().await;
    let living = "INSERT INTO ingest_life (id, broker, vhost, source, process, care, beat_at) \
                  SELECT gen_random_uuid(), broker, vhost, source, 'another', 0, now() + interval '1 hour' FROM ingest_life";
    sqlx::query(living).execute(&world.database.pool).await.unwrap();
    assert!(world.service.terminate().await.success());
    world.publish(task(1)).await;
    give_back(&world, 1).await;
    world.service.restart();
    world.until_stored(1).await;
    world.service.until_ready().await;
    assert_eq!(world.only("convention=dramatiq").await["type"], "charge");
}

/// A redelivery takes the bytes as they are. Dramatiq counts its retries in the body, which only one of the two is read for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_decoded_is_not_decoded_when_it_is_put_back() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("orders_{}", id()), &[]).await;
    let body = r#"{"queue_name":"q","actor_name":"a","message_id":"m","options":{"retries":1}}"#;
    for number in 0..2 {
        let message = DeadMessage::plain().id(&format!("m-{number}"));
        world.publish(message.died(&queue.name, "rejected", 3, 1_700_000_000).body(body)).await;
    }
    world.until_stored(2).await;
    let undecoded = "UPDATE dead_letter SET convention = 'undecoded' WHERE id = (SELECT min(id::text)::uuid FROM dead_letter)";
    sqlx::query(undecoded).execute(&world.database.pool).await.unwrap();
    let all = json!({"filter": {}, "all": true, "order": "oldest"});
    let preview = json!({"kind": "redeliver", "filter": {}, "all": true, "order": "oldest"});
    let preview = world.api().post("/operations/preview", &preview).await.assert(200).json;
    let done = world.api().post("/dead-letters/redeliver?wait=30", &all).await.assert(200).json;
    assert_eq!(done["outcomes"]["sent"], 2);
    for (number, deaths) in ["3", "2"].into_iter().enumerate() {
        let sent = world.broker.take(&queue.name).await;
        let headers = sent.properties.headers().clone().unwrap();
        assert_eq!(
            (headers.inner()["dead-letter-deaths"].clone(), &*sent.data),
            (text(deaths), body.as_bytes())
        );
        let sample = &preview["samples"][number]["after"];
        assert_eq!(sample["headers"]["dead-letter-deaths"]["v"], deaths);
    }
}
