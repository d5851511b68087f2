//! Published against stored: the difference must be nothing.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::api::{Api, Stored};

/// Between two looks at the counts.
const INTERVAL: Duration = Duration::from_millis(250);

/// The counts are taken to be final when they have not moved for so long.
const STABLE: Duration = Duration::from_secs(2);

/// What was published, and what more is stored than before.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ledger {
    /// Confirmed by the broker.
    pub(super) published: u64,
    /// Stored before the first message.
    pub(super) before: u64,
    /// Stored in the end.
    pub(super) after: u64,
    /// Seconds from the last confirm until the counts agreed, if they did.
    pub(super) settled_after_seconds: Option<f64>,
}

impl Ledger {
    /// Watches the counts until they agree and stay so, or the deadline.
    pub(super) async fn settle(
        api: &Api,
        before: &Stored,
        published: u64,
        deadline: Duration,
    ) -> Result<Self> {
        let started = Instant::now();
        let mut ledger =
            Self { published, before: before.values().sum(), after: 0, settled_after_seconds: None };
        let mut unchanged_since = started;
        loop {
            let stored = api.stored().await;
            if let Ok(stored) = &stored {
                let after = stored.values().sum();
                if after != ledger.after {
                    unchanged_since = Instant::now();
                }
                ledger.after = after;
            }
            if stored.is_ok() && ledger.difference() == 0 {
                ledger.settled_after_seconds.get_or_insert_with(|| started.elapsed().as_secs_f64());
                if unchanged_since.elapsed() >= STABLE {
                    return Ok(ledger);
                }
            } else {
                ledger.settled_after_seconds = None;
            }
            if started.elapsed() >= deadline {
                // Without an answer there is nothing to compare.
                return stored.map(|_| ledger);
            }
            sleep(INTERVAL).await;
        }
    }

    /// Stored more than published (above zero), or less.
    pub(super) fn difference(&self) -> i128 {
        i128::from(self.after) - i128::from(self.before) - i128::from(self.published)
    }

    /// An error unless every message is there, once.
    pub(super) fn verdict(&self) -> Result<()> {
        let Self { published, before, after, .. } = self;
        match self.difference() {
            0 => Ok(()),
            missing if missing < 0 => bail!(
                "{} messages are missing: {published} published, but the counts went from {before} to {after}. Either \
                 they are lost, or the service lags behind, or somebody deleted or redelivered meanwhile",
                -missing
            ),
            extra => bail!(
                "{extra} messages too many: {published} published, but the counts went from {before} to {after}. \
                 Either some are stored twice, or somebody else published meanwhile"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    fn ledger(published: u64, before: u64, after: u64) -> Ledger {
        Ledger { published, before, after, settled_after_seconds: None }
    }

    #[test]
    fn only_equal_sums_pass() {
        assert!(ledger(100, 7, 107).verdict().is_ok());
        let missing = ledger(100, 7, 105).verdict().expect_err("two are missing").to_string();
        assert!(missing.starts_with("2 messages are missing"), "{missing}");
        let extra = ledger(100, 7, 110).verdict().expect_err("three too many").to_string();
        assert!(extra.starts_with("3 messages too many"), "{extra}");
    }
}
