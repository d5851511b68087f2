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
/// How long they are looked at,
const REST: Duration = Duration::from_millis(500);
/// and how much of a processor servers may use that have nothing to do.
const MOST_AT_REST: f64 = 0.1;
const AT_REST_WITHIN: Duration = Duration::from_secs(30);
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
    until_at_rest(&world.processes(None)).await;
    Ok(queue)
}

/// Waits until broker and database have finished what the run before left them to do: a broker that was just given a backlog still
/// writes it from its log into its segments, and whoever is measured meanwhile pays for that.
async fn until_at_rest(processes: &Processes) {
    let begun = Instant::now();
    let mut before = processes.usage();
    while begun.elapsed() < AT_REST_WITHIN {
        sleep(REST).await;
        let now = processes.usage();
        let used = now - before;
        if used.broker + used.database < REST.as_secs_f64() * MOST_AT_REST {
            return;
        }
        before = now;
    }
    eprintln!("broker and database are not at rest after {} s", AT_REST_WITHIN.as_secs());
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
