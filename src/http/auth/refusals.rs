//! Refusals, counted until they are written to the audit: whoever is refused must not be able to keep the database busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::store::Store;

/// Between two writes.
const INTERVAL: Duration = Duration::from_secs(1);
/// Kinds of refusals between two writes that are told apart.
const MOST_KINDS: usize = 1_000;

/// Whom, what, on which route, and why.
type Kind = (Actor, Action, String, String);

/// Refusals that are not written yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Mutex<HashMap<Kind, i64>>>);

impl Refusals {
    /// Counts one more.
    pub fn count(&self, actor: Actor, action: Action, route: String, why: String) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kind = (actor, action, route, why);
        if counts.len() >= MOST_KINDS && !counts.contains_key(&kind) {
            kind =
                (Actor { name: "several".into(), ..Actor::default() }, action, String::new(), String::new());
        }
        *counts.entry(kind).or_default() += 1;
    }

    /// Writes them to the audit again and again, until the process stops, and once more then.
    pub async fn write(self, store: Store, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let goes_on = stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some();
            self.write_once(&store).await;
            if !goes_on {
                return Ok(());
            }
        }
    }

    async fn write_once(&self, store: &Store) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let entries: Vec<_> = counts.iter().map(|(kind, times)| entry(kind, *times)).collect();
        if entries.is_empty() {
            return;
        }
        if let Err(error) = store.audit(&entries).await {
            warn!(%error, refusals = entries.len(), "could not write refusals to the audit, retrying in a second");
            let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (kind, times) in counts {
                *since.entry(kind).or_default() += times;
            }
        }
    }
}

fn entry((actor, action, route, why): &Kind, times: i64) -> Entry {
    let mut details = json!({ "route": route });
    if !why.is_empty() {
        details["why"] = why.as_str().into();
    }
    Entry { times, details, ..Entry::new(clock::new_id(), actor.clone(), *action) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let refusals = Refusals::default();
        for number in 0..u32::try_from(3 * MOST_KINDS).unwrap() {
            let actor = Actor { address: Some(std::net::Ipv4Addr::from(number).into()), ..Actor::default() };
            refusals.count(actor, Action::Unauthenticated, "GET /dead-letters".into(), String::new());
        }
        let counts = refusals.0.lock().unwrap();
        assert_eq!((counts.len(), counts.values().sum::<i64>()), (MOST_KINDS + 1, 3_000));
    }
}
