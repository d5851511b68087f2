//! The road in.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, DecimalValue, FieldArray, FieldTable};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{DeadMessage, World, id, text, until_eq};

/// R1, R2, R3: at each kill some batches are committed and not acknowledged, and come again.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_survive_ten_kills_each_stored_once() {
    const COUNT: i64 = 10_000;
    let mut world = World::start_with(&[("DEAD_LETTER_BATCH_ROWS", "100")]).await;
    let ids: Vec<String> = (0..COUNT).map(|_| id()).collect();
    for kill in 0..10 {
        let part = &ids[kill * 1000..(kill + 1) * 1000];
        let messages =
            part.iter().map(|id| DeadMessage::new(id, "kill_service").body(format!("body of {id}")));
        world.broker.publish_all(&world.source.name, messages).await;
        let before = world.database.count("dead_letter").await;
        // In the middle of it, as soon as the first batches of this part are there.
        super::support::until("some are stored", || async {
            let now = world.database.count("dead_letter").await;
            (now > before || now >= (i64::try_from(kill).unwrap() + 1) * 1000).then_some(())
        })
        .await;
        world.service.restart();
    }
    world.service.until_ready().await;
    world.until_source_empty().await;
    world.until_stored(COUNT).await;
    let mut stored: Vec<String> = sqlx::query_scalar("SELECT message_id FROM dead_letter")
        .fetch_all(&world.database.pool)
        .await
        .unwrap();
    stored.sort();
    let mut expected = ids;
    expected.sort();
    assert_eq!(stored, expected);
    world.assert_counters_exact().await;
    world.service.kill();
    world.until_source_empty().await;
}

/// R3: what the broker delivers twice is one row; twins that cannot be told apart are two.
#[tokio::test(flavor = "multi_thread")]
async fn copies_are_stored_once_and_twins_both() {
    let world = World::start().await;
    let message = DeadMessage::new(&id(), "copy_service");
    for _ in 0..3 {
        world.publish(message.clone()).await;
    }
    for _ in 0..2 {
        world.publish(DeadMessage::plain().body("twin")).await;
    }
    let done = DeadMessage::new("last", "copy_service");
    world.publish(done).await;
    world.until_source_empty().await;
    world.until_stored(4).await;
    let metric = format!("dead_letter_duplicates_total{{source=\"{}\"}}", world.source.name);
    until_eq("duplicates counted", true, || async { world.service.metric(&metric).await >= 2.0 }).await;
    assert_eq!(world.database.count("dead_letter").await, 4);
    world.assert_counters_exact().await;
}

/// R3 at a partition's edge: the copy that arrives on another day than the first one is found there.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_known_on_the_other_side_of_midnight() {
    use chrono::{DateTime, TimeDelta};
    use dead_letter::domain::convention::Failure;
    use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, floor_id};
    use dead_letter::domain::fingerprint;

    let database = crate::support::Database::shared().await;
    let store = database.store();
    store.migrate().await.unwrap();
    let midnight = DateTime::parse_from_rfc3339("2026-03-02T00:00:00Z").unwrap().to_utc();
    store
        .create_partitions_for((midnight - TimeDelta::days(1)).date_naive(), midnight.date_naive())
        .await
        .unwrap();
    let copy = |arrived: DateTime<chrono::Utc>| NewDeadLetter {
        id: floor_id(arrived),
        identity: Some(uuid::Uuid::from_u128(7)),
        former_identity: None,
        latest_death: Some(midnight - TimeDelta::seconds(2)),
        source: "s".into(),
        derived: Derived { service: "edge".into(), ..Derived::default() },
        fingerprint: fingerprint::of("edge", &Failure::default()),
        warning: None,
        properties: vec![0, 0],
        body: vec![],
    };
    let (before, after) = (midnight - TimeDelta::seconds(1), midnight + TimeDelta::seconds(1));
    let first = store.insert(&[copy(before)], before).await.unwrap();
    let second = store.insert(&[copy(after)], after).await.unwrap();
    // And one that was in hand all the time while another replica stored its copy.
    let late = store.insert(&[copy(before + TimeDelta::milliseconds(5))], after).await.unwrap();
    assert_eq!([first.stored, second.stored, late.stored], [1, 0, 0]);
    assert_eq!(store.recount().await.unwrap(), []);
    // What stands nowhere is found, too.
    sqlx::query("DELETE FROM dead_letter_pending").execute(&database.pool).await.unwrap();
    assert_ne!(store.recount().await.unwrap(), []);
}

