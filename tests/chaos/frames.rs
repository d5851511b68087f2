//! Frames that are longer than was agreed, and names that are no text: no consumer is wedged by them (rules R2, R4).

use dead_letter::domain::message::{Properties, Table, Value};
use dead_letter::domain::wire;
use serde_json::json;

use crate::poison::trial::Trial;
use crate::support::raw::{LONGEST_PROPERTIES, RawClient, RawMessage};
use crate::support::{Broker, DeadMessage, TestQueue, World, id};
use crate::table::Row;

/// Bytes that the longest properties are shorter by, or longer where negative: the broker takes eight more than was agreed.
const SHORTER: [i64; 9] = [1_000, 400, 200, 100, 9, 1, 0, -8, -9];
const TAKEN: i64 = -8;

/// A message with properties of exactly this length.
fn message_of(length: usize) -> RawMessage {
    let properties = |filler: usize| {
        let headers = Table(vec![(b"filler".to_vec(), Value::LongString(vec![b'x'; filler]))]);
        wire::encode(&Properties { headers: Some(headers), ..Properties::default() }).unwrap()
    };
    let overhead = properties(0).len();
    RawMessage { key: b"dead".to_vec(), properties: properties(length - overhead), body: id().into_bytes() }
}

/// Publishes one of each length to a queue, and lets it die there; says how many the broker took.
async fn let_die(world: &World, queue: &TestQueue) -> usize {
    let mut died = 0;
    for shorter in SHORTER {
        let length = usize::try_from(i64::try_from(LONGEST_PROPERTIES).unwrap() - shorter).unwrap();
        let mut publisher = RawClient::connect(&world.broker.url).await.unwrap();
        let mut message = message_of(length);
        message.key = queue.name.clone().into_bytes();
        let taken = publisher.publish(b"", &[message]).await.is_ok();
        assert_eq!(taken, shorter >= TAKEN, "properties of {length} bytes");
        if taken {
            // On a connection of its own, for the case that the broker ends it.
            world.broker.raw().await.reject_next(&queue.name).await.unwrap();
            died += 1;
        }
    }
    died
}

/// The broker adds to the headers of what dies, and sends them in one frame, whatever was agreed.
async fn headers_outgrow_the_frame(fault: &'static str, frame_max: usize) {
    let mut row = Row::new(fault, SHORTER.len());
    let mut trial = Trial::start_with_query(&format!("?heartbeat=300&frame_max={frame_max}"), &[]).await;
    let name = format!("work-{}_frames", id());
    let queue = trial.world.broker.declare_work_queue(&name, &trial.world.source.name).await;
    trial.publish(&Trial::neighbours(100)).await.unwrap();
    trial.published += let_die(&trial.world, &queue).await;
    trial.publish(&Trial::neighbours(100)).await.unwrap();
    trial.until_stored().await;
    let differences = trial.differences().await;
    row.must(differences == 0, format!("{differences} differ from what the broker delivers"));
    let longest: i32 = sqlx::query_scalar("SELECT max(octet_length(properties)) FROM dead_letter")
        .fetch_one(&trial.world.database.pool)
        .await
        .unwrap();
    row.figure("longest properties", longest);
    row.must(usize::try_from(longest).unwrap() > LONGEST_PROPERTIES, "none was longer than a frame");
    let poison = trial.poison().await;
    row.must(trial.unopened(&poison).await.is_empty(), "not all can be opened");
    let ids: Vec<String> = poison.into_iter().map(|(id, _)| id).collect();
    let back = trial.redeliver(&ids, json!("queue")).await;
    row.figure("put back", format!("{} sent, {} refused with a reason", back.sent, back.refused));
    row.must(back.unclear == 0, format!("{back:?}"));
    row.must(trial.goes_on().await, "the consumer does not go on");
    row.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_outgrow_the_frame_in_dying_are_stored() {
    headers_outgrow_the_frame("headers near and over the frame limit", 131_072).await;
}

/// With small frames agreed, such a header is longer than all the memory that the client set aside for reading.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_outgrow_the_read_buffer_are_stored() {
    if Broker::shared().await.version() >= (4, 1) {
        println!(
            "skipped: headers 32 times the frame limit: RabbitMQ 4.1 agrees on no frames of less than 8 KiB"
        );
        return;
    }
    headers_outgrow_the_frame("headers 32 times the frame limit", 4_096).await;
}

/// A name of an exchange is any text, and a routing key any bytes.
#[tokio::test(flavor = "multi_thread")]
async fn odd_names_wedge_no_consumer() {
    let exchanges = ["\0", "\u{202e}\u{10ffff}", &"ü".repeat(100), "'\"\\", "plain"];
    let keys: [&[u8]; 6] = [b"\xff\xfe", &[0xff; 255], b"\xed\xa0\x80", b"\0", "ü".as_bytes(), b""];
    let fault = "odd names of exchanges, routing keys that are not UTF-8";
    let mut row = Row::new(fault, exchanges.len() * keys.len());
    let mut trial = Trial::start(&[]).await;
    let mut publisher = RawClient::connect(&trial.world.broker.url).await.unwrap();
    for name in exchanges {
        let exchange = format!("{}{name}", id()).into_bytes();
        publisher.declare_fanout_to(&exchange, &trial.world.source.name).await.unwrap();
        let keyed = |key: &&[u8]| RawMessage { key: key.to_vec(), ..Trial::neighbours(1).remove(0) };
        let messages: Vec<_> = keys.iter().map(keyed).collect();
        publisher.publish(&exchange, &messages).await.unwrap();
        trial.published += messages.len();
        trial.until_stored().await;
        publisher.delete_exchange(&exchange).await.unwrap();
    }
    let differences = trial.differences().await;
    row.must(differences == 0, format!("{differences} differ from what the broker delivers"));
    row.must(trial.goes_on().await, "the consumer does not go on");
    row.finish();
}

/// The broker cuts its words to 255 bytes, be it in the middle of a character.
#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_is_cut_within_a_character_is_a_reason() {
    let mut row = Row::new("the broker's words cut within a character", 2);
    let world = World::start().await;
    world.publish(DeadMessage::new(&id(), "words_service")).await;
    world.until_stored(1).await;
    let letter = world.only("service=service").await;
    for exchange in ["ü".repeat(120), format!("a{}", "ü".repeat(120))] {
        let request = json!({"ids": [letter["id"]], "to": {"exchange": exchange, "routingKey": ""}});
        let operation = world.api().post("/dead-letters/redeliver?wait=20", &request).await.json;
        row.must(operation["outcomes"]["refused"] == 1, operation.to_string());
    }
    row.finish();
}
