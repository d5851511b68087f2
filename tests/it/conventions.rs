//! Failure conventions: a message as a library leaves it in its error queue, stored, put back, and back at a consumer.

use dead_letter::domain::wire;
use serde_json::json;

use crate::support::{DeadMessage, TestQueue, World, id, text};

async fn work_queue(world: &World) -> TestQueue {
    world.broker.declare_queue(&format!("work-{}_shop", id()), &[]).await
}

/// R4, R7: headers that tell of the failure are taken off, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_copy_goes_back_to_its_queue_without_its_failure() {
    let world = World::start().await;
    let queue = work_queue(&world).await;
    let address = format!("rabbitmq://localhost/{}?durable=true", queue.name);
    let failed = DeadMessage::plain()
        .id("m-1")
        .body(br#"{"message":{"order":7}}"#)
        .header("MT-Reason", text("fault"))
        .header("MT-Fault-InputAddress", text(&address))
        .header("MT-Fault-ExceptionType", text("Shop.PaymentDeclined"))
        .header("MT-Fault-Message", text("card expired"))
        .header("MT-Fault-Timestamp", text("2026-11-23T00:00:00.5000000Z"))
        .header("MT-Activity-Id", text("00-1-2-01"));
    world.publish(failed.clone()).await;
    // The same death, delivered again.
    world.publish(failed).await;
    world.until_source_empty().await;
    world.until_stored(1).await;

    let found = world.only("service=shop").await;
    assert_eq!(found["convention"], "masstransit");
    assert_eq!(found["queue"], queue.name);
    assert_eq!(found["errorType"], "Shop.PaymentDeclined");
    assert_eq!(found["errorMessage"], "card expired");
    assert_eq!(found["diedAt"], "2026-11-23T00:00:00.500Z");
    assert_eq!(found["warning"], json!(null));

    let operation = json!({"filter": {"convention": "masstransit"}});
    world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200);
    let again = world.broker.raw().await.take(&queue.name).await.unwrap();
    assert_eq!(again.body, br#"{"message":{"order":7}}"#);
    let came = wire::decode(&again.properties).unwrap();
    let mut names: Vec<_> = came.headers.unwrap().0.into_iter().map(|(name, _)| name).collect();
    // The broker's own, of this delivery.
    names.retain(|name| name != b"x-delivery-count");
    names.sort();
    let expected =
        ["MT-Activity-Id", "dead-letter-deaths", "dead-letter-redelivery-count", "dead-letter-redelivery-id"];
    assert_eq!(names, expected.map(|name| name.as_bytes().to_vec()));
    world.assert_counters_exact().await;
}

/// R4, R7: an envelope is kept as it came, and what it holds is what goes back; its return is known.
#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_is_unwrapped_on_the_way_back() {
    let world = World::start().await;
    let queue = work_queue(&world).await;
    let envelope = |headers: serde_json::Value| {
        let body = json!({
            "RoutingKey": "orders.placed", "Exchange": "shop", "Queue": queue.name,
            "Exception": "Shop.PaymentDeclined: card expired\n   at Shop.Main()",
            "Message": "{\"order\":7}", "DateTime": "2026-11-23T00:00:00.5Z",
            "BasicProperties": {"ContentType": "application/json", "MessageId": "m-1", "Headers": headers},
        });
        DeadMessage::plain()
            .body(body.to_string())
            .properties(|properties| properties.with_type("EasyNetQ.SystemMessages.Error, EasyNetQ".into()))
    };
    world.publish(envelope(json!({}))).await;
    world.until_stored(1).await;
    let found = world.only("service=shop&messageId=m-1").await;
    assert_eq!(found["convention"], "easynetq");
    assert_eq!(found["errorType"], "Shop.PaymentDeclined");

    let operation = json!({"ids": [found["id"]]});
    world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200);
    let again = world.broker.raw().await.take(&queue.name).await.unwrap();
    assert_eq!(again.body, br#"{"order":7}"#);
    let came = wire::decode(&again.properties).unwrap();
    assert_eq!(came.content_type.as_deref(), Some(b"application/json".as_slice()));
    assert_eq!(came.message_id.as_deref(), Some(b"m-1".as_slice()));
    let redelivery = came.header_text("dead-letter-redelivery-id").unwrap().into_owned();

    // It fails again, and is wrapped again with the headers that it bears now.
    let headers = json!({"dead-letter-redelivery-id": redelivery, "dead-letter-redelivery-count": "1"});
    world.publish(envelope(headers)).await;
    world.until_stored(2).await;
    let returned = world.only("service=shop").await;
    assert_eq!(returned["redeliveryId"], redelivery);
    let path = format!("/dead-letters/{}", returned["id"].as_str().unwrap());
    let whole = world.api().get(&path).await.assert(200).json;
    assert_eq!(whole["history"]["deaths"].as_array().unwrap().len(), 2, "{whole}");
}

/// What is half there, of the wrong type, or huge costs nothing but what it would have told.
#[tokio::test(flavor = "multi_thread")]
async fn a_framework_s_headers_that_cannot_be_read_are_said_and_kept() {
    let world = World::start().await;
    let huge = "at Shop.Main()\n".repeat(70_000);
    let failed = DeadMessage::plain()
        .body(huge)
        .header("NServiceBus.FailedQ", text("nowhere_shop"))
        .header("NServiceBus.TimeOfFailure", text("yesterday"))
        .header("NServiceBus.ExceptionInfo.Message", lapin::types::AMQPValue::Boolean(true));
    world.publish(failed).await;
    world.until_stored(1).await;
    let found = world.only("service=shop").await;
    assert_eq!(found["convention"], "nservicebus");
    let warning = "nservicebus: cannot be read: NServiceBus.ExceptionInfo.Message, NServiceBus.TimeOfFailure";
    assert_eq!(found["warning"], warning);
    let operation = json!({"ids": [found["id"]]});
    let answer = world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200).json;
    assert_eq!(answer["outcomes"]["refused"], 1, "the queue that it claims is not there: {answer}");
}