/// R4: bytes, properties and every header type, as they came; shown as plain and as typed JSON.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_random_bytes_is_found_and_its_body_is_the_same() {
    let world = World::start().await;
    let body: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let message_id = id();
    let mut nested = FieldTable::default();
    nested.insert(
        "deep".into(),
        AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::Void, AMQPValue::Boolean(true)])),
    );
    let message = DeadMessage::new(&message_id, "bytes_service")
        .body(body.clone())
        .error("Timeout", "after 3 s")
        .header("i8", AMQPValue::ShortShortInt(-1))
        .header("u8", AMQPValue::ShortShortUInt(255))
        .header("i16", AMQPValue::ShortInt(-2))
        .header("u16", AMQPValue::ShortUInt(65_535))
        .header("i32", AMQPValue::LongInt(-3))
        .header("u32", AMQPValue::LongUInt(u32::MAX))
        .header("i64", AMQPValue::LongLongInt(i64::MAX))
        .header("f32", AMQPValue::Float(1.5))
        .header("f64", AMQPValue::Double(1.25))
        .header("decimal", AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 1234 }))
        .header("binary", AMQPValue::LongString(vec![0xff, 0x00].into()))
        .header("bytes", AMQPValue::ByteArray(vec![1, 2].into()))
        .header("time", AMQPValue::Timestamp(u64::MAX))
        .header("table", AMQPValue::FieldTable(nested));
    world.publish(message).await;
    world.until_stored(1).await;
    let found = world.only(&format!("messageId={message_id}")).await;
    assert_eq!(found["service"], "service");
    assert_eq!(found["queue"], "bytes_service");
    assert_eq!(found["reason"], "rejected");
    assert_eq!(found["exchange"], "orders");
    assert_eq!(found["routingKey"], "orders.placed");
    assert_eq!(found["errorType"], "Timeout");
    let path = format!("/dead-letters/{}", found["id"].as_str().unwrap());
    let raw = world.api().get(&format!("{path}/body")).await.assert(200);
    assert_eq!(Sha256::digest(&raw.bytes), Sha256::digest(&body));
    let whole = world.api().get(&path).await.assert(200).json;
    assert_eq!(whole["body"]["encoding"], "base64");
    assert_eq!(whole["errorStack"], "at main");
    let typed = &whole["typedHeaders"];
    assert_eq!(typed["i64"], json!({"t": "l", "v": "9223372036854775807"}));
    assert_eq!(typed["i8"], json!({"t": "b", "v": -1}));
    assert_eq!(typed["time"]["v"], u64::MAX.to_string());
    assert_eq!(typed["binary"]["encoding"], "base64");
    assert_eq!(whole["headers"]["decimal"], "12.34");
}

/// R5, and the list of bad input: each is stored whole, and none stops its neighbours.
#[tokio::test(flavor = "multi_thread")]
async fn odd_messages_are_stored_byte_for_byte_among_their_neighbours() {
    let world = World::start().await;
    let many = (0..300).fold(DeadMessage::plain(), |message, n| message.header(&format!("h{n}"), text("v")));
    let deep = (0..60).fold(AMQPValue::Boolean(true), |inner, _| {
        let mut table = FieldTable::default();
        table.insert("n".into(), inner);
        AMQPValue::FieldTable(table)
    });
    let now = 1_795_392_000;
    let odd_queue = "q ü.\"'\\_#*%/?\u{1}service";
    let odd = [
        DeadMessage::plain().body(vec![]),
        DeadMessage::plain().body(vec![b'x'; 16 << 20]),
        DeadMessage::plain().body(vec![0xff, 0xfe, 0x00, 0x80]),
        DeadMessage::plain().id("nul\0in\0id"),
        many,
        DeadMessage::plain().header("deep", deep),
        DeadMessage::plain().properties(|p| p.with_timestamp(u64::MAX)).died(
            "edge_time",
            "rejected",
            i64::MAX,
            u64::MAX,
        ),
        DeadMessage::plain().died("zero_time", "rejected", -5, 0),
        DeadMessage::plain().header("x-death", text("not an array")),
        DeadMessage::plain()
            .header("x-death", AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::Void]))),
        DeadMessage::plain().died(odd_queue, "expired", 1, now),
        DeadMessage::plain().header("dead-letter-error-message", text("nul \0 and \u{1f4a3}")),
        DeadMessage { properties: BasicProperties::default(), ..DeadMessage::plain() },
    ];
    let count = i64::try_from(odd.len()).unwrap();
    for (index, message) in odd.iter().enumerate() {
        world.publish(DeadMessage::new(&id(), "neighbour_service").body(format!("before {index}"))).await;
        world.publish(message.clone()).await;
    }
    world.until_stored(2 * count).await;
    world.until_source_empty().await;
    let stored: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT body FROM dead_letter WHERE origin_queue IS DISTINCT FROM 'neighbour_service' ORDER BY id",
    )
    .fetch_all(&world.database.pool)
    .await
    .unwrap();
    assert!(stored == odd.iter().map(|message| message.body.clone()).collect::<Vec<_>>());
    let found = world.only("reason=expired").await;
    assert_eq!(found["queue"], odd_queue);
    let all = world.api().all("status=any", 200).await;
    assert_eq!(all.len() as i64, 2 * count);
    for letter in all {
        world.api().get(&format!("/dead-letters/{}", letter["id"].as_str().unwrap())).await.assert(200);
    }
    world.assert_counters_exact().await;
}

