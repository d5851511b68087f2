//! What one caller does must not keep others waiting.

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, World};

/// A thousand callers who begin a request and do not end it keep nobody else waiting, and are shown out.
#[tokio::test(flavor = "multi_thread")]
async fn slow_callers_are_shown_out() {
    let world = World::start().await;
    let address = world.api().url().replace("http://", "");
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        let mut caller = TcpStream::connect(&address).await.unwrap();
        caller.write_all(b"GET /dead-letters HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
        slow.push(caller);
    }
    world.api().get_once("/dead-letters").await.assert(200);
    for mut caller in slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(DEADLINE, caller.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection was not ended");
    }
    world.api().get_once("/dead-letters").await.assert(200);
}

/// A caller must not make up values of labels.
#[tokio::test(flavor = "multi_thread")]
async fn made_up_methods_are_one_label() {
    let world = World::start().await;
    for number in 0..20 {
        let method = Method::from_bytes(format!("MADEUP{number}").as_bytes()).unwrap();
        world.api().send(world.api().request(method, "/dead-letters")).await.assert(405);
    }
    let metrics = String::from_utf8(world.service.admin.get("/metrics").await.bytes).unwrap();
    assert!(metrics.contains("_OTHER") && !metrics.contains("MADEUP"), "{metrics}");
}
