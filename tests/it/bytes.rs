//! The bytes are the truth (rule R4): what AMQP allows and text does not.

use std::io::Write;

use dead_letter::domain::message::{Properties, Table, Value};
use dead_letter::domain::wire;
use serde_json::json;

use crate::support::raw::RawMessage;
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
    let wire = wire::encode(&properties).unwrap();
    let message = |key: &str| RawMessage {
        key: key.as_bytes().to_vec(),
        properties: wire.clone(),
        body: b"body".to_vec(),
    };
    let mut raw = world.broker.raw().await;
    raw.publish(b"", &[message(&queue.name)]).await.unwrap();
    world.broker.raw().await.reject_next(&queue.name).await.unwrap();
    // One that the broker has nothing to add to.
    raw.publish(world.source.name.as_bytes(), &[message("dead")]).await.unwrap();
    world.until_stored(2).await;
    // The one that died has `x-death` beside the rest.
    let by_length = "SELECT properties FROM dead_letter ORDER BY octet_length(properties)";
    let stored: Vec<Vec<u8>> = sqlx::query_scalar(by_length).fetch_all(&world.database.pool).await.unwrap();
    // Of two headers of one name RabbitMQ 4 keeps the first, on each way in.
    let mut left = headers.clone();
    if world.broker.major() >= 4 {
        left.dedup_by(|second, first| second.0 == first.0);
    }
    let passed_on = Properties { headers: Some(Table(left.clone())), ..properties.clone() };
    assert_eq!(stored[0], wire::encode(&passed_on).unwrap());
    let died = wire::decode(&stored[1]).unwrap();
    assert_eq!([&died.message_id, &died.kind], [&properties.message_id, &properties.kind]);

    let found = world.only("service=bytes").await;
    assert_eq!(found["messageId"], "Bestellung f\u{fffd}r 4711");
    let operation = json!({"ids": [found["id"]]});
    world.api().post("/dead-letters/redeliver?wait=30", &operation).await.assert(200);
    let again = world.broker.raw().await.take(&queue.name).await.unwrap();
    let came = wire::decode(&again.properties).unwrap();
    assert_eq!(
        [&came.message_id, &came.correlation_id, &came.kind],
        [&properties.message_id, &properties.correlation_id, &properties.kind]
    );
    let came = came.headers.unwrap().0;
    let kept: Vec<_> =
        came.into_iter().filter(|(name, _)| headers.iter().any(|(one, _)| one == name)).collect();
    assert_eq!(kept, left);
}

/// A compressed body stays as it is, and is shown, searched and addressed by path as what it says.
#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_shown_and_searched_decoded() {
    let world = World::start().await;
    let plain = format!(
        "{{\"order\":{{\"id\":4711}},\"to\":\"Ørsted\",\"lines\":\"{}\",\"end\":\"mark\"}}",
        "x".repeat(200_000)
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(plain.as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(plain.as_bytes()).unwrap();
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    raw.write_all(plain.as_bytes()).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let bodies = [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("zstd", ruzstd::encoding::compress_to_vec(plain.as_bytes(), level)),
    ];
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b'{'; 32 << 20]).unwrap();
    let broken = [
        ("gzip", b"no gzip".to_vec()),
        ("zstd", vec![0x28, 0xb5, 0x2f, 0xfd, 0, 200]),
        ("gzip", bomb.finish().unwrap()),
    ];
    for (number, (coding, body)) in bodies.iter().chain(&broken).enumerate() {
        let letter = DeadMessage::new(&format!("m-{number}"), "work_shop").body(body.clone());
        world.publish(letter.properties(|p| p.with_content_encoding((*coding).into()))).await;
    }
    world.until_stored(7).await;
    for filter in [
        "contains=mark",
        "contains=%C3%98rsted",
        "body.order.id=4711",
        "find=mark%22",
        "contains=mark&body.end=mark",
    ] {
        let found = world.api().get(&format!("/dead-letters?{filter}")).await.assert(200).json;
        assert_eq!(found["total"], json!({"value": bodies.len(), "relation": "eq"}), "{filter}");
    }
    for (number, (coding, body)) in bodies.iter().enumerate() {
        let id = world.only(&format!("messageId=m-{number}")).await["id"].as_str().unwrap().to_owned();
        let shown = world.api().get(&format!("/dead-letters/{id}")).await.assert(200).json["body"].clone();
        assert_eq!((&shown["decodedFrom"], &shown["truncated"]), (&json!(coding), &json!(true)));
        assert!(
            shown["encoding"] == "text" && plain.starts_with(shown["content"].as_str().unwrap()),
            "{shown}"
        );
        assert_eq!(shown["content"].as_str().unwrap().len(), 64 << 10);
        assert_eq!(&world.api().get(&format!("/dead-letters/{id}/body")).await.assert(200).bytes, body);
    }
    let id = world.only("messageId=m-4").await["id"].as_str().unwrap().to_owned();
    let shown = world.api().get(&format!("/dead-letters/{id}")).await.assert(200).json["body"].clone();
    assert_eq!((&shown["decodedFrom"], &shown["content"]), (&json!(null), &json!("no gzip")));
}
