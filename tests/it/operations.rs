//! The road out.

use std::collections::HashSet;

use dead_letter::clock;
use dead_letter::domain::dead_letter::NewDeadLetter;
use lapin::types::AMQPValue;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::filters::letters::letter;
use crate::support::{DeadMessage, World, id, text, until, until_eq};

/// The ids of all dead letters that a search lists.
pub async fn ids(world: &World, query: &str) -> Vec<String> {
    let all = world.api().all(query, 200).await;
    all.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()).collect()
}

pub async fn redeliver(world: &World, selection: Value) -> Value {
    world.api().post("/dead-letters/redeliver?wait=30", &selection).await.assert(200).json
}

pub async fn items(world: &World, operation: &Value) -> Vec<Value> {
    let path = format!("/operations/{}/items?limit=200", operation["id"].as_str().unwrap());
    world.api().get(&path).await.assert(200).json["items"].as_array().unwrap().clone()
}

/// R7: body, properties and typed headers are those of the original, but for the listed ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_redelivered_message_equals_the_original() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    let original = DeadMessage::plain()
        .id(&id())
        .body(vec![0, 255, 1])
        .properties(|p| {
            p.with_content_type("application/x-odd".into())
                .with_content_encoding("gzip".into())
                .with_delivery_mode(2)
                .with_priority(3)
                .with_correlation_id("c-1".into())
                .with_reply_to("answers".into())
                .with_timestamp(u64::MAX)
                .with_type("Odd".into())
                .with_app_id("app".into())
                .with_user_id("guest".into())
        })
        .header("i8", AMQPValue::ShortShortInt(-1))
        .header("u16", AMQPValue::ShortUInt(65_535))
        .header("f32", AMQPValue::Float(0.5))
        .header("bytes", AMQPValue::ByteArray(vec![0xff].into()))
        .header("binary", AMQPValue::LongString(vec![0xff, 0].into()))
        .header("time", AMQPValue::Timestamp(7))
        .header("void", AMQPValue::Void)
        .header("traceparent", text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        .header("dead-letter-error-type", text("from an earlier failure"));
    world.broker.publish("", &queue.name, &original).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(1).await;
    let found = ids(&world, "service=orders").await;

    let operation = redeliver(&world, json!({"ids": found, "note": "fixed"})).await;
    assert_eq!(
        operation["outcomes"],
        json!({"sent": 1, "returned": 0, "deleted": 0, "restored": 0, "refused": 0, "skipped": 0}),
        "{operation}"
    );
    let again = world.broker.take(&queue.name).await;
    assert_eq!(again.data, original.body);
    let mut expected = original.headers.clone().inner().clone();
    expected.remove("dead-letter-error-type");
    // R13: who, and why.
    assert_eq!(operation["requestedBy"], "anonymous at 127.0.0.1");
    assert_eq!(operation["note"], "fixed");
    let redelivery_id = items(&world, &operation).await[0]["redeliveryId"].as_str().unwrap().to_owned();
    expected.insert("dead-letter-redelivery-id".into(), text(&redelivery_id));
    expected.insert("dead-letter-redelivery-count".into(), text("1"));
    expected.insert("dead-letter-deaths".into(), text("1"));
    let (sent, came) = (&original.properties, &again.properties);
    let mut headers = came.headers().as_ref().unwrap().inner().clone();
    // The queue's own count for this delivery: 0 where the broker shows it at all.
    assert_eq!(
        headers.remove("x-delivery-count").unwrap_or(AMQPValue::LongLongInt(0)),
        AMQPValue::LongLongInt(0)
    );
    for (name, value) in &expected {
        assert_eq!(headers.get(name.as_str()), Some(value), "{name}");
    }
    assert_eq!(headers.len(), expected.len(), "{headers:?}");
    // The broker refuses another user's id, so it is taken off.
    assert_eq!(came.user_id(), &None);
    let others = |p: &lapin::BasicProperties| {
        (
            [
                p.content_type(),
                p.content_encoding(),
                p.correlation_id(),
                p.reply_to(),
                p.message_id(),
                p.kind(),
                p.app_id(),
            ]
            .map(Clone::clone),
            (*p.delivery_mode(), *p.priority(), *p.timestamp(), p.expiration().clone()),
        )
    };
    assert_eq!(others(came), others(sent));
    let after = world.only("status=redelivered").await;
    assert_eq!(after["id"], found[0].as_str());
    world.assert_counters_exact().await;
}

