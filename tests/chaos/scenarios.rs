//! Short scenarios, each of which shows whether a rule is kept. Each planted bug (`bugs/*.patch`) names the one that must find it,
//! and the words that it must find it with.

use std::cell::Cell;
use std::time::{Duration, Instant};

use lapin::types::AMQPValue;
use serde_json::{Value, json};

use crate::cuts;
use crate::proxy::{Deed, Trap, Way};
use crate::resend;
use crate::stand::{At, RECOVERY, Stand};
use crate::support::{Broker, Database, DeadMessage, TestQueue, World, id, text, until, until_eq};

/// Messages for several batches, as in the cuts.
const MESSAGES: usize = 330;
const BATCH_ROWS: usize = 100;
const TRIES: usize = 20;
/// Nothing more comes, once nothing has come for so long and the source is empty.
const QUIET: Duration = Duration::from_secs(4);
/// Longer than it takes to deliver a message as often as the source allows.
const OUTAGE: Duration = Duration::from_secs(5);

type Found = Result<(), String>;

/// Waits until all is stored, or until nothing moves any more, and looks at all that was published.
async fn verdict(stand: &Stand) -> Found {
    let sent = stand.ledger.count() as i64;
    let (begun, last) = (Instant::now(), Cell::new((0, Instant::now())));
    until("all is stored, or nothing moves", || async {
        let stored = stand.ledger.stored(&stand.database.pool).await;
        if stored != last.get().0 || stand.broker.depth(&stand.source.name).await > 0 {
            last.set((stored, Instant::now()));
        }
        (stored >= sent || last.get().1.elapsed() > QUIET || begun.elapsed() > RECOVERY).then_some(())
    })
    .await;
    stand.broker.until_empty(&stand.source.name).await;
    let verdict = stand.verdict().await;
    if verdict.is_clean() { Ok(()) } else { Err(verdict.to_string()) }
}

/// A batch hangs at its COMMIT while others are stored, and the service is killed.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_commit() -> Found {
    let mut stand = Stand::start(&[("DEAD_LETTER_BATCH_ROWS", "100")]).await;
    // Twice: the others may have to wait for a counter of the one that hangs.
    for _ in 0..2 {
        let trap = Trap {
            way: Way::ToServer,
            name: "COMMIT",
            after: Some("CopyDone"),
            skip: 0,
            deed: Deed::FreezeBefore,
        };
        let before = stand.proxy(At::Database).sprung();
        stand.proxy(At::Database).set(trap);
        // Which batches are copied depends on how fast they are.
        for _ in 0..TRIES {
            stand.publish(MESSAGES).await;
            if stand.proxy(At::Database).sprung() > before {
                break;
            }
        }
        until("a batch hangs", || async { (stand.proxy(At::Database).sprung() > before).then_some(()) })
            .await;
        let stored = stand.ledger.stored(&stand.database.pool).await;
        stand.publish(MESSAGES).await;
        // Two more batches: the first of them is acknowledged then, if it may be.
        let (begun, more) = (Instant::now(), stored + 2 * BATCH_ROWS as i64);
        until("others are stored", || async {
            let now = stand.ledger.stored(&stand.database.pool).await;
            (now >= more || begun.elapsed() > QUIET).then_some(())
        })
        .await;
        stand.service.restart();
        stand.proxy(At::Database).heal();
        stand.service.until_ready().await;
    }
    verdict(&stand).await
}

/// The cut of an ambiguous commit.
#[tokio::test(flavor = "multi_thread")]
async fn answer_of_commit_lost() -> Found {
    let mut stand = Stand::start(&[("DEAD_LETTER_BATCH_ROWS", "100")]).await;
    let trap = Trap {
        way: Way::ToClient,
        name: "done COMMIT",
        after: Some("CopyDone"),
        skip: 0,
        deed: Deed::CutBefore,
    };
    let point = cuts::Point { name: "committed, answer lost", at: At::Database, trap };
    cuts::strike(&mut stand, &point).await;
    verdict(&stand).await
}

