//! The phase of a pump: whether it consumes, and whether batches wait for the database.
//!
//! The pump module documents the transitions.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;

/// Back-off between attempts to store a held batch.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// What a pump is doing. A phase whose name ends with `Held` has batches that wait for the database.
#[derive(Debug)]
pub(super) enum Phase {
    /// The source is consumed, and its consumer is replaced when it ends.
    Consuming,
    /// The database is away, and the consumer is cancelled.
    Held(Hold),
    /// The process is stopping. The consumer is cancelled, and in-flight messages are stored.
    Draining,
    /// The same while the database is away.
    DrainingHeld(Hold),
    /// All in-flight messages are acknowledged, and the last message has been fetched and is stored.
    Finishing,
    /// The same while the database is away.
    FinishingHeld(Hold),
}

/// Batches that wait for the database.
#[derive(Debug)]
pub(super) struct Hold {
    batches: VecDeque<Batch>,
    since: Instant,
    retry_at: Instant,
    backoff: Duration,
    why: String,
}

impl Phase {
    /// Whether the source is to have a consumer.
    pub fn is_consuming(&self) -> bool {
        matches!(self, Self::Consuming)
    }

    pub fn is_held(&self) -> bool {
        self.held().is_some()
    }

    /// Whether the process is stopping.
    pub fn is_stopping(&self) -> bool {
        !matches!(self, Self::Consuming | Self::Held(_))
    }

    /// The process stops.
    pub fn stop(&mut self) {
        self.change(|phase| match phase {
            Self::Consuming => Self::Draining,
            Self::Held(hold) => Self::DrainingHeld(hold),
            stopping => stopping,
        });
    }

    /// The last message is about to be fetched.
    pub fn finish(&mut self) {
        self.change(|phase| match phase {
            Self::Draining => Self::Finishing,
            Self::DrainingHeld(hold) => Self::FinishingHeld(hold),
            other => other,
        });
    }

    /// A batch could not be stored, and is the first to try again.
    pub fn hold(&mut self, batch: Batch, why: String) {
        let now = Instant::now();
        let new = || Hold::new(now, why);
        self.change(|phase| match phase {
            Self::Consuming => Self::Held(new()),
            Self::Draining => Self::DrainingHeld(new()),
            Self::Finishing => Self::FinishingHeld(new()),
            held => held,
        });
        if let Some(hold) = self.held_mut() {
            hold.batches.push_front(batch);
            hold.retry_at = now + hold.backoff;
            hold.backoff = (hold.backoff * 2).min(LONGEST_RETRY);
        }
    }

    /// A batch was stored. The next held batch follows at once. If none is left and none is being written, the hold ends.
    pub fn stored(&mut self, writers: usize) {
        let Some(hold) = self.held_mut() else { return };
        hold.retry_at = Instant::now();
        hold.backoff = FIRST_RETRY;
        if !hold.batches.is_empty() || writers > 0 {
            return;
        }
        self.change(|phase| match phase {
            Self::Held(_) => Self::Consuming,
            Self::DrainingHeld(_) => Self::Draining,
            Self::FinishingHeld(_) => Self::Finishing,
            free => free,
        });
    }

    pub fn held_mut(&mut self) -> Option<&mut Hold> {
        match self {
            Self::Held(hold) | Self::DrainingHeld(hold) | Self::FinishingHeld(hold) => Some(hold),
            Self::Consuming | Self::Draining | Self::Finishing => None,
        }
    }

    /// When the first held batch is to be tried again.
    pub fn retry_at(&self) -> Option<Instant> {
        self.held().map(|hold| hold.retry_at)
    }

    /// Why batches are held, if they have been for longer than this.
    pub fn held_for(&self, limit: Duration) -> Option<String> {
        self.held().filter(|hold| hold.since.elapsed() > limit).map(|hold| hold.why.clone())
    }

    fn held(&self) -> Option<&Hold> {
        match self {
            Self::Held(hold) | Self::DrainingHeld(hold) | Self::FinishingHeld(hold) => Some(hold),
            Self::Consuming | Self::Draining | Self::Finishing => None,
        }
    }

    fn change(&mut self, next: impl FnOnce(Self) -> Self) {
        *self = next(std::mem::replace(self, Self::Consuming));
    }
}

impl Hold {
    fn new(now: Instant, why: String) -> Self {
        Self { batches: VecDeque::new(), since: now, retry_at: now, backoff: FIRST_RETRY, why }
    }

    /// Adds a batch that was filled in the meantime.
    pub fn add(&mut self, batch: Batch) {
        self.batches.push_back(batch);
    }

    /// The batch to try again.
    pub fn next(&mut self) -> Option<Batch> {
        self.batches.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(phase: &Phase) -> &'static str {
        match phase {
            Phase::Consuming => "consuming",
            Phase::Held(_) => "held",
            Phase::Draining => "draining",
            Phase::DrainingHeld(_) => "draining, held",
            Phase::Finishing => "finishing",
            Phase::FinishingHeld(_) => "finishing, held",
        }
    }

    fn all() -> [Phase; 6] {
        let hold = || Hold::new(Instant::now(), "away".into());
        [
            Phase::Consuming,
            Phase::Held(hold()),
            Phase::Draining,
            Phase::DrainingHeld(hold()),
            Phase::Finishing,
            Phase::FinishingHeld(hold()),
        ]
    }

    fn after(event: impl Fn(&mut Phase)) -> [&'static str; 6] {
        all().map(|mut phase| {
            event(&mut phase);
            name(&phase)
        })
    }

    #[test]
    fn each_event_leads_to_one_phase() {
        let [c, h, d, dh, f, fh] = all().map(|phase| name(&phase));
        assert_eq!(after(Phase::stop), [d, dh, d, dh, f, fh]);
        assert_eq!(after(Phase::finish), [c, h, f, fh, f, fh]);
        assert_eq!(after(|phase| phase.hold(Batch::default(), "away".into())), [h, h, dh, dh, fh, fh]);
        assert_eq!(after(|phase| phase.stored(0)), [c, c, d, d, f, f]);
        assert_eq!(after(|phase| phase.stored(1)), [c, h, d, dh, f, fh]);
    }

    #[test]
    fn a_hold_ends_with_its_last_batch() {
        let mut phase = Phase::Consuming;
        phase.hold(Batch::default(), "first".into());
        phase.hold(Batch::default(), "second".into());
        assert!(phase.held_mut().and_then(Hold::next).is_some());
        phase.stored(0);
        assert_eq!(name(&phase), "held");
        assert_eq!(phase.held_for(Duration::ZERO).as_deref(), Some("first"));
        assert!(phase.held_mut().and_then(Hold::next).is_some());
        phase.stored(0);
        assert_eq!((name(&phase), phase.held_for(Duration::ZERO)), ("consuming", None));
    }
}
