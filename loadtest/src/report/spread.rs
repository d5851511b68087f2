//! The least, mean and greatest value of a line, and how numbers are written.

use super::Series;

/// What a line comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The least value.
    pub min: f64,
    /// The mean of the values.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
}

impl Spread {
    /// That of a line; `None` where it has no value. What is not a number is left out.
    pub(super) fn of(series: &Series) -> Option<Self> {
        let (mut count, mut sum) = (0.0, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in series.points.iter().map(|(_, value)| *value).filter(|value| value.is_finite()) {
            count += 1.0;
            sum += value;
            min = min.min(value);
            max = max.max(value);
        }
        (count > 0.0).then(|| Self { min, mean: sum / count, max })
    }

    /// Min, mean and max in words; dashes where there is none.
    pub(super) fn cells(spread: Option<Self>) -> [String; 3] {
        match spread {
            Some(Self { min, mean, max }) => [min, mean, max].map(number),
            None => std::array::from_fn(|_| "–".to_owned()),
        }
    }
}

/// Whole numbers, with separators, from 1000 on; three significant digits below. `report.js` writes them so too.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = plain(value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::from(if value < 0.0 { "−" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// The digits alone: as many decimals as make three significant digits.
fn plain(value: f64) -> String {
    let mut unit = 100.0;
    let mut decimals = 0;
    while value < unit && decimals < 12 {
        unit /= 10.0;
        decimals += 1;
    }
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        Series { name: String::new(), points: values.iter().map(|value| (0.0, *value)).collect() }
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, text) in [
            (0.0, "0"),
            (1_234_567.8, "1,234,568"),
            (999.7, "1,000"),
            (123.4, "123"),
            (17.10, "17.1"),
            (0.012_345, "0.0123"),
            (-4.0, "−4"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_spread_leaves_out_what_is_not_a_number() {
        let spread = Spread::of(&series(&[1.0, f64::NAN, 3.0]));
        assert_eq!(spread, Some(Spread { min: 1.0, mean: 2.0, max: 3.0 }));
        assert_eq!(Spread::of(&series(&[f64::NAN])), None);
        assert_eq!(Spread::cells(None), ["–", "–", "–"]);
    }
}
