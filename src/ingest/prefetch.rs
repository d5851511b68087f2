//! The prefetch window: how many messages may be delivered and unacknowledged (rule R12).
//!
//! The broker counts messages, and the client library buffers everything that it is sent. So the window is the only limit on
//! memory. It begins with a single message, because any message may be of the largest size. It grows in steps and follows the
//! mean size of recent messages, so that a full window takes about the configured bytes. Large messages slow ingest down instead
//! of killing it.
//!
//! Another window needs another consumer. A quorum queue takes back the messages on their way to a cancelled consumer, and counts
//! them as returned. So the window grows only while it is full: when everything that the broker may send has arrived.

/// The window before the first message.
const FIRST: u16 = 1;
/// The window grows by this factor at most,
const STEP: u16 = 4;
/// until this many messages were seen.
const KNOWN: u64 = 256;
/// The mean is over about this many messages.
const SMOOTHING: f64 = 64.0;

#[derive(Debug)]
pub(super) struct PrefetchWindow {
    most: u16,
    budget: f64,
    mean: f64,
    seen: u64,
    current: u16,
}

impl PrefetchWindow {
    #[expect(clippy::cast_precision_loss, reason = "a budget in bytes is far below 2^52")]
    pub fn new(most: u16, budget: usize) -> Self {
        Self { most, budget: budget as f64, mean: 0.0, seen: 0, current: FIRST }
    }

    pub fn current(&self) -> u16 {
        self.current
    }

    /// Notes the size of a message, and how many are unacknowledged. Returns the new window if it differs by a factor of at least
    /// two.
    #[expect(clippy::cast_precision_loss, reason = "a message is far smaller than 2^52 bytes")]
    pub fn observe(&mut self, size: usize, in_hand: u64) -> Option<u16> {
        self.seen += 1;
        self.mean += (size as f64 - self.mean) / SMOOTHING.min(self.seen as f64);
        let most = if self.seen < KNOWN { self.current.saturating_mul(STEP) } else { self.most };
        let wanted = self.wanted().min(most);
        let grows = wanted >= self.current.saturating_mul(2) && in_hand >= u64::from(self.current);
        (grows || wanted <= self.current / 2).then(|| {
            self.current = wanted;
            wanted
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=most")]
    fn wanted(&self) -> u16 {
        (self.budget / self.mean.max(1.0)).clamp(1.0, f64::from(self.most)) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the window becomes as so many messages of this size come, all of which stay in hand until it changes.
    fn changes(window: &mut PrefetchWindow, count: usize, size: usize) -> Vec<u16> {
        let mut in_hand = 0;
        let observe = |_| {
            in_hand += 1;
            window.observe(size, in_hand).inspect(|_| in_hand = 0)
        };
        (0..count).filter_map(observe).collect()
    }

    #[test]
    fn it_grows_for_small_messages_and_shrinks_for_large_ones() {
        let mut window = PrefetchWindow::new(2000, 64 << 20);
        assert_eq!(window.current(), 1);
        assert_eq!(changes(&mut window, 2000, 1024), [4, 16, 64, 256, 2000]);
        let changes = changes(&mut window, 1000, 2 << 20);
        assert!(window.current() <= 45, "{changes:?}");
        assert!(changes.len() < 10, "{changes:?}");
    }

    #[test]
    fn large_messages_from_the_start_never_open_it() {
        let mut window = PrefetchWindow::new(2000, 64 << 20);
        assert!(changes(&mut window, 500, 2 << 20).into_iter().all(|wanted| wanted <= 32));
        let mut window = PrefetchWindow::new(2000, 64 << 20);
        assert!(changes(&mut window, 500, 128 << 20).is_empty());
    }

    #[test]
    fn a_small_one_before_the_largest_opens_it_by_a_step_only() {
        let mut window = PrefetchWindow::new(2000, 64 << 20);
        assert_eq!(window.observe(10, 1), Some(4));
        assert_eq!(window.observe(128 << 20, 1), Some(1));
    }

    #[test]
    fn enough_messages_open_it_at_once() {
        let open = |number: u64| {
            let mut window = PrefetchWindow::new(2000, 64 << 20);
            assert_eq!(window.observe(10, 1), Some(4));
            assert!((2..number).all(|_| window.observe(10, 1).is_none()));
            window.observe(10, 4)
        };
        assert_eq!((open(KNOWN - 1), open(KNOWN)), (Some(16), Some(2000)));
    }

    #[test]
    fn it_stays_as_it_is_while_messages_may_be_on_their_way() {
        let mut window = PrefetchWindow::new(2000, 64 << 20);
        assert_eq!(window.observe(10, 1), Some(4));
        assert!((0..100).all(|_| window.observe(10, 3).is_none()));
        assert_eq!(window.current(), 4);
        assert_eq!(window.observe(10, 4), Some(16));
    }
}
