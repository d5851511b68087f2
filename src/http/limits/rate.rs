//! A rate for each caller.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// A token bucket for each caller. Callers share 65,536 buckets: however many there are, the memory is bounded, and nobody can push others
/// out. That two share one is rare, and the rates are meant for many times what one needs.
#[derive(Debug)]
pub struct Rate {
    buckets: Option<DefaultKeyedRateLimiter<u16>>,
    /// Nobody can choose whose bucket they share.
    hasher: RandomState,
}

impl Rate {
    /// Without a quota, any rate.
    pub fn new(quota: Option<Quota>) -> Self {
        Self { buckets: quota.map(RateLimiter::keyed), hasher: RandomState::new() }
    }

    /// Takes one from the caller's bucket. If it is empty, the error says in how many seconds it no longer is.
    pub fn take(&self, caller: impl Hash) -> Result<(), NonZeroU32> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let [low, high, ..] = self.hasher.hash_one(caller).to_le_bytes();
        buckets.check_key(&u16::from_le_bytes([low, high])).map_err(|refused| {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            u32::try_from(seconds).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_bucket() {
        let rate = Rate::new(NonZeroU32::new(2).map(Quota::per_hour));
        let taken: Vec<_> = (0..3).map(|_| rate.take("a").is_ok()).collect();
        assert_eq!(taken, [true, true, false]);
        let wait = rate.take("a").unwrap_err().get();
        assert!((1_790..=1_800).contains(&wait), "{wait}");
        // One in 65,536 shares it.
        assert!(["b", "c"].iter().any(|other| rate.take(other).is_ok()));
        assert!((0..10_000).all(|_| Rate::new(None).take("a").is_ok()));
    }

    #[test]
    fn callers_cannot_fill_the_memory() {
        let rate = Rate::new(NonZeroU32::new(1).map(Quota::per_hour));
        for caller in 0..200_000 {
            let _ = rate.take(caller);
        }
        assert!(rate.buckets.unwrap().len() <= 1 << 16);
    }
}
