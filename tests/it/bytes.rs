//! The bytes are the truth (rule R4): what AMQP allows and text does not.

use dead_letter::amqp::codec;
use dead_letter::domain::message::{Properties, Table, Value};
use lapin::BasicProperties;
use lapin::protocol::basic::parse_deliver;
use serde_json::json;

use crate::support::{DeadMessage, World, id};

/// R4: what is no text, what stands there twice, and in what order; there and back.
#[tokio::test(flavor = "multi_thread")]
async fn properties_that_are_not_utf8_come_in_and_go_out_as_they_are() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_bytes", id()), &world.source.name).await;
    let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    // In the order that the broker gives them when a message dies.
    let headers = vec![
        (b"a".to_vec(), Value::Table(Table(vec![(vec![0xff], Value::Void)]))),
        (b"twin".to_vec(), Value::text("first")),
        (b"twin".to_vec(), Value::text("second")),
        (latin1("zähler"), Value::I8(1)),
    ];
    let properties = Properties {
        headers: Some(Table(headers.clone())),
        message_id: Some(latin1("Bestellung für 4711")),
        correlation_id: Some(vec![0xff, 0xfe]),
        kind: Some(latin1("Übung")),
        ..Properties::default()
    };
    let wire = codec::encode(&properties).unwrap();
    let message = DeadMessage::plain().properties(|_| BasicProperties::from_wire(wire.clone()));
    world.broker.publish("", &queue.name, &message).await;
    world.broker.reject_next(&queue.name).await;
    // One that the broker has nothing to add to.
    world.publish(message).await;
    world.until_stored(2).await;
    // The one that died has `x-death` beside the rest.
    let by_length = "SELECT properties FROM dead_letter ORDER BY octet_length(properties)";
    let stored: Vec<Vec<u8>> = sqlx::query_scalar(by_length).fetch_all(&world.database.pool).await.unwrap();
    assert_eq!(stored[0], wire);
    let died = codec::decode(&stored[1]).unwrap();
    assert_eq!([&died.message_id, &died.kind], [&properties.message_id, &properties.kind]);

    let found = world.only("service=bytes").await;
    assert_eq!(found["messageId"], "Bestellung f\u{fffd}r 4711");
    let operation = json!({"ids": [found["id"]]});
    world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200);
    let again = world.broker.take(&queue.name).await;
    let came = codec::decode(again.properties.wire().unwrap()).unwrap();
    assert_eq!(
        [&came.message_id, &came.correlation_id, &came.kind],
        [&properties.message_id, &properties.correlation_id, &properties.kind]
    );
    let came = came.headers.unwrap().0;
    let kept: Vec<_> =
        came.into_iter().filter(|(name, _)| headers.iter().any(|(one, _)| one == name)).collect();
    assert_eq!(kept, headers);
}

/// A publisher may choose any bytes for a routing key; the consumer that gets it must not stumble.
#[test]
fn a_routing_key_that_is_not_utf8_can_be_received() {
    let deliver = [&[1, b't'][..], &7_u64.to_be_bytes(), &[0], &[0], &[3, b'k', 0xe4, b'y']].concat();
    let (rest, deliver) = parse_deliver(deliver.as_slice()).unwrap();
    assert!(rest.is_empty());
    assert_eq!((deliver.delivery_tag, deliver.routing_key.as_str()), (7, "k?y"));
}
