//! What is measured against what: dead-letter, the limits of the machine, and the peers.

pub mod consume;
pub mod copy;
pub mod drain;
pub mod publish;
pub mod python;
pub mod redeliver;
pub mod shovel;

use std::time::Duration;

use anyhow::{Result, ensure};
use lapin::Connection;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::cpu::Processes;
use super::rounds::Run;
use super::world::World;
use crate::amqp;
use crate::letters::Letters;
use crate::pace::Pace;
use crate::publish::{Plan, Share, Tally, run as publish_paced, with_progress};

/// No contender stands still for so long, unless it is stuck.
const STUCK: Duration = Duration::from_mins(1);
/// Between two looks at how far one is.
const LOOK: Duration = Duration::from_millis(50);
/// Unconfirmed messages at one time.
pub const WINDOW: usize = 1000;

/// A backlog of this many messages in a new queue.
pub async fn backlog(
    world: &World,
    connection: &Connection,
    letters: &Letters,
    count: u64,
) -> Result<String> {
    let queue = world.queue(connection, "backlog").await?;
    fill(connection, &queue, letters, count).await?;
    Ok(queue)
}

/// Publishes so many messages into a queue, as fast as they are confirmed.
async fn fill(connection: &Connection, queue: &str, letters: &Letters, count: u64) -> Result<()> {
    let channel = connection.create_channel().await?;
    let plan = Plan {
        exchange: String::new(),
        routing_key: Some(queue.to_owned()),
        pace: Pace { spacing: Duration::ZERO, count },
        share: Share::ALL,
        window: Some(WINDOW),
        samples: None,
    };
    let tally = Tally::default();
    let stop = CancellationToken::new();
    with_progress(&tally, publish_paced(&channel, letters, &plan, &tally, &stop)).await?;
    let counts = tally.counts();
    ensure!(
        counts.confirmed == count,
        "only {} of {count} messages of the backlog were confirmed",
        counts.confirmed
    );
    amqp::until_depth(&channel, queue, count).await
}

/// Looks at a count until it has reached `wanted`, and measures from the first look at which something had moved; where all had,
/// from the beginning. Fails when it stands still for too long.
async fn watch<F, R>(processes: &Processes, wanted: u64, mut look: F) -> Result<Run>
where
    F: FnMut() -> R,
    R: Future<Output = Result<u64>>,
{
    let mut first = None;
    let begun = (Instant::now(), 0, processes.usage());
    let (mut last, mut moved) = (0, begun.0);
    loop {
        let now = look().await?;
        let at = Instant::now();
        if now > last {
            first.get_or_insert_with(|| if now < wanted { (at, now, processes.usage()) } else { begun });
            (last, moved) = (now, at);
        }
        if let Some((began, before, cpu)) = first
            && now >= wanted
        {
            return Ok(Run { messages: now - before, took: at - began, cpu: processes.usage() - cpu });
        }
        ensure!(moved.elapsed() < STUCK, "nothing has moved for {} s: {last} of {wanted}", STUCK.as_secs());
        sleep(LOOK).await;
    }
}
