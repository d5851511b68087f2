//! Where a message died: what the broker says, and what the message claims (rule R15).

use lapin::ExchangeKind;
use lapin::options::{BasicPublishOptions, ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use crate::support::{Broker, DeadMessage, TestQueue, World, id, text};

fn milliseconds(milliseconds: i32) -> AMQPValue {
    AMQPValue::LongInt(milliseconds)
}

/// Redelivers what a search finds, to its queue or by its exchange, and takes it off the queue.
async fn redeliver(world: &World, found: &serde_json::Value, to: &str, queue: &str) {
    let operation = json!({"ids": [found["id"]], "to": to});
    let answer = world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200).json;
    assert_eq!(answer["outcomes"]["sent"], 1, "{to}: {answer}");
    world.broker.take(queue).await;
}

/// Laravel, Symfony, ABP: a job waits in a queue with a time to live, and dies only then.
#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_job_died_where_it_was_rejected() {
    let world = World::start().await;
    let name = format!("shop-{}_mailer", id());
    let work = world.broker.declare_work_queue(&name, &world.source.name).await;
    let waits = [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&name)),
        ("x-message-ttl", milliseconds(50)),
        ("x-expires", milliseconds(5_000)),
    ];
    let delay = world.broker.declare_queue(&format!("{name}.delay.50"), &waits).await;
    for to in ["queue", "exchange"] {
        let message_id = id();
        world.broker.publish("", &delay.name, &DeadMessage::plain().id(&message_id)).await;
        world.broker.reject_next(&work.name).await;
        let search = format!("messageId={message_id}");
        crate::support::until("it is stored", || async {
            let answer = world.api().get(&format!("/dead-letters?{search}")).await;
            (answer.json["messages"].as_array()?.len() == 1).then_some(())
        })
        .await;
        let found = world.only(&search).await;
        assert_eq!([&found["queue"], &found["service"], &found["reason"]], [&name, "mailer", "rejected"]);
        assert_eq!([&found["exchange"], &found["routingKey"]], ["", &name]);
        assert_eq!((&found["originToldBy"], &found["attempts"]), (&json!("broker"), &json!(1)));
        redeliver(&world, &found, to, &work.name).await;
    }
    world.assert_counters_exact().await;
}

/// Exchanges and queues of Celery's native delayed delivery, of four levels instead of 28, and faster. A key is the bits of the delay,
/// the highest first, and then the task's own key.
async fn celery_levels(broker: &Broker, prefix: &str, work: &TestQueue) -> Vec<TestQueue> {
    const LEVELS: i32 = 4;
    let exchange = |level: i32| {
        let end = if level < 0 { "delivery".to_owned() } else { level.to_string() };
        format!("{prefix}_delayed_{end}")
    };
    let (channel, none) = (&broker.channel, FieldTable::default);
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    for level in -1..LEVELS {
        channel.exchange_declare(exchange(level).into(), ExchangeKind::Topic, options, none()).await.unwrap();
    }
    let mut queues = Vec::new();
    for level in 0..LEVELS {
        let arguments = [
            ("x-message-ttl", milliseconds(50 << level)),
            ("x-dead-letter-exchange", text(&exchange(level - 1))),
        ];
        queues.push(broker.declare_queue(&exchange(level), &arguments).await);
        let before = "*.".repeat(usize::try_from(LEVELS - 1 - level).unwrap());
        let (own, next) = (format!("{before}1.#"), format!("{before}0.#"));
        let bind = QueueBindOptions::default();
        channel
            .queue_bind(exchange(level).into(), exchange(level).into(), own.into(), bind, none())
            .await
            .unwrap();
        let bind = ExchangeBindOptions::default();
        channel
            .exchange_bind(exchange(level - 1).into(), exchange(level).into(), next.into(), bind, none())
            .await
            .unwrap();
    }
    let bind = QueueBindOptions::default();
    channel
        .queue_bind(work.name.as_str().into(), exchange(-1).into(), "#.payments".into(), bind, none())
        .await
        .unwrap();
    queues
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_celery_with_a_countdown_is_put_back_where_its_worker_gets_it() {
    let world = World::start().await;
    let prefix = format!("celery-{}", id());
    let work =
        world.broker.declare_work_queue(&format!("{prefix}-finance_payments"), &world.source.name).await;
    let levels = celery_levels(&world.broker, &prefix, &work).await;
    let task = DeadMessage::plain()
        .header("task", text("pay"))
        .header("id", text(&id()))
        .header("root_id", text("root"));
    // Two levels: it expires twice before its worker sees it.
    let options = BasicPublishOptions::default();
    let key = "0.1.0.1.payments";
    let publishing = world.broker.channel.basic_publish(
        levels[3].name.as_str().into(),
        key.into(),
        options,
        &task.body,
        task.with_headers(),
    );
    publishing.await.unwrap().await.unwrap();
    world.broker.reject_next(&work.name).await;
    world.until_stored(1).await;
    let found = world.only("convention=celery").await;
    assert_eq!([&found["queue"], &found["reason"]], [&work.name, "rejected"]);
    assert_eq!((&found["service"], &found["attempts"]), (&json!("payments"), &json!(1)));
    assert_eq!([&found["exchange"], &found["routingKey"]], [&format!("{prefix}_delayed_delivery"), key]);
    redeliver(&world, &found, "queue", &work.name).await;
}

/// Work rejects, a queue lets it wait and gives it back, work rejects for good.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_retry_loop_it_died_where_it_was_published_to() {
    let world = World::start().await;
    let name = format!("retry-{}_orders", id());
    let waits = [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&name)),
        ("x-message-ttl", milliseconds(50)),
    ];
    let retry = world.broker.declare_queue(&format!("{name}.retry"), &waits).await;
    let arguments = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&retry.name))];
    let work = world.broker.declare_queue(&name, &arguments).await;
    world.broker.publish("", &work.name, &DeadMessage::plain().id(&id())).await;
    world.broker.reject_next(&work.name).await;
    // It gives up, as Spring and others do: the second time it publishes the message, with its history, to the dead letters.
    let failed = world.broker.take(&work.name).await;
    let message = DeadMessage {
        headers: failed.properties.headers().clone().unwrap_or_default(),
        properties: failed.properties,
        body: failed.data,
    }
    .error("PaymentDeclined", "card expired")
    .header("dead-letter-origin-queue", text(&work.name));
    world.publish(message).await;
    world.until_stored(1).await;
    let found = world.only("service=orders").await;
    assert_eq!([&found["queue"], &found["service"], &found["originToldBy"]], [&name, "orders", "broker"]);
    assert_eq!([&found["exchange"], &found["routingKey"], &found["reason"]], ["", &name, "rejected"]);
    redeliver(&world, &found, "exchange", &work.name).await;
}

