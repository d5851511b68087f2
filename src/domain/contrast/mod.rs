//! What sets some dead letters apart from others: the conditions that hold for nearly all of the ones, and for hardly any of the others.
//!
//! The score of a condition is the difference of its shares on both sides, each taken at the unfavourable end of its confidence interval:
//! what was seen in few dead letters scores low, whatever the shares are. docs/adr/0041 compares this with other measures.

mod candidate;
mod interval;
mod rows;
#[cfg(test)]
mod tests;
mod wilson;

use candidate::{Candidate, Sizes};

use super::attribute::{Attribute, AttributeKind, Sample, Side};

/// Distinctions that are told.
const MAX_TOLD: usize = 10;
/// Conditions that are told along with another.
const MAX_TOGETHER: usize = 5;
/// Lowest score that is told. Chance reaches less.
const MIN_SCORE: f64 = 0.1;
/// Lowest share of what all have in common, where there is nothing to compare with.
const MIN_COMMON: f64 = 0.8;
/// Conditions hold for nearly the same dead letters from this part of the rows on that either holds for.
const SAME: f64 = 0.97;
/// Of so many conditions each is combined with each.
const COMBINED: usize = 12;
/// A combination scores so much more than its parts.
const GAIN: f64 = 0.08;

/// Fewest dead letters of which something can be said.
pub const FEWEST: usize = 3;

/// What a condition says of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of its values is this.
    Is(String),
    /// It is there, and none of its values is this.
    IsNot(String),
    /// It is there.
    Present,
    /// It is not there.
    Missing,
    /// One of its values is a number from the first to the second one, both included. `None`: no bound.
    Between(Option<f64>, Option<f64>),
}

/// A condition on a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Of what.
    pub attribute: Attribute,
    /// What holds of it.
    pub test: Test,
}

/// How many dead letters of a side a condition holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// So many,
    pub count: usize,
    /// of so many in which it could be read.
    pub of: usize,
}

impl Share {
    /// From 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn value(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.count as f64 / self.of as f64 }
    }
}

/// What sets one side apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Distinction {
    /// All of them hold. One, or two.
    pub conditions: Vec<Condition>,
    /// Where the cause is looked for.
    pub inside: Share,
    /// In what it is compared with.
    pub outside: Share,
    /// Conditions that hold for nearly the same dead letters.
    pub together: Vec<Condition>,
}

/// What sets the inside apart from the outside, best first. Without an outside: what nearly all inside have in common.
pub fn contrast(sample: &Sample) -> Vec<Distinction> {
    let sizes = Sizes::of(sample);
    if sample.of(Side::Inside) < FEWEST {
        return Vec::new();
    }
    let columns = sample.columns().iter().filter(|column| is_cause(column.attribute.kind));
    let mut candidates: Vec<_> = if sample.of(Side::Outside) == 0 {
        columns.filter_map(|column| Candidate::common(sample, column, &sizes)).collect()
    } else {
        columns.filter_map(|column| Candidate::best(sample, column, &sizes)).collect()
    };
    candidates.sort_by(Candidate::order);
    let mut told: Vec<(Candidate, Vec<Condition>)> = Vec::new();
    for candidate in candidates {
        let same = told.iter_mut().find(|(other, _)| other.rows.likeness(&candidate.rows) >= SAME);
        match same {
            Some((_, together)) => together.extend(candidate.conditions),
            None => told.push((candidate, Vec::new())),
        }
    }
    if let Some(combination) = combination(&told, &sizes) {
        let place = told.partition_point(|(other, _)| other.score >= combination.score);
        told.insert(place, (combination, Vec::new()));
    }
    told.truncate(MAX_TOLD);
    told.into_iter().map(|(candidate, together)| candidate.distinction(together)).collect()
}

/// Whether it can be a cause, and is no part of what the error groups are made by.
fn is_cause(kind: AttributeKind) -> bool {
    !matches!(kind, AttributeKind::ErrorGroup | AttributeKind::ErrorType | AttributeKind::Hour)
}

/// The best pair of conditions, if it is better than either.
fn combination(told: &[(Candidate, Vec<Condition>)], sizes: &Sizes) -> Option<Candidate> {
    let few = &told[..told.len().min(COMBINED)];
    let pairs = few.iter().enumerate().flat_map(|(at, one)| few[at + 1..].iter().map(move |two| (one, two)));
    pairs
        .filter_map(|((one, _), (two, _))| {
            let both = one.and(two, sizes);
            (both.score >= one.score.max(two.score) + GAIN).then_some(both)
        })
        .max_by(|one, other| one.score.total_cmp(&other.score))
}
