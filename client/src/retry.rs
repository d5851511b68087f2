//! Retries while the server is away for a moment.

use std::time::{Duration, Instant};

use crate::ending::Failure;

/// When to stop retrying.
const LONGEST: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Since when there has been no answer, and the last pause.
#[derive(Default)]
pub(crate) struct Retry {
    since: Option<Instant>,
    pause: Duration,
}

impl Retry {
    /// To be called after each answer.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Waits before the next attempt, longer each time. Returns the failure if it is permanent, or if retries have failed for a
    /// minute.
    pub(crate) async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !failure.is_transient() || since.elapsed() >= LONGEST {
            return Err(failure);
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}
