//! Clients that generators made of the `OpenAPI` document, used against the service.
//!
//! They need Python and Node: `make generated` installs what they consist of and runs the tests, which are ignored otherwise.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{DeadMessage, World, id};

/// Where the clients are.
fn generated() -> PathBuf {
    std::env::var("GENERATED").expect("make generated").into()
}

/// Has a client redeliver one dead letter.
async fn redelivers(program: &Path, script: &Path) {
    let world = World::start().await;
    let service = format!("shop{}", &id()[..8]);
    let queue = world.broker.declare_queue(&format!("orders_{service}"), &[]).await;
    let message = DeadMessage::new(&id(), &queue.name)
        .body(r#"{"order":1}"#)
        .properties(|p| p.with_content_type("application/json".into()));
    world.publish(message).await;
    world.until_stored(1).await;
    let mut command = Command::new(program);
    command
        .arg(script)
        .args([world.api().url(), service])
        .env("PYTHONPATH", generated())
        .stderr(Stdio::inherit());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{}: {printed}", ended.status);
    assert_eq!(printed.trim(), "redelivered");
    let taken = world.broker.take(&queue.name).await;
    assert_eq!(taken.data, br#"{"order":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its client: make generated"]
async fn python() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated/follow.py");
    redelivers(&generated().join("python/bin/python"), &script).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its client: make generated"]
async fn typescript() {
    let script = generated().join("typescript/built/follow.mjs");
    // It is left out where there is no Node.js for it.
    if script.exists() {
        redelivers(Path::new("node"), &script).await;
    }
}
