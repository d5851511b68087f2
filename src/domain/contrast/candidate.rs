//! Conditions that may set one side apart.

use std::cmp::Ordering;

use super::rows::Rows;
use super::wilson::{self, Confidence};
use super::{Condition, Distinction, MAX_TOGETHER, MIN_COMMON, MIN_SCORE, Share, Test, interval};
use crate::domain::attribute::{AttributeKind, Column, Entry, Layer, OTHER, Sample, Side};

/// What a score is multiplied by where a condition has more freedom to fit by chance, or says less.
const BY_RANGE: f64 = 0.95;
const BY_TIME: f64 = 0.9;
const BY_ABSENCE: f64 = 0.95;

/// Which rows are on which side, and in which of them each layer was read.
pub(super) struct Sizes {
    inside: Rows,
    row: Rows,
    properties: Rows,
    body: Rows,
}

impl Sizes {
    pub fn of(sample: &Sample) -> Self {
        let of = |is_in: &dyn Fn(usize) -> bool| {
            let mut rows = Rows::none(sample.rows());
            (0..sample.rows()).filter(|row| is_in(*row)).for_each(|row| rows.add(row));
            rows
        };
        Self {
            inside: of(&|row| sample.side(row) == Some(Side::Inside)),
            row: of(&|_| true),
            properties: of(&|row| sample.is_read(row, Layer::Properties)),
            body: of(&|row| sample.is_read(row, Layer::Body)),
        }
    }

    fn read(&self, layer: Layer) -> &Rows {
        match layer {
            Layer::Row => &self.row,
            Layer::Properties => &self.properties,
            Layer::Body => &self.body,
        }
    }

    /// The shares of these rows on either side, among those that could be read.
    fn shares(&self, rows: &Rows, read: &Rows) -> (Share, Share) {
        let inside = Share { count: rows.and(&self.inside).len(), of: read.and(&self.inside).len() };
        let outside = Share { count: rows.len() - inside.count, of: read.len() - inside.of };
        (inside, outside)
    }
}

/// One, or a combination of two.
#[derive(Clone)]
pub(super) struct Candidate {
    pub conditions: Vec<Condition>,
    pub rows: Rows,
    pub score: f64,
    read: Rows,
    inside: Share,
    outside: Share,
}

impl Candidate {
    fn new(conditions: Vec<Condition>, rows: Rows, read: Rows, sizes: &Sizes) -> Self {
        let (inside, outside) = sizes.shares(&rows, &read);
        let weight: f64 = conditions.iter().map(weight).product();
        let is_fitted = conditions.iter().any(|condition| matches!(condition.test, Test::Between(..)));
        let confidence = if is_fitted { Confidence::STRICT } else { Confidence::USUAL };
        let score = (wilson::low(inside, confidence) - wilson::high(outside, confidence)) * weight;
        Self { conditions, rows, score, read, inside, outside }
    }

    /// The best condition on an attribute, if it is any good.
    pub fn best(sample: &Sample, column: &Column, sizes: &Sizes) -> Option<Self> {
        let read = sizes.read(column.attribute.kind.layer());
        let present = rows_of(sample, column, |_| true);
        let mut tests = vec![(Test::Present, present.clone()), (Test::Missing, read.without(&present))];
        let of_value = |value: u32| rows_of(sample, column, |entry| entry.value == value);
        let (common, rare) = extremes(column, sizes, sample);
        for value in [common, rare].into_iter().flatten() {
            let (rows, text) = (of_value(value), column.values[value as usize].clone());
            tests.push((Test::IsNot(text.clone()), present.without(&rows)));
            tests.push((Test::Is(text), rows));
        }
        if let Some((from, to)) = range(column, sizes, sample) {
            let is_in =
                |number: f64| from.is_none_or(|from| number >= from) && to.is_none_or(|to| number <= to);
            let rows = rows_of(sample, column, |entry| entry.number.is_some_and(is_in));
            tests.push((Test::Between(from, to), rows));
        }
        let candidates = tests.into_iter().map(|(test, rows)| {
            let condition = Condition { attribute: column.attribute.clone(), test };
            Self::new(vec![condition], rows, read.clone(), sizes)
        });
        candidates.min_by(Self::order).filter(|best| best.score >= MIN_SCORE)
    }

