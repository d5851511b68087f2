//! Decides how redelivered messages are decoded: one of them may have crashed the process that had it (rule R16).
//!
//! A process that starts finds the session that a crash left behind. A running process gets no such sign: the messages of another
//! process reach it within milliseconds, whether that process crashed or only lost its connection. So it asks for the other
//! sessions, and waits until each has sent a heartbeat or has been silent for too long.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use super::Ingest;
use crate::amqp::Received;
use crate::domain::convention::Decoding;
use crate::store::Peers;

/// Interval of the heartbeats of a session.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// Pause between questions about the other sessions.
const POLL: Duration = Duration::from_millis(200);
/// A session without a heartbeat by then has crashed, or the database does not answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The broker returns the messages of a crashed process within this time.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(10);

/// How one consumer decodes redelivered messages.
#[derive(Debug)]
pub(super) struct CrashGuard {
    decoding: Decoding,
    begun: Instant,
    /// When all other sessions were last found alive.
    all_alive: Option<Instant>,
}

impl CrashGuard {
    /// For a consumer that begins now. `decoding` says whether a process crashed before.
    pub fn new(decoding: Decoding) -> Self {
        Self { decoding, begun: Instant::now(), all_alive: None }
    }

    /// How the next consumer has to decode redelivered messages.
    pub fn decoding(&self) -> Decoding {
        self.decoding
    }

    /// How this message is to be decoded.
    pub async fn decoding_of(&mut self, received: &Received, ingest: &Ingest) -> Decoding {
        if !received.redelivered {
            if self.begun.elapsed() >= GIVEN_BACK_WITHIN {
                // Returned messages come before new ones.
                self.decoding = Decoding::Full;
            }
            return Decoding::Full;
        }
        let is_recent = self.all_alive.is_some_and(|at| at.elapsed() < BEAT);
        if self.decoding == Decoding::Full && !is_recent {
            self.ask_for_peers(ingest).await;
        }
        self.decoding
    }

    async fn ask_for_peers(&mut self, ingest: &Ingest) {
        let asked_at = Instant::now();
        while asked_at.elapsed() < LONGEST_WAIT {
            match ingest.store.peers(&ingest.session, asked_at.elapsed()).await {
                Ok(Peers::Alive) => {
                    self.all_alive = Some(Instant::now());
                    return;
                }
                Ok(Peers::Died) => break,
                Ok(Peers::Silent) | Err(_) => sleep(POLL).await,
            }
        }
        warn_of_crash(ingest);
        self.decoding = Decoding::HeadersOnly;
    }
}

/// Logs that redelivered messages are stored undecoded.
pub(super) fn warn_of_crash(ingest: &Ingest) {
    warn!(
        source = ingest.source.queue,
        "a process that consumed this source crashed: redelivered messages are stored undecoded at first"
    );
}