/// R8: two callers, the same 500 ids, at once.
#[tokio::test(flavor = "multi_thread")]
async fn two_callers_who_redeliver_the_same_ids_publish_each_once() {
    // Small chunks, so that both are at work at the same time.
    let world = World::start_with(&[("DEAD_LETTER_CHUNK_ITEMS", "20")]).await;
    let queue = world.broker.declare_queue(&format!("twice-{}", id()), &[]).await;
    world
        .broker
        .publish_all(&world.source.name, (0..500).map(|_| DeadMessage::new(&id(), &queue.name)))
        .await;
    world.until_stored(500).await;
    let all = ids(&world, "status=dead").await;
    let mut reversed = all.clone();
    reversed.reverse();
    let (one, other) =
        tokio::join!(redeliver(&world, json!({"ids": all})), redeliver(&world, json!({"ids": reversed})));
    let sum = |outcome: &str| {
        one["outcomes"][outcome].as_i64().unwrap() + other["outcomes"][outcome].as_i64().unwrap()
    };
    assert_eq!((sum("sent"), sum("skipped")), (500, 500), "{one} {other}");
    let came = world.broker.drain(&queue.name, 500).await;
    let distinct: HashSet<_> = came.iter().map(|delivery| delivery.properties.message_id().clone()).collect();
    assert_eq!(distinct.len(), 500);
    assert_eq!(world.broker.depth(&queue.name).await, 0);
    let skipped = if one["outcomes"]["skipped"] == 0 { (&other, &one) } else { (&one, &other) };
    if skipped.0["outcomes"]["skipped"] == 500 && skipped.1["outcomes"]["sent"] == 500 {
        let detail = items(&world, skipped.0).await[0]["detail"].as_str().unwrap().to_owned();
        let holder = skipped.1["id"].as_str().unwrap();
        assert!(detail.contains(holder) || detail.starts_with("Not dead: already redelivered"), "{detail}");
    }
    world.assert_counters_exact().await;
}

/// R9: what is deleted is exactly what the same search lists, whatever arrives meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn delete_by_filter_deletes_what_the_same_search_lists() {
    let world = World::start().await;
    let message =
        |service: &str, error: &str| DeadMessage::new(&id(), &format!("q_{service}")).error("E", error);
    for _ in 0..7 {
        world.publish(message("one", "50% of_it failed")).await;
        world.publish(message("one", "50 percent of it failed")).await;
        world.publish(message("two", "50% of_it failed")).await;
    }
    world.until_stored(21).await;
    let listed: HashSet<_> = ids(&world, "service=one&error=50%25%20OF_IT").await.into_iter().collect();
    assert_eq!(listed.len(), 7);
    let body = json!({"filter": {"service": "one", "error": "50% OF_IT"}, "note": "known"});
    let operation = world.api().delete("/dead-letters?wait=30", &body).await.assert(200).json;
    assert_eq!(operation["outcomes"]["deleted"], 7);
    let deleted: HashSet<_> = ids(&world, "status=deleted").await.into_iter().collect();
    assert_eq!(deleted, listed);
    assert_eq!(ids(&world, "status=dead").await.len(), 14);
    // The same in the query, for those whose proxy drops bodies of DELETE.
    let query = "/dead-letters?service=two&limit=3&order=oldest&wait=30";
    let request = world.api().request(reqwest::Method::DELETE, query);
    let operation = world.api().send(request).await.assert(200).json;
    assert_eq!(operation["outcomes"]["deleted"], 3);
    assert_eq!(ids(&world, "service=two").await.len(), 4);
    world.assert_counters_exact().await;
}

/// R9: a dead letter that arrives after the selection was frozen is not in it, and one that comes back neither.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_another_dead_letter_and_not_in_the_selection() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_loop", id()), &world.source.name).await;
    let message_id = id();
    world.broker.publish("", &queue.name, &DeadMessage::plain().id(&message_id)).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(1).await;
    let operation = redeliver(&world, json!({"filter": {"service": "loop"}})).await;
    assert_eq!(operation["total"], 1);
    world.broker.reject_next(&queue.name).await;
    world.until_stored(2).await;
    let returned = world.only("service=loop").await;
    let redelivery = items(&world, &operation).await[0]["redeliveryId"].clone();
    assert_eq!(returned["redeliveryId"], redelivery);
    assert_eq!(world.only("status=any&returned=true").await["id"], returned["id"]);
    assert_eq!(world.only("status=any&returned=false").await["status"], "redelivered");
    let whole = world.api().get(&format!("/dead-letters/{}", returned["id"].as_str().unwrap())).await.json;
    let history = &whole["history"];
    assert_eq!(history["deaths"].as_array().unwrap().len(), 2, "{history}");
    assert_eq!(history["operations"][0]["operationId"], operation["id"]);
    // The return is noted soon after it is stored.
    assert!(
        ["sent", "returned"].contains(&history["operations"][0]["outcome"].as_str().unwrap()),
        "{history}"
    );
    let metric = format!("dead_letter_returned_total{{source=\"{}\"}}", world.source.name);
    assert!((world.service.metric(&metric).await - 1.0).abs() < f64::EPSILON);
    // And once more: the count goes up.
    redeliver(&world, json!({"filter": {"service": "loop"}})).await;
    let again = world.broker.take(&queue.name).await;
    let headers = again.properties.headers().clone().unwrap();
    assert_eq!(headers.inner()["dead-letter-redelivery-count"], text("2"));
    assert_eq!(headers.inner()["dead-letter-deaths"], text("2"));
    assert!(!headers.contains_key("x-death"), "{headers:?}");
    world.assert_counters_exact().await;
}