    /// The value that nearly all have, if there is one.
    pub fn common(sample: &Sample, column: &Column, sizes: &Sizes) -> Option<Self> {
        let read = sizes.read(column.attribute.kind.layer());
        let (common, _) = extremes(column, sizes, sample);
        let rows = rows_of(sample, column, |entry| Some(entry.value) == common);
        let test = Test::Is(column.values[common? as usize].clone());
        let condition = Condition { attribute: column.attribute.clone(), test };
        let candidate = Self::new(vec![condition], rows, read.clone(), sizes);
        let score = wilson::low(candidate.inside, Confidence::USUAL);
        (candidate.inside.value() >= MIN_COMMON).then_some(Self { score, ..candidate })
    }

    /// Both at once.
    pub fn and(&self, other: &Self, sizes: &Sizes) -> Self {
        let conditions = [self.conditions.clone(), other.conditions.clone()].concat();
        Self::new(conditions, self.rows.and(&other.rows), self.read.and(&other.read), sizes)
    }

    /// The best first. What scores the same is in the order in which people want to hear it.
    pub fn order(&self, other: &Self) -> Ordering {
        let rounded = |score: f64| (score * 100.0).round();
        let rank = |candidate: &Self| {
            candidate.conditions.first().map(|condition| (rank(&condition.test), condition.attribute.clone()))
        };
        rounded(other.score).total_cmp(&rounded(self.score)).then_with(|| rank(self).cmp(&rank(other)))
    }

    pub fn distinction(self, mut together: Vec<Condition>) -> Distinction {
        together.truncate(MAX_TOGETHER);
        let Self { conditions, inside, outside, .. } = self;
        Distinction { conditions, inside, outside, together }
    }
}

fn rank(test: &Test) -> u8 {
    match test {
        Test::Is(_) => 0,
        Test::Between(..) => 1,
        Test::Missing => 2,
        Test::Present => 3,
        Test::IsNot(_) => 4,
    }
}

fn weight(condition: &Condition) -> f64 {
    match &condition.test {
        Test::Between(..) if condition.attribute.kind == AttributeKind::DiedAt => BY_TIME,
        Test::Between(..) => BY_RANGE,
        Test::IsNot(_) => BY_ABSENCE,
        Test::Is(_) | Test::Present | Test::Missing => 1.0,
    }
}

fn rows_of(sample: &Sample, column: &Column, is_in: impl Fn(&Entry) -> bool) -> Rows {
    let mut rows = Rows::none(sample.rows());
    column.entries.iter().filter(|entry| is_in(entry)).for_each(|entry| rows.add(entry.row as usize));
    rows
}

/// The values that occur most and least inside, compared with the outside.
fn extremes(column: &Column, sizes: &Sizes, sample: &Sample) -> (Option<u32>, Option<u32>) {
    let mut shares = vec![0.0; column.values.len()];
    for (entry, weight) in weighed(column, sizes, sample).filter(|(entry, _)| entry.value != OTHER) {
        shares[entry.value as usize] += weight;
    }
    let values = || (0_u32..).zip(&shares);
    let most = values().max_by(|one, other| one.1.total_cmp(other.1)).map(|(value, _)| value);
    let least = values().min_by(|one, other| one.1.total_cmp(other.1)).map(|(value, _)| value);
    (most, least.filter(|least| Some(*least) != most))
}

fn range(column: &Column, sizes: &Sizes, sample: &Sample) -> Option<(Option<f64>, Option<f64>)> {
    let weighed = weighed(column, sizes, sample);
    interval::heaviest(weighed.filter_map(|(entry, weight)| Some((entry.number?, weight))).collect())
}

/// The entries, weighed so that all rows of a side weigh the same together.
fn weighed<'c>(
    column: &'c Column,
    sizes: &Sizes,
    sample: &'c Sample,
) -> impl Iterator<Item = (&'c Entry, f64)> {
    let (inside, outside) = sizes.shares(&sizes.row, sizes.read(column.attribute.kind.layer()));
    #[expect(clippy::cast_precision_loss, reason = "samples are small")]
    let part = |share: Share| 1.0 / share.of.max(1) as f64;
    let (inside, outside) = (part(inside), -part(outside));
    column.entries.iter().map(move |entry| {
        (entry, if sample.side(entry.row as usize) == Some(Side::Inside) { inside } else { outside })
    })
}
