//! With how much care messages are read that were delivered before: one of them may have ended the process that had it (rule R16).
//!
//! A process that begins knows of the one before it. One that has run all along is told nothing: what another one had in hand comes
//! to it within milliseconds, whether that process died or only lost its connection. So it asks, and waits until each of the others
//! has said that it lives, or has been silent for too long.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use super::Ingest;
use crate::amqp::Received;
use crate::domain::convention::Decoding;
use crate::store::Peers;

/// How often a process says that it lives.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// How often it is looked whether the others have said so.
const LOOK: Duration = Duration::from_millis(200);
/// Who has not said so by then has died, or the database does not answer.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// The broker returns what a dead process had in hand within this time.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(10);

/// What one consumer knows of the others.
#[derive(Debug)]
pub(super) struct CrashGuard {
    decoding: Decoding,
    begun: Instant,
    /// When all the others were last found to live.
    all_lived: Option<Instant>,
}

impl CrashGuard {
    /// Of a consumer that begins now, and knows whether one died before.
    pub fn new(decoding: Decoding) -> Self {
        Self { decoding, begun: Instant::now(), all_lived: None }
    }

    /// With how much care whoever comes next has to read what was delivered before.
    pub fn decoding(&self) -> Decoding {
        self.decoding
    }

    /// With how much care this is read.
    pub async fn of(&mut self, received: &Received, ingest: &Ingest) -> Decoding {
        if !received.redelivered {
            if self.begun.elapsed() >= GIVEN_BACK_WITHIN {
                // What was given back comes before what is new.
                self.decoding = Decoding::Full;
            }
            return Decoding::Full;
        }
        let is_known = self.all_lived.is_some_and(|at| at.elapsed() < BEAT);
        if self.decoding == Decoding::Full && !is_known {
            self.look_around(ingest).await;
        }
        self.decoding
    }

    async fn look_around(&mut self, ingest: &Ingest) {
        let question = Instant::now();
        while question.elapsed() < LONGEST_LOOK {
            match ingest.store.peers(&ingest.session, question.elapsed()).await {
                Ok(Peers::Alive) => {
                    self.all_lived = Some(Instant::now());
                    return;
                }
                Ok(Peers::Died) => break,
                Ok(Peers::Silent) | Err(_) => sleep(LOOK).await,
            }
        }
        warn_of_crash(ingest);
        self.decoding = Decoding::HeadersOnly;
    }
}

/// Says that what was delivered before is read with care.
pub(super) fn warn_of_crash(ingest: &Ingest) {
    warn!(
        source = ingest.source.queue,
        "a process that consumed this source crashed: redelivered messages are stored undecoded at first"
    );
}
