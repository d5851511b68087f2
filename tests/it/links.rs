//! Links from a dead letter to what other systems know of it.

use serde_json::json;

use crate::support::{DeadMessage, World, id, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_links_to_its_logs_and_its_trace() {
    let settings = [
        ("DEAD_LETTER_LOG_LINK", "https://logs.example.com/?q={messageId}"),
        ("DEAD_LETTER_TRACE_LINK", "https://traces.example.com/{traceId}?span={spanId}"),
    ];
    let world = World::start_with(&settings).await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (traced, broken) = (id(), id());
    let letter = |id: &str| DeadMessage::new(id, "work_webshop");
    world.publish(letter(&traced).header("traceparent", text(traceparent))).await;
    world.publish(letter(&broken).header("traceparent", text("javascript:alert(1)"))).await;
    world.until_stored(2).await;
    for (message, trace) in [
        (traced, json!("https://traces.example.com/4bf92f3577b34da6a3ce929d0e0e4736?span=00f067aa0ba902b7")),
        (broken, json!(null)),
    ] {
        let found = world.api().get(&format!("/dead-letters?messageId={message}")).await.assert(200).json;
        let id = found["messages"][0]["id"].as_str().unwrap();
        let whole = world.api().get(&format!("/dead-letters/{id}")).await.assert(200).json;
        assert_eq!(whole["logLink"], format!("https://logs.example.com/?q={message}"));
        assert_eq!(whole["traceLink"], trace);
    }
}
