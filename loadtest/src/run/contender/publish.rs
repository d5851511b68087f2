//! The limit of redelivery: messages that are in memory are published with confirms, and nothing else is done.

use std::collections::VecDeque;

use anyhow::{Result, ensure};
use lapin::options::QueueDeleteOptions;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Confirmation, PublisherConfirm};
use tokio::time::Instant;

use super::{WINDOW, until_at_rest};
use crate::amqp;
use crate::clock;
use crate::letters::Letters;
use crate::run::rounds::Run;
use crate::run::world::World;

/// Publishes so many messages into a new queue.
pub async fn run(world: &World, letters: &Letters, count: u64) -> Result<Run> {
    let connection = world.connect("publish").await?;
    let queue = world.queue(&connection, "published").await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let letters: Vec<_> = (0..count).map(|index| letters.letter(index, clock::unix_seconds())).collect();
    let key = amqp::short(&queue)?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };

    let processes = world.processes(None);
    until_at_rest(&processes).await;
    let (began, cpu) = (Instant::now(), processes.usage());
    let mut unconfirmed = VecDeque::with_capacity(WINDOW);
    for letter in letters {
        if unconfirmed.len() == WINDOW {
            confirmed(unconfirmed.pop_front()).await?;
        }
        let sent = channel.basic_publish("".into(), key.clone(), options, &letter.body, letter.properties);
        unconfirmed.push_back(sent.await?);
    }
    while !unconfirmed.is_empty() {
        confirmed(unconfirmed.pop_front()).await?;
    }
    let run = Run { messages: count, took: began.elapsed(), cpu: processes.usage() - cpu };

    amqp::until_depth(&channel, &queue, count).await?;
    channel.queue_delete(key, QueueDeleteOptions::default()).await?;
    amqp::close(&connection).await;
    Ok(run)
}

async fn confirmed(confirm: Option<PublisherConfirm>) -> Result<()> {
    let Some(confirm) = confirm else { return Ok(()) };
    let answer = confirm.await?;
    ensure!(matches!(answer, Confirmation::Ack(None)), "the broker did not take a message over: {answer:?}");
    Ok(())
}
