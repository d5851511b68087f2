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
use crate::domain::convention::Care;
use crate::store::Others;

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
pub(super) struct Caution {
    care: Care,
    begun: Instant,
    /// When all the others were last found to live.
    all_lived: Option<Instant>,
}

impl Caution {
    /// Of a consumer that begins now, and knows whether one died before.
    pub fn new(care: Care) -> Self {
        Self { care, begun: Instant::now(), all_lived: None }
    }

    /// With how much care whoever comes next has to read what was delivered before.
    pub fn care(&self) -> Care {
        self.care
    }

    /// With how much care this is read.
    pub async fn of(&mut self, received: &Received, ingest: &Ingest) -> Care {
        if !received.redelivered {
            if self.begun.elapsed() >= GIVEN_BACK_WITHIN {
                // What was given back comes before what is new.
                self.care = Care::Full;
            }
            return Care::Full;
        }
        let is_known = self.all_lived.is_some_and(|at| at.elapsed() < BEAT);
        if self.care == Care::Full && !is_known {
            self.look_around(ingest).await;
        }
        self.care
    }

    async fn look_around(&mut self, ingest: &Ingest) {
        let question = Instant::now();
        while question.elapsed() < LONGEST_LOOK {
            match ingest.store.others(&ingest.life, question.elapsed()).await {
                Ok(Others::Live) => {
                    self.all_lived = Some(Instant::now());
                    return;
                }
                Ok(Others::Died) => break,
                Ok(Others::Silent) | Err(_) => sleep(LOOK).await,
            }
        }
        say_crashed(ingest);
        self.care = Care::Headers;
    }
}

/// Says that what was delivered before is read with care.
pub(super) fn say_crashed(ingest: &Ingest) {
    warn!(
        source = ingest.source.queue,
        "a process that consumed this source crashed: redelivered messages are stored undecoded at first"
    );
}
