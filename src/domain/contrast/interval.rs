//! The range of numbers that sets one side apart.

/// A number, and how much finding it in the range speaks for the range: positive inside, negative outside.
pub(super) type Weighed = (f64, f64);

/// Fewest distinct numbers that make a range. Of fewer each is a value.
const FEWEST: usize = 6;

/// The range whose numbers weigh most together. It has no bound where it reaches the end of all numbers.
pub(super) fn heaviest(mut numbers: Vec<Weighed>) -> Option<(Option<f64>, Option<f64>)> {
    numbers.retain(|(number, _)| number.is_finite());
    numbers.sort_by(|one, other| one.0.total_cmp(&other.0));
    numbers.dedup_by(|next, kept| {
        let is_same = next.0.total_cmp(&kept.0).is_eq();
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    if numbers.len() < FEWEST {
        return None;
    }
    // Kadane's algorithm.
    let (mut best, mut best_weight) = (0..=0, f64::NEG_INFINITY);
    let (mut start, mut weight) = (0, 0.0);
    for (at, (_, weighs)) in numbers.iter().enumerate() {
        if weight <= 0.0 {
            (start, weight) = (at, 0.0);
        }
        weight += weighs;
        if weight > best_weight {
            (best, best_weight) = (start..=at, weight);
        }
    }
    let (first, last) = (*best.start(), *best.end());
    let from = (first > 0).then(|| numbers[first].0);
    let to = (last + 1 < numbers.len()).then(|| numbers[last].0);
    (from.is_some() || to.is_some()).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_holds_what_is_inside() {
        let weighed = |inside: &[f64], outside: &[f64]| {
            let inside = inside.iter().map(|number| (*number, 1.0));
            heaviest(inside.chain(outside.iter().map(|number| (*number, -1.0))).collect())
        };
        assert_eq!(weighed(&[5.0, 6.0, 7.0], &[1.0, 2.0, 9.0, 8.0]), Some((Some(5.0), Some(7.0))));
        assert_eq!(weighed(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), Some((None, Some(3.0))));
        assert_eq!(weighed(&[5.0, 6.0, 7.0, 6.5, 9.0], &[1.0, 6.0, 6.0]), Some((Some(6.5), None)));
        assert_eq!(weighed(&[1.0, 2.0, 1.0], &[3.0, 4.0, 5.0, f64::NAN]), None, "few are values");
        assert_eq!(weighed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[]), None, "a range of everything is none");
    }
}
