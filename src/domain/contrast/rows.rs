//! A set of rows of a sample.

/// One bit for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows(Vec<u64>);

impl Rows {
    /// None, of so many.
    pub fn none(of: usize) -> Self {
        Self(vec![0; of.div_ceil(64)])
    }

    pub fn add(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those that are in both.
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, |one, other| one & other)
    }

    /// Those that are in this one only.
    pub fn without(&self, other: &Self) -> Self {
        self.combine(other, |one, other| one & !other)
    }

    /// How many are in both, as a part of those that are in either. 1 if both are the same.
    pub fn likeness(&self, other: &Self) -> f64 {
        let either = self.combine(other, |one, other| one | other).len();
        #[expect(clippy::cast_precision_loss, reason = "samples are small")]
        let part = self.and(other).len() as f64 / either.max(1) as f64;
        part
    }

    fn combine(&self, other: &Self, by: impl Fn(u64, u64) -> u64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| by(*one, *other)).collect())
    }
}