/// R5: the database itself refuses a row in the middle of a batch of 200.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_is_isolated_and_kept_blanked() {
    let world = World::start_with(&[("DEAD_LETTER_BATCH_LINGER", "300ms")]).await;
    sqlx::query("ALTER TABLE dead_letter ADD CONSTRAINT poison CHECK (message_id IS DISTINCT FROM 'poison')")
        .execute(&world.database.pool)
        .await
        .unwrap();
    let messages = (0..200).map(|n| {
        let name = if n == 117 { "poison".to_owned() } else { format!("good-{n}") };
        DeadMessage::new(&name, "poison_service").body(name)
    });
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(200).await;
    world.until_source_empty().await;
    let found = world.only("service=unknown").await;
    assert!(found["warning"].as_str().unwrap().contains("23514"), "{found}");
    assert_eq!(found["messageId"], json!(null));
    let body = world.api().get(&format!("/dead-letters/{}/body", found["id"].as_str().unwrap())).await;
    assert_eq!(body.bytes, b"poison");
    let whole = world.api().get(&format!("/dead-letters/{}", found["id"].as_str().unwrap())).await.json;
    assert_eq!(whole["properties"]["messageId"], "poison", "the bytes are the truth");
    let metric = format!("dead_letter_poisoned_total{{source=\"{}\"}}", world.source.name);
    assert!(world.service.metric(&metric).await >= 1.0);
    world.publish(DeadMessage::new(&id(), "poison_service")).await;
    world.until_stored(201).await;
    world.assert_counters_exact().await;
}

/// SIGTERM under load: what is in hand is stored and acknowledged, the rest stays in the queue.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_and_duplicates_nothing() {
    let mut world = World::start().await;
    let source = world.source.name.clone();
    // Without ids: a message that came twice would be two rows.
    let publishing =
        world.broker.publish_all(&source, (0..5_000).map(|n| DeadMessage::plain().body(n.to_string())));
    let stopping = async {
        super::support::until("some are stored", || async {
            (world.database.count("dead_letter").await > 100).then_some(())
        })
        .await;
    };
    tokio::join!(publishing, stopping);
    let status = world.service.terminate().await;
    assert!(status.success(), "{status}");
    let stored = world.database.count("dead_letter").await;
    until_eq("the rest is ready in the queue", 5_000 - stored, || async {
        i64::from(world.broker.depth(&source).await)
    })
    .await;
    world.service.restart();
    world.until_stored(5_000).await;
    let distinct: i64 = sqlx::query_scalar("SELECT count(DISTINCT body) FROM dead_letter")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(distinct, 5_000);
    world.assert_counters_exact().await;
}

/// The whole way: a real queue whose consumer rejects, the broker's own x-death.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_message_tells_where_it_died() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_shipping", id()), &world.source.name).await;
    let message_id = id();
    let message = DeadMessage::plain().id(&message_id).properties(|p| p.with_type("OrderPlaced".into()));
    world.broker.publish("", &queue.name, &message).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(1).await;
    let found = world.only(&format!("messageId={message_id}")).await;
    assert_eq!(found["queue"], queue.name);
    assert_eq!(found["service"], "shipping");
    assert_eq!(found["reason"], "rejected");
    assert_eq!(found["exchange"], "");
    assert_eq!(found["routingKey"], queue.name);
    assert_eq!(found["attempts"], 1);
    assert_eq!(found["type"], "OrderPlaced");
}
