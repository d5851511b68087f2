//! Which messages are the same (rule R3).

use dead_letter::domain::convention::Conventions;
use dead_letter::domain::identity;
use dead_letter::domain::message::Message;
use dead_letter::domain::place::Source;
use dead_letter::domain::wire;
use lapin::options::{BasicGetOptions, BasicRejectOptions};
use uuid::Uuid;

use crate::support::{DeadMessage, World, id, text, until, until_eq};

/// Publishers reuse an id: for a batch, an import, the name of a job.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_share_id_and_body_and_differ_in_anything_else_are_all_stored() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("shop-{}_import", id()), &world.source.name).await;
    let base = || DeadMessage::plain().id("import-2026-11-28").body("");
    let tenants = ["a", "b", "c", "d", "e"].map(|tenant| base().header("tenant", text(tenant)));
    let mut messages = vec![
        base(),
        base().properties(|p| p.with_correlation_id("c".into())),
        base().properties(|p| p.with_type("t".into())),
        base().properties(|p| p.with_app_id("a".into())),
        base().properties(|p| p.with_reply_to("r".into())),
        base().properties(|p| p.with_priority(1)),
    ];
    messages.extend(tenants);
    for message in &messages {
        world.broker.publish("", &queue.name, message).await;
    }
    for _ in &messages {
        world.broker.reject_next(&queue.name).await;
    }
    world.until_stored(i64::try_from(messages.len()).unwrap()).await;
    world.until_source_empty().await;
    world.assert_counters_exact().await;
}

/// Takes so many messages of the source and gives them back: the broker then says that they were delivered before.
pub(crate) async fn give_back(world: &World, count: usize) {
    let mut taken = Vec::new();
    for _ in 0..count {
        let next = until("a message in the source", || async {
            let (channel, options) = (&world.broker.channel, BasicGetOptions { no_ack: false });
            let got = channel.basic_get(world.source.name.as_str().into(), options).await.unwrap();
            got.map(|got| got.delivery)
        });
        taken.push(next.await);
    }
    for delivery in taken {
        delivery.acker.reject(BasicRejectOptions { requeue: true }).await.unwrap();
    }
}

/// A crash in the middle of an upgrade: the release before has stored a message and not acknowledged it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_the_release_before_has_stored_is_known() {
    let mut world = World::start().await;
    let message = DeadMessage::new(&id(), "upgrade_shop");
    world.publish(message.clone()).await;
    world.until_stored(1).await;
    let (properties, body): (Vec<u8>, Vec<u8>) = sqlx::query_as("SELECT properties, body FROM dead_letter")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    let stored = Message {
        exchange: world.source.name.clone(),
        routing_key: "dead".into(),
        properties: wire::decode(&properties).unwrap(),
        body,
    };
    let read = Conventions::default().recognise(&world.source.name, &stored);
    let now: Option<Uuid> =
        sqlx::query_scalar("SELECT identity FROM dead_letter").fetch_one(&world.database.pool).await.unwrap();
    let source = Source::from(world.source.name.as_str());
    assert_eq!(identity::of(&source, &stored, &read), now);
    sqlx::query("UPDATE dead_letter SET identity = $1")
        .bind(identity::of_the_release_before(&source, &stored, &read))
        .execute(&world.database.pool)
        .await
        .unwrap();
    assert!(world.service.terminate().await.success());
    world.publish(message.clone()).await;
    // It only looks like a copy to the release before.
    world.publish(message.header("tenant", text("b"))).await;
    give_back(&world, 2).await;
    world.service.restart();
    world.until_stored(2).await;
    world.until_source_empty().await;
    let metric = format!("dead_letter_duplicates_total{{source=\"{}\"}}", world.source.name);
    until_eq("the copy is counted", true, || async { world.service.metric(&metric).await >= 1.0 }).await;
    assert_eq!(world.database.count("dead_letter").await, 2);
    world.assert_counters_exact().await;
}
