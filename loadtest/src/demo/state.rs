//! What is broken, and what has happened so far.

use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::service::Service;
use super::status;
use crate::clock;

/// Redelivered messages that are remembered.
const REMEMBERED: usize = 20;

/// Redelivered messages that get a line of their own, until there has been a pause.
const SHOWN: u64 = 5;

/// Shared by everything that runs.
#[derive(Debug)]
pub(super) struct State {
    /// In the order of [`Service::ALL`].
    services: [Standing; Service::ALL.len()],
    last_redelivered: Mutex<VecDeque<Redelivered>>,
    /// Redelivered messages since the last status line that had none.
    burst: AtomicU64,
    /// Those of them that have been told of, one by one or in sum.
    told: AtomicU64,
}

/// How one service fares.
#[derive(Debug)]
struct Standing {
    broken: watch::Sender<bool>,
    counts: Mutex<Counts>,
}

/// Messages.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    published: u64,
    handled: u64,
    failed: u64,
    handled_after_redelivery: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.handled += other.handled;
        self.failed += other.failed;
        self.handled_after_redelivery += other.handled_after_redelivery;
    }
}

/// A redelivered message that was handled well.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Redelivered {
    message_id: Option<String>,
    redelivery_id: String,
    service: Service,
    handled_at: String,
}

/// What `GET /` shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    #[serde(flatten)]
    total: Counts,
    services: BTreeMap<Service, Shown>,
    last_redelivered: Vec<Redelivered>,
}

/// One service, in a [`Snapshot`].
#[derive(Debug, Serialize)]
struct Shown {
    broken: bool,
    #[serde(flatten)]
    counts: Counts,
}

impl State {
    /// All services start broken: a system that works has nothing to show.
    pub(super) fn new() -> Self {
        let standing = |_| Standing { broken: watch::Sender::new(true), counts: Mutex::default() };
        Self {
            services: Service::ALL.map(standing),
            last_redelivered: Mutex::default(),
            burst: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }

    pub(super) fn is_broken(&self, service: Service) -> bool {
        *self.switch(service).borrow()
    }

    /// Waits until a service is broken, or fixed; returns at once if it is so already.
    pub(super) async fn until(&self, service: Service, broken: bool) {
        // Its only way to fail is that the sender is gone, which is a field of ours.
        let _ = self.switch(service).subscribe().wait_for(|now| *now == broken).await;
    }

    /// Fixes or breaks one service, or all.
    pub(super) fn set_broken(&self, service: Option<Service>, broken: bool) {
        for one in Service::ALL.into_iter().filter(|one| service.is_none_or(|wanted| wanted == *one)) {
            if self.switch(one).send_replace(broken) != broken {
                status::say(&format!("{one} is {}", if broken { "broken" } else { "fixed" }));
            }
        }
    }

    fn switch(&self, service: Service) -> &watch::Sender<bool> {
        &self.services[service as usize].broken
    }

    fn counts(&self, service: Service) -> MutexGuard<'_, Counts> {
        self.services[service as usize].counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message for this service was published; returns the number of those so far.
    pub(super) fn published(&self, service: Service) -> u64 {
        let mut counts = self.counts(service);
        counts.published += 1;
        counts.published
    }

    pub(super) fn failed(&self, service: Service) {
        self.counts(service).failed += 1;
    }

    /// A message was handled; one that dead-letter had redelivered is remembered, and the first few are told of.
    pub(super) fn handled(
        &self,
        service: Service,
        message_id: Option<String>,
        redelivery_id: Option<String>,
    ) {
        self.counts(service).handled += 1;
        let Some(redelivery_id) = redelivery_id else {
            return;
        };
        self.counts(service).handled_after_redelivery += 1;
        if self.burst.fetch_add(1, Ordering::Relaxed) < SHOWN {
            self.told.fetch_add(1, Ordering::Relaxed);
            let id = message_id.as_deref().unwrap_or("without an id");
            status::say(&format!("{service} handled redelivered message {id} (redelivery {redelivery_id})"));
        }
        let one = Redelivered { message_id, redelivery_id, service, handled_at: clock::rfc3339() };
        let mut last = self.last_redelivered.lock().unwrap_or_else(PoisonError::into_inner);
        last.truncate(REMEMBERED - 1);
        last.push_front(one);
    }

    /// Redelivered messages that have not been told of. When there were none since the last call, the next few are
    /// told of one by one again.
    pub(super) fn untold(&self) -> u64 {
        let burst = self.burst.load(Ordering::Relaxed);
        let untold = burst.saturating_sub(self.told.swap(burst, Ordering::Relaxed));
        if untold == 0 {
            self.burst.store(0, Ordering::Relaxed);
            self.told.store(0, Ordering::Relaxed);
        }
        untold
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let Counts { published, handled, failed, handled_after_redelivery } = self.total();
        let broken = Service::ALL.into_iter().filter(|service| self.is_broken(*service)).map(Service::name);
        let broken = match broken.collect::<Vec<_>>() {
            none if none.is_empty() => "none".to_owned(),
            all if all.len() == Service::ALL.len() => "all".to_owned(),
            some => some.join(", "),
        };
        format!(
            "published {published}  handled {handled}  failed {failed}  handled after redelivery \
             {handled_after_redelivery}  |  broken: {broken}"
        )
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for service in Service::ALL {
            total += *self.counts(service);
        }
        total
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let last = self.last_redelivered.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |service| Shown { broken: self.is_broken(service), counts: *self.counts(service) };
        Snapshot {
            total: self.total(),
            services: Service::ALL.into_iter().map(|service| (service, shown(service))).collect(),
            last_redelivered: last.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_is_fixed_without_the_others() {
        let state = State::new();
        state.set_broken(Some(Service::Webshop), false);
        assert!(!state.is_broken(Service::Webshop));
        assert!(state.is_broken(Service::Notification));
        state.set_broken(None, true);
        assert!(Service::ALL.into_iter().all(|service| state.is_broken(service)));
    }

    #[test]
    fn the_newest_redelivered_messages_are_remembered() {
        let state = State::new();
        for n in 0..30 {
            state.handled(Service::Webshop, Some(format!("m{n}")), Some("r".to_owned()));
        }
        state.handled(Service::Webshop, Some("not redelivered".to_owned()), None);
        let snapshot = state.snapshot();
        assert_eq!((snapshot.total.handled, snapshot.total.handled_after_redelivery), (31, 30));
        assert_eq!(snapshot.services[&Service::Webshop].counts.handled, 31);
        assert_eq!(snapshot.services[&Service::Billing].counts.handled, 0);
        assert_eq!(snapshot.last_redelivered.len(), REMEMBERED);
        assert_eq!(snapshot.last_redelivered[0].message_id.as_deref(), Some("m29"));
    }

    #[test]
    fn a_burst_is_told_in_sum_and_forgotten_after_a_pause() {
        let state = State::new();
        for _ in 0..12 {
            state.handled(Service::Webshop, None, Some("r".to_owned()));
        }
        assert_eq!(state.untold(), 12 - SHOWN);
        state.handled(Service::Webshop, None, Some("r".to_owned()));
        assert_eq!(state.untold(), 1);
        assert_eq!(state.untold(), 0);
        state.handled(Service::Webshop, None, Some("r".to_owned()));
        assert_eq!(state.untold(), 0, "told of by itself again");
    }
}
