//! The limit of ingest: messages are consumed and acknowledged, and nothing else is done with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use futures_util::StreamExt;
use lapin::Connection;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::task::JoinHandle;

use super::{backlog, watch};
use crate::amqp;
use crate::letters::Letters;
use crate::run::rounds::Run;
use crate::run::world::World;

/// Each with a prefetch of its own: one connection alone is read by one thread.
const CONNECTIONS: usize = 2;
const PREFETCH: u16 = 2000;
/// One ack for so many.
const ACK_EVERY: u64 = 500;

/// Consumers that do nothing with what they get.
pub struct Bare {
    connections: Vec<Connection>,
    tasks: Vec<JoinHandle<Result<()>>>,
    /// Messages that came.
    pub consumed: Arc<AtomicU64>,
}

/// Fills a queue, and measures how fast it is emptied.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let connection = world.connect("consume").await?;
    let queue = backlog(world, &connection, letters, count).await?;
    let bare = Bare::start(world, &queue).await?;
    let consumed = || async { Ok(bare.consumed.load(Ordering::Relaxed)) };
    let run = watch(&world.processes(None), count, consumed).await?;
    bare.end().await;
    world.delete_queue(&connection, &queue).await?;
    Ok(run)
}

impl Bare {
    /// Consumes this queue.
    pub async fn start(world: &World, queue: &str) -> Result<Self> {
        let mut bare = Self { connections: Vec::new(), tasks: Vec::new(), consumed: Arc::default() };
        for _ in 0..CONNECTIONS {
            let connection = world.connect("bare consumer").await?;
            let channel = connection.create_channel().await?;
            channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
            let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
            let mut consumer = channel.basic_consume(amqp::short(queue)?, "".into(), options, table).await?;
            let consumed = Arc::clone(&bare.consumed);
            bare.connections.push(connection);
            bare.tasks.push(tokio::spawn(async move {
                let mut unacked = 0;
                while let Some(delivery) = consumer.next().await {
                    let tag = delivery?.delivery_tag;
                    unacked += 1;
                    consumed.fetch_add(1, Ordering::Relaxed);
                    if unacked == ACK_EVERY {
                        channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
                        unacked = 0;
                    }
                }
                Ok(())
            }));
        }
        Ok(bare)
    }

    /// Closes the connections.
    pub async fn end(self) {
        for connection in &self.connections {
            amqp::close(connection).await;
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}
