//! Wilson's confidence interval of a share.

use super::Share;

/// How sure it is that the interval has the true share: standard deviations from its middle to its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confidence(f64);

impl Confidence {
    /// About 95 of 100 intervals have the true share.
    pub const USUAL: Self = Self(1.96);
    /// About 997 of 1,000. For conditions that were fitted to the sample.
    pub const STRICT: Self = Self(3.0);
}

/// The lower end.
pub(super) fn low(share: Share, confidence: Confidence) -> f64 {
    let (middle, reach) = interval(share, confidence);
    (middle - reach).max(0.0)
}

/// The upper end.
pub(super) fn high(share: Share, confidence: Confidence) -> f64 {
    let (middle, reach) = interval(share, confidence);
    (middle + reach).min(1.0)
}

fn interval(share: Share, Confidence(z): Confidence) -> (f64, f64) {
    if share.of == 0 {
        return (0.5, 0.5);
    }
    #[expect(clippy::cast_precision_loss, reason = "samples are small")]
    let n = share.of as f64;
    let (p, z2) = (share.value(), z * z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let reach = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    (middle, reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_narrows_with_the_number() {
        let ends = |count, of| {
            let share = Share { count, of };
            let round = |end: f64| (end * 1000.0).round() / 1000.0;
            (round(low(share, Confidence::USUAL)), round(high(share, Confidence::USUAL)))
        };
        assert_eq!(ends(0, 10), (0.0, 0.278));
        assert_eq!(ends(10, 10), (0.722, 1.0));
        assert_eq!(ends(1, 2), (0.095, 0.905));
        assert_eq!(ends(500, 1000), (0.469, 0.531));
        assert_eq!(ends(0, 0), (0.0, 1.0));
    }
}
