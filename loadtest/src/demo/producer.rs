//! The shop front: publishes what happens, a few times a second.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lapin::options::ConfirmSelectOptions;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::events::{Event, customer_event, order_event};
use super::service::Service;
use super::state::State;
use super::supervise::Supervisor;
use super::{Options, dead_copy, topology};
use crate::amqp::{self, text};
use crate::clock;

/// Publishes until `stop`.
pub(super) async fn run(options: Options, state: Arc<State>, stop: CancellationToken) {
    let mut front = Front {
        rng: StdRng::seed_from_u64(options.seed.unwrap_or_else(rand::random)),
        backlog: options.backlog,
        orders_next: true,
        state,
    };
    // Two services, so twice the rate. A rate of nothing leaves the backlog alone.
    let spacing = Duration::try_from_secs_f64(0.5 / options.rate).unwrap_or(Duration::MAX);
    let mut supervisor = Supervisor::new("producer", &stop);
    while supervisor.again(front.session(&options.uri, spacing, &stop)).await {}
}

struct Front {
    rng: StdRng,
    /// Messages that are still to be published at once.
    backlog: u32,
    orders_next: bool,
    state: Arc<State>,
}

impl Front {
    async fn session(&mut self, uri: &str, spacing: Duration, stop: &CancellationToken) -> Result<()> {
        let connection = amqp::connect(uri, "demo-producer").await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        topology::declare(&channel).await?;
        while self.backlog > 0 && !stop.is_cancelled() {
            self.publish_next(&channel).await?;
            self.backlog -= 1;
        }
        let mut ticks = interval(spacing.clamp(Duration::from_millis(1), Duration::from_hours(1)));
        // After an outage there is no rush to catch up.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.publish_next(&channel).await?;
        }
        amqp::close(&connection).await;
        Ok(())
    }

    async fn publish_next(&mut self, channel: &Channel) -> Result<()> {
        let (service, event) = if self.orders_next {
            (Service::Webshop, order_event(&mut self.rng))
        } else {
            (Service::Notification, customer_event(&mut self.rng))
        };
        self.orders_next = !self.orders_next;
        let routing_key = event.kind;
        let properties = properties(&event);
        let mut body = event.body;
        body["occurredAt"] = clock::rfc3339().into();
        let bytes = serde_json::to_vec(&body)?;
        dead_copy::publish_confirmed(channel, event.exchange, routing_key, &bytes, properties).await?;
        self.state.published(service);
        Ok(())
    }
}

/// Ids are always new, whatever the seed: two messages with one id would be taken for one.
fn properties(event: &Event) -> BasicProperties {
    let mut rng = rand::rng();
    let traceparent = format!("00-{:032x}-{:016x}-01", rng.random::<u128>(), rng.random::<u64>());
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), text(traceparent));
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_message_id(Uuid::new_v4().to_string().into())
        .with_correlation_id(Uuid::new_v4().to_string().into())
        .with_type(event.kind.into())
        .with_app_id(event.publisher.into())
        .with_timestamp(clock::unix_seconds())
        .with_headers(headers);
    match event.expiration {
        Some(expiration) => properties.with_expiration(expiration.into()),
        None => properties,
    }
}
