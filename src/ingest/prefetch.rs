//! The prefetch window: how many messages may be out for delivery (rule R12).
//!
//! The broker counts messages, and the client library buffers whatever it is sent, so the window is the only bound on
//! memory. It begins small and follows the mean size of recent messages, such that a full window takes about the bytes
//! that were configured: many large messages slow ingest down, and do not kill it.

/// Messages before the size of the next ones is known.
const FIRST: u16 = 32;
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
        Self { most, budget: budget as f64, mean: 0.0, seen: 0, current: FIRST.min(most) }
    }

    pub fn current(&self) -> u16 {
        self.current
    }

    /// Notes a message's size. Returns the new window if it ought to be another, by a factor of two at least.
    #[expect(clippy::cast_precision_loss, reason = "a message is far smaller than 2^52 bytes")]
    pub fn observe(&mut self, size: usize) -> Option<u16> {
        let size = size as f64;
        self.seen += 1;
        self.mean = if self.seen == 1 { size } else { self.mean + (size - self.mean) / SMOOTHING };
        if self.seen < u64::from(FIRST.min(self.most)) {
            return None;
        }
        let wanted = self.wanted();
        let changed = wanted >= self.current.saturating_mul(2)
            || wanted <= self.current / 2
            || (wanted == self.most && self.current < self.most);
        changed.then(|| {
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

    #[test]
    fn it_grows_for_small_messages_and_shrinks_for_large_ones() {
        let mut window = Window::new(2000, 64 << 20);
        assert_eq!(window.current(), 32);
        let changes: Vec<u16> = (0..100).filter_map(|_| window.observe(1024)).collect();
        assert_eq!(changes, [2000]);
        let changes: Vec<u16> = (0..1000).filter_map(|_| window.observe(2 << 20)).collect();
        assert!(window.current() <= 45, "{changes:?}");
        assert!(changes.len() < 10, "{changes:?}");
    }

    #[test]
    fn large_messages_from_the_start_never_open_it() {
        let mut window = Window::new(2000, 64 << 20);
        assert!((0..500).filter_map(|_| window.observe(2 << 20)).all(|wanted| wanted <= 32));
    }
}
