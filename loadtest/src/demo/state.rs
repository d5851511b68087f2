//! What is broken, and what has happened so far.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::status;
use crate::clock;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Service {
    Webshop,
    Notification,
}

impl Service {
    pub(super) const ALL: [Self; 2] = [Self::Webshop, Self::Notification];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Webshop => "webshop",
            Self::Notification => "notification",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Redelivered messages that are remembered.
const REMEMBERED: usize = 20;

/// Redelivered messages that get a line of their own, until there has been a pause.
const SHOWN: u64 = 5;

/// Shared by everything that runs.
#[derive(Debug)]
pub(super) struct State {
    webshop: watch::Sender<bool>,
    notification: watch::Sender<bool>,
    published: AtomicU64,
    handled: AtomicU64,
    failed: AtomicU64,
    handled_after_redelivery: AtomicU64,
    last_redelivered: Mutex<VecDeque<Redelivered>>,
    /// Redelivered messages since the last status line that had none.
    burst: AtomicU64,
    /// Those of them that have been told of, one by one or in sum.
    told: AtomicU64,
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
    broken: Broken,
    published: u64,
    handled: u64,
    failed: u64,
    handled_after_redelivery: u64,
    last_redelivered: Vec<Redelivered>,
}

#[derive(Debug, Serialize)]
struct Broken {
    webshop: bool,
    notification: bool,
}

impl State {
    /// Both services start broken: a system that works has nothing to show.
    pub(super) fn new() -> Self {
        Self {
            webshop: watch::Sender::new(true),
            notification: watch::Sender::new(true),
            published: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            handled_after_redelivery: AtomicU64::new(0),
            last_redelivered: Mutex::new(VecDeque::new()),
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

    /// Fixes or breaks one service, or both.
    pub(super) fn set_broken(&self, service: Option<Service>, broken: bool) {
        for one in Service::ALL.into_iter().filter(|one| service.is_none_or(|wanted| wanted == *one)) {
            if self.switch(one).send_replace(broken) != broken {
                status::say(&format!("{one} is {}", if broken { "broken" } else { "fixed" }));
            }
        }
    }

    fn switch(&self, service: Service) -> &watch::Sender<bool> {
        match service {
            Service::Webshop => &self.webshop,
            Service::Notification => &self.notification,
        }
    }

    pub(super) fn published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was handled; one that dead-letter had redelivered is remembered, and the first few are told of.
    pub(super) fn handled(
        &self,
        service: Service,
        message_id: Option<String>,
        redelivery_id: Option<String>,
    ) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        let Some(redelivery_id) = redelivery_id else {
            return;
        };
        self.handled_after_redelivery.fetch_add(1, Ordering::Relaxed);
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
        let Snapshot { published, handled, failed, handled_after_redelivery, .. } = self.snapshot();
        let services = Service::ALL.map(|service| {
            let word = if self.is_broken(service) { "broken" } else { "ok" };
            format!("{service} {word}")
        });
        format!(
            "published {published}  handled {handled}  failed {failed}  handled after redelivery \
             {handled_after_redelivery}  |  {}",
            services.join(", ")
        )
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let last = self.last_redelivered.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            broken: Broken {
                webshop: self.is_broken(Service::Webshop),
                notification: self.is_broken(Service::Notification),
            },
            published: self.published.load(Ordering::Relaxed),
            handled: self.handled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            handled_after_redelivery: self.handled_after_redelivery.load(Ordering::Relaxed),
            last_redelivered: last.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_is_fixed_without_the_other() {
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
        assert_eq!((snapshot.handled, snapshot.handled_after_redelivery), (31, 30));
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