/// The same death three times, and twins that cannot be told apart.
#[tokio::test(flavor = "multi_thread")]
async fn copies() -> Found {
    let world = World::start().await;
    let message = DeadMessage::new(&id(), "copies_service").body("copy");
    for _ in 0..3 {
        world.publish(message.clone()).await;
    }
    for _ in 0..2 {
        world.publish(DeadMessage::plain().body("twin")).await;
    }
    world.publish(DeadMessage::plain().body("last")).await;
    let count = |body: &'static str| {
        let query = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM dead_letter WHERE body = $1");
        query.bind(body.as_bytes()).fetch_one(&world.database.pool)
    };
    until_eq("the last message is stored", 1, || async { count("last").await.unwrap_or(0) }).await;
    world.until_source_empty().await;
    world.assert_counters_exact().await;
    match (count("copy").await.unwrap(), count("twin").await.unwrap()) {
        (1, 2) => Ok(()),
        (1, twins) => Err(format!("{twins} of 2 twins")),
        (copies, _) => Err(format!("{copies} rows of a message that came 3 times")),
    }
}

/// The database refuses some rows of each batch.
#[tokio::test(flavor = "multi_thread")]
async fn rows_refused() -> Found {
    let mut stand = Stand::start(&[]).await;
    sqlx::query("ALTER TABLE dead_letter ADD CONSTRAINT poison CHECK (message_id NOT LIKE '%7')")
        .execute(&stand.database.pool)
        .await
        .unwrap();
    stand.publish(MESSAGES).await;
    verdict(&stand).await
}

/// The database takes nothing for longer than the source lets messages be delivered again.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_limit() -> Found {
    let mut stand = Stand::start(&[]).await;
    let limited = stand.broker.declare_source(&[("x-delivery-limit", AMQPValue::LongInt(2))]).await;
    stand.consume_instead(limited, &[]).await;
    let pool = stand.database.pool.clone();
    sqlx::query("ALTER TABLE dead_letter RENAME TO away").execute(&pool).await.unwrap();
    stand.ledger.publish(&stand.broker, &stand.source.name, 20, &mut stand.random).await;
    // The length of the outage, not a time to wait for anything.
    tokio::time::sleep(OUTAGE).await;
    sqlx::query("ALTER TABLE away RENAME TO dead_letter").execute(&pool).await.unwrap();
    verdict(&stand).await
}

/// The connection is cut before a message is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn cut_before_publish() -> Found {
    resend_past("before a publish", before_publish(Deed::CutBefore)).await
}

/// Messages are on their way, and nothing more arrives.
#[tokio::test(flavor = "multi_thread")]
async fn publishes_do_not_arrive() -> Found {
    resend_past("before a publish", before_publish(Deed::FreezeBefore)).await
}

fn before_publish(deed: Deed) -> Trap {
    Trap { way: Way::ToServer, name: "basic.publish", after: None, skip: 2, deed }
}

/// The broker confirmed, and its answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn confirm_lost() -> Found {
    let after = Some("basic.publish");
    let trap = Trap { way: Way::ToClient, name: "basic.ack", after, skip: 0, deed: Deed::CutBefore };
    resend_past("confirmed, answer lost", trap).await
}

async fn resend_past(name: &'static str, trap: Trap) -> Found {
    let mut stand = Stand::start(&resend::SETTINGS).await;
    let point = resend::Point { name, at: At::Broker, trap, may_refuse: false };
    resend::strike(&mut stand, &point).await;
    Ok(())
}

async fn redeliver(world: &World, selection: Value) -> Value {
    world.api().post("/dead-letters/redeliver?wait=30", &selection).await.assert(200).json
}

/// Stores dead letters whose queue is this one.
async fn dead(world: &World, queue: &TestQueue, count: usize) {
    let messages = (0..count).map(|_| DeadMessage::new(&id(), &queue.name));
    let stored = world.database.count("dead_letter").await;
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(stored + count as i64).await;
}

