//! Doing something over and over until it is no longer wanted, whatever the broker does.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::status;
use crate::logs;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// A session that lasted this long was a good one: the next failure begins with a short pause again.
const GOOD: Duration = Duration::from_secs(10);

/// What a session gets to finish what is in hand.
const GRACE: Duration = Duration::from_secs(1);

/// Runs sessions, one after the other: `while supervisor.again(session()).await {}`.
#[derive(Debug)]
pub(super) struct Supervisor<'a> {
    name: &'a str,
    stop: &'a CancellationToken,
    pause: Duration,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(name: &'a str, stop: &'a CancellationToken) -> Self {
        Self { name, stop, pause: FIRST_PAUSE }
    }

    /// Runs one session. True says that it failed, that a pause has been made, and that another is due; false that it
    /// ended well, as it does when it sees `stop`, or was cut off some time after that.
    pub(super) async fn again(&mut self, session: impl Future<Output = Result<()>>) -> bool {
        let started = Instant::now();
        let ended = tokio::select! {
            ended = session => ended,
            () = self.cut_off() => return false,
        };
        let Err(error) = ended else { return false };
        if self.stop.is_cancelled() {
            return false;
        }
        if started.elapsed() >= GOOD {
            self.pause = FIRST_PAUSE;
        }
        status::say(&format!(
            "{}: {}; again in {:.1} s",
            self.name,
            logs::brief(&error),
            self.pause.as_secs_f64()
        ));
        // Half of the pause is a matter of chance, lest all come back at the same moment.
        let jitter = self.pause.mul_f64(rand::random_range(0.5..1.0));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.stop.run_until_cancelled(sleep(jitter)).await.is_some()
    }

    async fn cut_off(&self) {
        self.stop.cancelled().await;
        sleep(GRACE).await;
    }
}
