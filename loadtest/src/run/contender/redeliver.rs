//! dead-letter puts stored messages back, with confirms.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{LOOK, backlog, until_at_rest, watch};
use crate::amqp;
use crate::figures::whole;
use crate::letters::Letters;
use crate::run::rounds::Run;
use crate::run::world::World;

/// Freezing a selection takes a moment; doing it, a while.
const COMPLETE_WITHIN: Duration = Duration::from_mins(10);

/// Stores so many messages, and measures how long all of them take to be in a queue again: the freezing of the selection,
/// the publishing, and the recording of what became of each.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let database = world.database().await?;
    let connection = world.connect("redeliver").await?;
    let from = backlog(world, &connection, letters, count).await?;
    let to = world.queue(&connection, "redelivered").await?;
    let service = world.service(&from, &database, &[]).await?;
    let processes = world.processes(Some(&service));
    let stored = || async { Ok(whole(service.metric("dead_letter_ingested_total").await?)) };
    watch(&processes, count, stored).await?;
    until_at_rest(&processes).await;

    let (began, cpu) = (Instant::now(), processes.usage());
    // Nobody consumes the queue: all of them are to be in it at the end, which its default bound would keep from happening.
    let target = json!({ "exchange": "", "routingKey": to });
    let request = json!({ "filter": {}, "all": true, "to": target, "maxQueueDepth": 0 });
    let operation = service.post("/dead-letters/redeliver", &request).await?;
    let path = format!("/operations/{}", operation["id"].as_str().context("an operation without an id")?);
    let ended = loop {
        let operation = service.get(&path).await?;
        if operation["state"] == "completed" {
            break operation;
        }
        ensure!(operation["state"] != "waiting", "nobody will end its waiting: {operation}");
        ensure!(began.elapsed() < COMPLETE_WITHIN, "the operation does not end: {operation}");
        sleep(LOOK).await;
    };
    let run = Run { messages: count, took: began.elapsed(), cpu: processes.usage() - cpu };

    ensure!(ended["outcomes"]["sent"].as_u64() == Some(count), "not all was sent: {ended}");
    let channel = connection.create_channel().await?;
    amqp::until_depth(&channel, &to, count).await?;
    service.stop().await?;
    for queue in [&from, &to] {
        world.delete_queue(&connection, queue).await?;
    }
    world.drop_database(&database).await?;
    Ok(run)
}
