//! Delivers the outbox.
//!
//! A notification is leased and the lease is committed before it is sent, so that of several replicas one sends it, and a replica that
//! is killed in between leaves it to others. After the receiver has confirmed it, nothing but the record is repeated: this process tries
//! to write it down until it has.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::Live;
use super::channel::{Courier, Letter};
use crate::clock;
use crate::domain::incident::Notice;
use crate::store::{Leased, Store, StoreError};
use crate::telemetry::{Metrics, NotificationTried, Tried};

/// Between two looks at the outbox.
const INTERVAL: Duration = Duration::from_millis(500);
/// Notifications that are sent beside each other.
const AT_ONCE: usize = 32;
/// How long a notification is left to the replica that sends it: longer than a receiver may take to confirm it.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// After the first failure. Each further one doubles it.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(5);
/// Longest time between two attempts.
const LONGEST_RETRY: TimeDelta = TimeDelta::minutes(10);
/// Bytes of an error that are kept.
const MOST_OF_ERROR: usize = 300;
/// Between two attempts to write down that a notification was sent.
const RECORD_RETRY: Duration = Duration::from_millis(200);

/// Sends what is in the outbox.
#[derive(Clone, Debug)]
pub struct Deliverer {
    /// The database.
    pub store: Store,
    /// The channels.
    pub routes: Live,
    /// What channels send with.
    pub courier: Courier,
    /// Public address of the console.
    pub console: Option<Arc<str>>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the process is to stop.
    pub stop: CancellationToken,
}

/// Delivers until the process stops. What is being sent then is finished. A receiver that does not answer holds nobody else up.
pub async fn deliver(deliverer: Deliverer) -> anyhow::Result<()> {
    let (deliverer, stop, mut failing) = (Arc::new(deliverer.clone()), deliverer.stop, false);
    let mut sending = JoinSet::new();
    while stop.run_until_cancelled(tokio::time::sleep(clock::jittered(INTERVAL))).await.is_some() {
        while let Some(ended) = sending.try_join_next() {
            ended?;
        }
        let lease = clock::new_id();
        match deliverer.lease(lease, AT_ONCE - sending.len()).await {
            Ok(leased) => {
                failing = false;
                for notification in leased {
                    let deliverer = Arc::clone(&deliverer);
                    sending.spawn(async move { deliverer.deliver(lease, &notification).await });
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "notifications wait for the database");
                }
            }
        }
    }
    while let Some(ended) = sending.join_next().await {
        ended?;
    }
    Ok(())
}

impl Deliverer {
    async fn lease(&self, lease: Uuid, limit: usize) -> Result<Vec<Leased>, StoreError> {
        let (limit, now) = (i64::try_from(limit).unwrap_or(0), clock::now());
        self.store.lease_notifications(lease, now + LEASE, now, limit).await
    }

    /// Tries once. What cannot be recorded is tried again when the lease has run out.
    async fn deliver(&self, lease: Uuid, notification: &Leased) {
        let sent = self.send(notification).await;
        let why = sent.err().map(|error| shortened(format!("{error:#}")));
        let now = clock::now();
        let is_given_up = now - notification.wanted_at >= self.routes.now().give_up_after();
        let tried = match &why {
            None => Tried::Sent,
            Some(why) if is_given_up => Tried::GivenUp(why),
            Some(why) => Tried::Failed(why),
        };
        let recorded = match &why {
            None => self.record(notification.id).await,
            Some(why) => {
                let retry_at = (!is_given_up).then(|| now + retry_after(notification.attempts));
                self.store.notification_not_sent(notification.id, lease, why, retry_at, now).await
            }
        };
        let (id, incident) = (notification.id, notification.incident.id);
        let attempts = notification.attempts;
        NotificationTried { id, incident, channel: &notification.channel, attempts, tried }
            .emit(&self.metrics);
        if let Err(error) = recorded {
            warn!(%error, notification = %id, "could not record what became of a notification");
        }
    }

    /// The receiver has it: it must not be sent again because the database is away for a moment.
    async fn record(&self, id: Uuid) -> Result<(), StoreError> {
        loop {
            match self.store.notification_sent(id, clock::now()).await {
                Err(error) if error.is_transient() && !self.stop.is_cancelled() => {
                    tokio::time::sleep(RECORD_RETRY).await;
                }
                recorded => return recorded,
            }
        }
    }

    async fn send(&self, notification: &Leased) -> anyhow::Result<()> {
        let routes = self.routes.now();
        let name = &notification.channel;
        let channel = routes.channel(name);
        let channel = channel
            .ok_or_else(|| anyhow::anyhow!("the notifications file has no channel {name} any longer"))?;
        let (incident, sent_at) = (&notification.incident, clock::now());
        let notice = Notice::of(incident, notification.event, self.console.as_deref(), sent_at);
        let letter =
            Letter { id: notification.id, event: notification.event, incident, notice: &notice, sent_at };
        channel.send(&self.courier, &letter).await
    }
}

fn retry_after(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    (FIRST_RETRY * (1 << doublings)).min(LONGEST_RETRY)
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MOST_OF_ERROR));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::channel::TIMEOUT;

    #[test]
    fn attempts_become_rarer() {
        let minutes = |attempts| retry_after(attempts).num_seconds();
        assert_eq!([1, 2, 3, 7, 8, 100].map(minutes), [5, 10, 20, 320, 600, 600]);
    }

    #[test]
    fn a_lease_is_longer_than_an_attempt() {
        assert!(LEASE.to_std().unwrap() > TIMEOUT * 2);
    }
}
