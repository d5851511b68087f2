//! Operations that wait on purpose, for a service that is behind.

use serde_json::{Value, json};

use crate::cli::client_of;
use crate::support::{DeadMessage, TestQueue, World, id, until, until_eq};

const COUNT: usize = 60;
/// More are not to be ready in the queue.
const LIMIT: i64 = 15;

/// Dead letters, and the queue that they died in, which nobody consumes.
async fn world() -> (World, TestQueue) {
    let world =
        World::start_with(&[("DEAD_LETTER_CHUNK_ITEMS", "10"), ("DEAD_LETTER_WATCH_RETURNS", "1s")]).await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    let messages = (0..COUNT).map(|n| DeadMessage::new(&id(), &queue.name).error("E", &format!("no {n}")));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(i64::try_from(COUNT).unwrap()).await;
    (world, queue)
}

fn request(most_ready: i64) -> Value {
    json!({"filter": {"service": "orders"}, "maxQueueDepth": most_ready})
}

async fn look(world: &World, operation: &Value) -> Value {
    world.api().get(&format!("/operations/{}", operation["id"].as_str().unwrap())).await.assert(200).json
}

async fn begin(world: &World) -> Value {
    let operation = world.api().post("/dead-letters/redeliver", &request(LIMIT)).await.assert(202).json;
    until_waiting(world, &operation).await
}

async fn until_waiting(world: &World, operation: &Value) -> Value {
    until("it waits", || async { Some(look(world, operation).await).filter(|it| it["state"] == "waiting") })
        .await
}

/// A service that is behind is not given more: the operation waits, says for what, and goes on when a consumer comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_a_consumer_is_waited_for() {
    let (world, queue) = world().await;
    let waiting = begin(&world).await;
    let (ready, sent) = (world.broker.depth(&queue.name).await, &waiting["outcomes"]["sent"]);
    assert_eq!((ready, sent), (20, &json!(20)), "two chunks: the second was due below the limit");
    let reason = format!("queue {} has 20 messages ready (limit 15)", queue.name);
    assert_eq!((&waiting["waitingFor"], &waiting["lastError"]), (&json!(reason), &Value::Null));
    let said = format!("Waiting: {reason}. Continues by itself. 20 sent, none died again so far.");
    assert_eq!((&waiting["verdict"], &waiting["verdictText"]), (&json!("running"), &json!(said)));
    assert_eq!(waiting["progress"]["etaSeconds"], Value::Null, "nobody knows");

    for (states, count) in [("waiting", 1), ("paused,waiting", 1), ("pending,running", 0)] {
        let listed = world.api().get(&format!("/operations?state={states}")).await.assert(200).json;
        assert_eq!(listed["operations"].as_array().unwrap().len(), count, "{states}");
    }
    let metric = "dead_letter_operations{state=\"waiting\"}";
    assert!((world.service.metric(metric).await - 1.0).abs() < f64::EPSILON);
    let table = client_of(world.api(), &["operations", "--state", "waiting"]).await.assert(0).out;
    assert!(table.contains(" waiting ") && table.contains(&reason), "{table}");

    assert_eq!(world.broker.drain(&queue.name, COUNT).await.len(), COUNT);
    until_eq("it ends", json!("completed"), || async { look(&world, &waiting).await["state"].clone() }).await;
    let done = look(&world, &waiting).await;
    assert_eq!((&done["waitingFor"], &done["outcomes"]["sent"]), (&Value::Null, &json!(COUNT)));
    world.assert_counters_exact().await;
}

/// Whoever pauses one that waits sees a paused one, and when it is resumed it waits again; cancelled, it keeps the others dead.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_is_steered() {
    let (world, _queue) = world().await;
    let waiting = begin(&world).await;
    let steer = async |how: &str| {
        let path = format!("/operations/{}/{how}", waiting["id"].as_str().unwrap());
        world.api().post(&path, &json!({})).await.assert(200).json
    };
    let paused = steer("pause").await;
    assert_eq!((&paused["state"], &paused["waitingFor"]), (&json!("paused"), &Value::Null));
    assert_eq!(paused["verdictText"], "20 sent, none died again so far. Paused, 40 left.");
    steer("resume").await;
    until_waiting(&world, &waiting).await;
    // A release before this one writes nothing but the error.
    let older =
        "UPDATE operation SET last_error = 'the broker is away', next_chunk_at = now() + interval '1 h'";
    sqlx::query(older).execute(&world.database.pool).await.unwrap();
    let running = look(&world, &waiting).await;
    assert_eq!((&running["state"], &running["lastError"]), (&json!("running"), &json!("the broker is away")));
    steer("cancel").await;
    until_eq("it ends", json!("cancelled"), || async { look(&world, &waiting).await["state"].clone() }).await;
    assert_eq!(look(&world, &waiting).await["notDone"], 40);
}

/// A plan says beforehand that not all will go: where they are more than the queue takes while nobody consumes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_that_it_will_wait() {
    let (world, queue) = world().await;
    let of_queue = async |most_ready: i64| {
        let mut request = request(most_ready);
        request["kind"] = json!("redeliver");
        let plan = world.api().post("/operations/plan", &request).await.assert(201).json;
        let warnings = plan["warnings"].as_array().unwrap().clone();
        let of = warnings.into_iter().filter(|warning| warning["queue"] == queue.name).collect::<Vec<_>>();
        assert_eq!(of.len(), 1, "{plan}");
        of[0].clone()
    };
    let warning = of_queue(LIMIT).await;
    assert_eq!(
        (&warning["code"], &warning["count"], &warning["severity"]),
        (&json!("will_wait"), &json!(45), &json!("warning"))
    );
    let said = warning["message"].as_str().unwrap();
    assert!(said.contains("about 45 of 60 will not be sent before"), "{said}");
    for enough in [60, 0] {
        assert_eq!(of_queue(enough).await["code"], "no_consumers", "{enough}");
    }
    begin(&world).await;
    assert_eq!(of_queue(LIMIT).await["ready"], 20);
}
