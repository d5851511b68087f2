//! A server that goes away may come back.

use std::time::{Duration, Instant};

use super::ending::Failure;

/// How long to try.
const LONGEST: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How long there has been no answer.
#[derive(Default)]
pub(super) struct Patience {
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// An answer came.
    pub(super) fn renew(&mut self) {
        *self = Self::default();
    }

    /// Waits before the next try, longer each time; gives the failure back where trying is in vain, or was for a minute.
    pub(super) async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !failure.may_pass() || since.elapsed() >= LONGEST {
            return Err(failure);
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}