/// The queue of the dead letter is gone.
#[tokio::test(flavor = "multi_thread")]
async fn no_queue() -> Found {
    let world = World::start().await;
    world.publish(DeadMessage::new(&id(), &format!("gone-{}", id()))).await;
    world.until_stored(1).await;
    let operation = redeliver(&world, json!({"filter": {}, "all": true})).await;
    match &operation["outcomes"] {
        outcomes if outcomes["refused"] == 1 => Ok(()),
        outcomes => Err(format!("sent to a queue that is not there: {outcomes}")),
    }
}

/// The queue takes a part of what is redelivered.
#[tokio::test(flavor = "multi_thread")]
async fn full_queue() -> Found {
    let world = World::start().await;
    let arguments = [("x-max-length", AMQPValue::LongInt(3)), ("x-overflow", text("reject-publish"))];
    let queue = world.broker.declare_queue(&format!("full-{}", id()), &arguments).await;
    dead(&world, &queue, 100).await;
    until("the queue refuses", || async {
        (!world.broker.try_publish("", &queue.name, &DeadMessage::plain()).await).then_some(())
    })
    .await;
    let before = i64::from(world.broker.depth(&queue.name).await);
    let operation = redeliver(&world, json!({"filter": {}, "all": true})).await;
    let (sent, came) = (
        operation["outcomes"]["sent"].as_i64().unwrap(),
        i64::from(world.broker.depth(&queue.name).await) - before,
    );
    if sent == came { Ok(()) } else { Err(format!("{} sent and not in the queue", sent - came)) }
}

/// Two callers redeliver the same, at once. Without an order several workers share an operation: fewer than would have to begin the same
/// chunk for it to be taken for a deadly one, and the operation to be paused.
#[tokio::test(flavor = "multi_thread")]
async fn two_callers() -> Found {
    let settings = [("DEAD_LETTER_CHUNK_ITEMS", "10"), ("DEAD_LETTER_OPERATION_WORKERS", "3")];
    let world = World::start_with(&settings).await;
    let queue = world.broker.declare_queue(&format!("twice-{}", id()), &[]).await;
    dead(&world, &queue, 200).await;
    let request = || redeliver(&world, json!({"filter": {}, "all": true, "order": "any"}));
    tokio::join!(request(), request());
    let published = world.broker.depth(&queue.name).await;
    if published == 200 { Ok(()) } else { Err(format!("{published} published for 200 messages")) }
}

/// The same is asked for again while an operation is at it.
#[tokio::test(flavor = "multi_thread")]
async fn second_caller() -> Found {
    // The bug that this finds is in the schema, which only its owner can change.
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    let world = World::start_on(broker, database, &[]).await;
    let queue = world.broker.declare_queue(&format!("again-{}", id()), &[]).await;
    dead(&world, &queue, 60).await;
    let slow = json!({"filter": {}, "all": true, "rate": 20});
    world.api().post("/dead-letters/redeliver", &slow).await.assert(202);
    let second = redeliver(&world, json!({"filter": {}, "all": true})).await;
    match &second["outcomes"]["sent"] {
        sent if sent == 0 => Ok(()),
        sent => Err(format!("{sent} sent by the second caller")),
    }
}

/// More of the same arrives while an operation is at work.
#[tokio::test(flavor = "multi_thread")]
async fn arrives_meanwhile() -> Found {
    let world = World::start().await;
    let queue = world.broker.declare_queue(&format!("work-{}_frozen", id()), &[]).await;
    dead(&world, &queue, 60).await;
    let body = json!({"filter": {"service": "frozen"}, "rate": 20});
    let operation = world.api().post("/dead-letters/redeliver", &body).await.assert(202).json;
    dead(&world, &queue, 20).await;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    until_eq("the operation is completed", json!("completed"), || async {
        world.api().get(&path).await.json["state"].clone()
    })
    .await;
    let published = world.broker.depth(&queue.name).await;
    if published == 60 { Ok(()) } else { Err(format!("{published} published of a selection of 60")) }
}