/// R10: killed in the middle, the operation goes on, and a message that is published again bears the same id.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_killed_in_the_middle_resumes() {
    let settings = [("DEAD_LETTER_CHUNK_ITEMS", "50"), ("DEAD_LETTER_OPERATION_WORKERS", "1")];
    let mut world = World::start_with(&settings).await;
    let queue = world.broker.declare_queue(&format!("resume-{}", id()), &[]).await;
    world
        .broker
        .publish_all(&world.source.name, (0..2_000).map(|_| DeadMessage::new(&id(), &queue.name)))
        .await;
    world.until_stored(2_000).await;
    let body = json!({"filter": {}, "all": true});
    let operation = world.api().post("/dead-letters/redeliver", &body).await.assert(202).json;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    for kill in 1..=3 {
        until("some are sent", || async {
            let now = world.api().get(&path).await.json["outcomes"]["sent"].as_i64()?;
            (now >= kill * 100).then_some(())
        })
        .await;
        world.service.restart();
        world.service.until_ready().await;
    }
    until_eq("the operation is completed", json!("completed"), || async {
        world.api().get(&path).await.json["state"].clone()
    })
    .await;
    let operation = world.api().get(&path).await.json;
    assert_eq!(operation["outcomes"]["sent"], 2_000);
    let came = world.broker.drain(&queue.name, world.broker.depth(&queue.name).await as usize).await;
    let header = |delivery: &lapin::message::Delivery| {
        let headers = delivery.properties.headers().clone().unwrap();
        headers.inner()["dead-letter-redelivery-id"].clone()
    };
    let messages: HashSet<_> = came.iter().map(|delivery| delivery.properties.message_id().clone()).collect();
    let redeliveries: HashSet<_> = came.iter().map(|delivery| format!("{:?}", header(delivery))).collect();
    assert_eq!(messages.len(), 2_000);
    assert_eq!(redeliveries.len(), 2_000, "one id for each message, however often it was published");
    let twice = came.len() - 2_000;
    assert!(twice <= 3 * 2 * 50, "at most two chunks for each kill are published again: {twice}");
    world.assert_counters_exact().await;
}

/// A rate holds, and an idempotency key makes the same request the same operation.
#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_and_idempotency_key() {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("rate-{}", id()), &[]).await;
    world.broker.publish_all(&world.source.name, (0..40).map(|_| DeadMessage::new(&id(), &queue.name))).await;
    world.until_stored(40).await;
    let body = json!({"filter": {}, "all": true, "rate": 20, "limit": 30, "order": "oldest", "idempotencyKey": "once"});
    let begun = std::time::Instant::now();
    let first = redeliver(&world, body.clone()).await;
    assert!(begun.elapsed().as_millis() >= 950, "30 at 20 a second take at least one: {:?}", begun.elapsed());
    assert_eq!(first["total"], 30);
    let second = redeliver(&world, body.clone()).await;
    assert_eq!(first["id"], second["id"]);
    let mut other = body;
    other["limit"] = json!(5);
    let answer = world.api().post("/dead-letters/redeliver", &other).await.assert(409);
    assert_eq!(answer.json["error"]["name"], "ConflictError");
    assert_eq!(answer.json["type"], "idempotency-key-reused");
    assert_eq!(world.broker.depth(&queue.name).await, 30);
    assert_eq!(ids(&world, "status=dead").await.len(), 10);
    let page = world.api().get("/operations?limit=1").await.assert(200).json;
    assert_eq!(page["operations"][0]["id"], first["id"]);
    assert_eq!(page["nextCursor"], Value::Null);
}

