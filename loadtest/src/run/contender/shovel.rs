//! RabbitMQ's own Shovel, which people use to move a backlog: from one queue to another, confirmed before acknowledged.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::{WINDOW, backlog, watch};
use crate::amqp;
use crate::letters::Letters;
use crate::run::rounds::Run;
use crate::run::world::World;

/// Fills a queue, and measures how fast the Shovel moves it. The node's share of the processor includes the Shovel's.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let connection = world.connect("shovel").await?;
    let from = backlog(world, &connection, letters, count).await?;
    let to = world.queue(&connection, "shovelled").await?;
    let definition = json!({
        "src-protocol": "amqp091", "src-uri": world.amqp_url, "src-queue": from, "src-prefetch-count": WINDOW,
        "dest-protocol": "amqp091", "dest-uri": world.amqp_url, "dest-queue": to, "ack-mode": "on-confirm",
    });
    world
        .rabbitmqctl(&["set_parameter", "shovel", "loadtest", &definition.to_string()])
        .await
        .context("the Shovel could not be started: is the plugin rabbitmq_shovel enabled?")?;
    let channel = connection.create_channel().await?;
    let moved = || async { Ok(u64::from(amqp::depth(&channel, &to).await?)) };
    let run = watch(&world.processes(None), count, moved).await?;
    world.rabbitmqctl(&["clear_parameter", "shovel", "loadtest"]).await?;
    // It ends a moment after its definition; until then it would declare the queue again.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.delete_queue(&connection, &from).await?;
    world.delete_queue(&connection, &to).await?;
    Ok(run)
}
