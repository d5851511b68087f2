//! The prefetch window: how many messages may be out for delivery (rule R12).
//!
//! The broker counts messages, and the client library buffers whatever it is sent, so the window is the only bound on
//! memory. It begins with a single message, as nothing is known of the next ones and each may be of the largest; it grows
//! by steps, each once a whole window has been seen, and follows the mean size of recent messages, such that a full window
//! takes about the bytes that were configured: many large messages slow ingest down, and do not kill it.

/// Until the first message has come.
const FIRST: u16 = 1;
/// The window grows by this factor at most.
const STEP: u16 = 4;
/// Sizes of about so many messages make the mean.
const SMOOTHING: f64 = 64.0;

#[derive(Debug)]
pub(super) struct Window {
    most: u16,
    budget: f64,
    mean: f64,
    seen: u64,
    current: u16,
}

impl Window {
    #[expect(clippy::cast_precision_loss, reason = "a budget in bytes is far below 2^52")]
    pub fn new(most: u16, budget: usize) -> Self {
        Self { most, budget: budget as f64, mean: 0.0, seen: 0, current: FIRST }
    }

    pub fn current(&self) -> u16 {
        self.current
    }

    /// Notes a message's size. Returns the new window if it ought to be another, by a factor of two at least.
    #[expect(clippy::cast_precision_loss, reason = "a message is far smaller than 2^52 bytes")]
    pub fn observe(&mut self, size: usize) -> Option<u16> {
        self.seen += 1;
        self.mean += (size as f64 - self.mean) / SMOOTHING.min(self.seen as f64);
        let wanted = self.wanted();
        let grows = self.seen >= u64::from(self.current)
            && (wanted >= self.current.saturating_mul(2)
                || (wanted == self.most && self.current < self.most));
        (grows || wanted <= self.current / 2).then(|| {
            self.current = wanted.min(self.current.saturating_mul(STEP));
            self.current
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

    #[test]
    fn it_grows_for_small_messages_and_shrinks_for_large_ones() {
        let mut window = Window::new(2000, 64 << 20);
        assert_eq!(window.current(), 1);
        let changes: Vec<u16> = (0..2000).filter_map(|_| window.observe(1024)).collect();
        assert_eq!(changes, [4, 16, 64, 256, 1024, 2000]);
        let changes: Vec<u16> = (0..1000).filter_map(|_| window.observe(2 << 20)).collect();
        assert!(window.current() <= 45, "{changes:?}");
        assert!(changes.len() < 10, "{changes:?}");
    }

    #[test]
    fn large_messages_from_the_start_never_open_it() {
        let mut window = Window::new(2000, 64 << 20);
        assert!((0..500).filter_map(|_| window.observe(2 << 20)).all(|wanted| wanted <= 32));
        let mut window = Window::new(2000, 64 << 20);
        assert_eq!((0..500).find_map(|_| window.observe(128 << 20)), None);
    }

    #[test]
    fn a_small_one_before_the_largest_opens_it_by_a_step_only() {
        let mut window = Window::new(2000, 64 << 20);
        assert_eq!(window.observe(10), Some(4));
        assert_eq!(window.observe(128 << 20), Some(1));
    }
}
