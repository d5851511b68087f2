//! Whether two JSON texts say the same, whatever the white space, the order of members, and the ways to write a string or a
//! number.

use std::ops::Range;

use crate::domain::exact;
use crate::domain::spans::{parts, string, whole};

/// Both are valid, and of bounded depth.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    same(&Value { text: one, place: whole(one) }, &Value { text: other, place: whole(other) })
}

struct Value<'t> {
    text: &'t [u8],
    place: Range<usize>,
}

impl<'t> Value<'t> {
    fn text(&self) -> &'t [u8] {
        &self.text[self.place.clone()]
    }

    fn parts(&self) -> impl Iterator<Item = (Range<usize>, Self)> + use<'t> {
        let text = self.text;
        parts(text, &self.place).map(move |part| (part.name, Value { text, place: part.value }))
    }

    /// The members in the order of their names, where there are so many.
    fn members(&self, count: usize) -> Option<Vec<(Vec<u8>, Self)>> {
        let mut members = Vec::new();
        for (name, value) in self.parts() {
            if members.len() == count {
                return None;
            }
            members.push((string(&self.text[name]).into_owned(), value));
        }
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        (members.len() == count).then_some(members)
    }
}

fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one.text(), other.text()) {
        ([b'{', ..], [b'{', ..]) => {
            // The other is of the patch, and so the smaller one.
            let count = other.parts().count();
            let (Some(ones), Some(others)) = (one.members(count), other.members(count)) else { return false };
            ones.into_iter()
                .zip(others)
                .all(|((one_name, one), (other_name, other))| one_name == other_name && same(&one, &other))
        }
        ([b'[', ..], [b'[', ..]) => {
            let (mut ones, mut others) = (one.parts(), other.parts());
            loop {
                match (ones.next(), others.next()) {
                    (None, None) => return true,
                    (Some((_, one)), Some((_, other))) if same(&one, &other) => {}
                    _ => return false,
                }
            }
        }
        (one @ [b'"', ..], other @ [b'"', ..]) => string(one) == string(other),
        (one @ [b'-' | b'0'..=b'9', ..], other @ [b'-' | b'0'..=b'9', ..]) => {
            exact::is_same_number(one, other)
        }
        (one, other) => one == other,
    }
}