/// R11: after a random mix of everything, the overview equals a recount.
#[tokio::test(flavor = "multi_thread")]
async fn the_overview_equals_a_recount_after_a_mix_of_everything() {
    let world = World::start().await;
    let queues: Vec<String> = (0..4).map(|n| format!("mix-{}_svc{n}", id())).collect();
    let mut declared = Vec::new();
    for queue in &queues[..3] {
        declared.push(world.broker.declare_queue(queue, &[]).await);
    }
    let mut published = 0;
    for round in 0..6_usize {
        let messages = (0..50)
            .map(|n| DeadMessage::new(&id(), &queues[(n + round) % 4]).error("E", &format!("e{}", n % 3)));
        world.broker.publish_all(&world.source.name, messages).await;
        published += 50;
        world.until_stored(published).await;
        let service = format!("svc{}", round % 4);
        let act =
            json!({"filter": {"service": service, "error": format!("e{}", round % 3)}, "limit": 7 + round});
        let delete = json!({"filter": {"error": "e1"}, "limit": 5});
        let (acted, deleted) = tokio::join!(
            world.api().post("/dead-letters/redeliver?wait=30", &act),
            world.api().delete("/dead-letters?wait=30", &delete)
        );
        acted.assert(200);
        deleted.assert(200);
    }
    world.assert_counters_exact().await;
    let overview = world.api().get("/dead-letters/service-overview").await.assert(200).json;
    let mut total = 0;
    for service in overview.as_array().unwrap() {
        let name = service["service"].as_str().unwrap();
        let listed = world.api().all(&format!("service={name}&order=oldest"), 200).await;
        assert_eq!(service["count"], listed.len(), "{name}");
        let received = |letter: Option<&Value>| letter.map_or(Value::Null, |it| it["receivedAt"].clone());
        assert_eq!(service["oldest"], received(listed.first()));
        assert_eq!(service["newest"], received(listed.last()));
        total += listed.len();
    }
    let squads = world.api().get("/dead-letters/squad-overview").await.assert(200).json;
    assert_eq!(
        squads,
        json!([{
            "squad": "unowned", "messages": total, "muted": 0, "services": 4,
            "oldest": squads[0]["oldest"], "newest": squads[0]["newest"],
            "trend": {"lastHour": published, "dayBefore": 0}, "lastDay": squads[0]["lastDay"],
        }])
    );
    let day = |name: &str| squads[0]["lastDay"][name].as_i64().unwrap();
    assert_eq!(day("died"), published);
    assert_eq!(day("died") - day("redelivered") - day("deleted"), i64::try_from(total).unwrap());
}

/// A chunk costs what its own dead letters cost, however many others there are: none reads the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_reads_its_own_dead_letters_only() {
    let world = World::start_with(&[("DEAD_LETTER_CHUNK_ITEMS", "50")]).await;
    let target = world.broker.declare_queue(&format!("sink-{}", id()), &[]).await;
    let (store, mut random) = (world.database.store(), StdRng::seed_from_u64(1));
    let mut others =
        (0..20_000).map(|_| NewDeadLetter { id: clock::new_id(), ..letter(&mut random, clock::now()).row });
    for _ in 0..20 {
        let batch: Vec<_> = others.by_ref().take(1_000).collect();
        store.insert(&batch, clock::now()).await.unwrap();
    }
    let messages = (0..500).map(|_| DeadMessage::new(&id(), "many_service"));
    world.broker.publish_all(&world.source.name, messages).await;
    // By the counters: to count rows is to read them.
    until_eq("all are stored", 500, || async {
        let page = world.api().get("/dead-letters?service=service&limit=1").await.json;
        page["total"]["value"].as_i64().unwrap_or_default()
    })
    .await;
    let request =
        json!({"filter": {"service": "service"}, "to": {"exchange": "", "routingKey": target.name}});
    let done = world.api().post("/dead-letters/redeliver?wait=30", &request).await.assert(200).json;
    assert_eq!(done["outcomes"]["sent"], 500);
    // Ten chunks that each read the table would have read 200,000 rows. The statistics come a moment late.
    until("the statistics of all changes are there", || async {
        let deleted: i64 = statistic(&world, "n_tup_del").await;
        (deleted >= 500).then_some(())
    })
    .await;
    let read = statistic(&world, "seq_tup_read").await;
    assert!(read < 20_000, "{read} rows were read in sequence");
}

async fn statistic(world: &World, column: &str) -> i64 {
    let query = format!(
        "SELECT sum({column})::bigint FROM pg_stat_user_tables WHERE relname ~ '^dead_letter_(pending_|left_)?[0-9]'"
    );
    sqlx::query_scalar(&query).fetch_one(&world.database.pool).await.unwrap()
}
