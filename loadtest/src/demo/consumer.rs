//! One service at one of its queues.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
    ConfirmSelectOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};
use tokio_util::sync::CancellationToken;

use super::dead_copy::{self, Reason};
use super::failure::{self, Failure};
use super::state::State;
use super::supervise::Supervisor;
use super::topology::{self, Place};
use crate::amqp;

/// Messages in hand: they are handled one after the other, so a few suffice to keep it busy.
const PREFETCH: u16 = 20;

/// Consumes until `stop`.
pub(super) async fn run(uri: String, place: &'static Place, state: Arc<State>, stop: CancellationToken) {
    let mut supervisor = Supervisor::new(place.queue, &stop);
    while supervisor.again(session(&uri, place, &state, &stop)).await {}
}

/// As long as one pair of connections lasts. There are two because the broker may block one that publishes, and acks
/// must not wait for that.
async fn session(uri: &str, place: &Place, state: &State, stop: &CancellationToken) -> Result<()> {
    let consuming = amqp::connect(uri, place.queue).await?;
    let publishing = amqp::connect(uri, place.queue).await?;
    let copies = publishing.create_channel().await?;
    copies.confirm_select(ConfirmSelectOptions::default()).await?;
    topology::declare(&consuming.create_channel().await?).await?;

    let desk = Desk { place, state, copies };
    while !stop.is_cancelled() {
        if place.closed_while_broken {
            tokio::select! {
                () = state.until(place.service, false) => {}
                () = stop.cancelled() => break,
            }
        }
        desk.consume(&consuming, stop).await?;
    }
    amqp::close(&consuming).await;
    amqp::close(&publishing).await;
    Ok(())
}

struct Desk<'a> {
    place: &'a Place,
    state: &'a State,
    /// The channel for copies of what failed.
    copies: Channel,
}

impl Desk<'_> {
    /// Until `stop`, or until the desk closes.
    async fn consume(&self, connection: &Connection, stop: &CancellationToken) -> Result<()> {
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let (queue, options) = (amqp::short(self.place.queue)?, BasicConsumeOptions::default());
        let tag = amqp::short(self.place.service.name())?;
        let mut deliveries = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        let closes = self.place.closed_while_broken;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.state.until(self.place.service, true), if closes => break,
                delivery = deliveries.next() => match delivery {
                    Some(delivery) => self.handle(delivery.context("lost the broker")?).await?,
                    None => bail!("the broker cancelled the consumer"),
                },
            }
        }
        // What is in hand goes back to the queue with the channel.
        channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
        channel.close(200, "bye".into()).await?;
        Ok(())
    }

    async fn handle(&self, delivery: Delivery) -> Result<()> {
        let service = self.place.service;
        let kind = delivery.properties.kind().as_ref().map_or("", |kind| kind.as_str());
        let failure =
            if self.state.is_broken(service) { failure::of(service, kind, &delivery.data) } else { None };
        let settled = match &failure {
            None => delivery.ack(BasicAckOptions::default()).await?,
            Some(Failure::Rejected) => delivery.reject(BasicRejectOptions { requeue: false }).await?,
            Some(Failure::Error { error_type, message, stack }) => {
                let reason = Reason { queue: self.place.queue, error_type, message, stack };
                dead_copy::publish(&self.copies, &delivery, &reason).await?;
                delivery.ack(BasicAckOptions::default()).await?
            }
        };
        // Not settled says that the message will come again, on the next connection.
        ensure!(settled, "lost the broker");
        if failure.is_some() {
            self.state.failed(service);
        } else {
            let message_id = delivery.properties.message_id().as_ref().map(ToString::to_string);
            self.state.handled(service, message_id, redelivery_id(&delivery));
        }
        Ok(())
    }
}

/// The header that dead-letter puts on what it redelivers.
fn redelivery_id(delivery: &Delivery) -> Option<String> {
    match delivery.properties.headers().as_ref()?.inner().get("dead-letter-redelivery-id")? {
        AMQPValue::LongString(id) => Some(id.to_string()),
        _ => None,
    }
}