/// A forged origin is marked, plans warn of it, and settings keep a redelivery from following it.
#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_origin_is_followed_where_settings_allow_it_and_said() {
    let world = World::start_with(&[("DEAD_LETTER_ORIGIN_QUEUES", "shop-*,other")]).await;
    let name = format!("shop-{}_orders", id());
    let work = world.broker.declare_queue(&name, &[]).await;
    let victim = world.broker.declare_queue(&format!("payments-{}_execute", id()), &[]).await;
    for queue in [&work.name, &victim.name] {
        let forged =
            DeadMessage::plain().error("Failure", queue).header("dead-letter-origin-queue", text(queue));
        world.publish(forged).await;
    }
    world.until_stored(2).await;
    let honest = world.only("service=orders").await;
    assert_eq!([&honest["queue"], &honest["originToldBy"]], [&name, "message"]);
    let forged = world.only("service=unknown").await;
    assert_eq!([&forged["queue"], &forged["originToldBy"]], [&victim.name, "message"], "it is shown");
    assert!(forged["warning"].as_str().unwrap().contains("DEAD_LETTER_ORIGIN_QUEUES"), "{forged}");

    let all = json!({"kind": "redeliver", "ids": [honest["id"], forged["id"]]});
    let plan = world.api().post("/operations/plan", &all).await.assert(201).json;
    let warnings: Vec<_> = plan["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| warning["code"] == "origin_claimed")
        .map(|warning| (warning["severity"].as_str().unwrap(), warning["count"].as_i64()))
        .collect();
    assert_eq!(warnings, [("warning", Some(1)), ("note", Some(1))], "what is refused comes first: {plan}");
    let message =
        plan["warnings"].as_array().unwrap().iter().find(|warning| warning["code"] == "origin_claimed");
    assert!(message.unwrap()["message"].as_str().unwrap().contains("DEAD_LETTER_ORIGIN_QUEUES"), "{plan}");

    let answer = world
        .api()
        .post("/dead-letters/redeliver?wait=30", &json!({"ids": [honest["id"], forged["id"]]}))
        .await
        .assert(200)
        .json;
    assert_eq!((&answer["outcomes"]["sent"], &answer["outcomes"]["refused"]), (&json!(1), &json!(1)));
    let items = format!("/operations/{}/items?outcome=refused", answer["id"].as_str().unwrap());
    let items = world.api().get(&items).await.assert(200).json;
    let detail = items["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("DEAD_LETTER_ORIGIN_QUEUES") && detail.contains(&victim.name), "{items}");
    assert_eq!(world.broker.depth(&victim.name).await, 0);
    world.broker.take(&work.name).await;
    world.assert_counters_exact().await;
}
