//! The ack ledger: which delivery tags of a channel's life may be acknowledged (rule R1).

use std::collections::BTreeMap;

/// Batches are committed in any order; acks are `multiple` and so may cover only a committed prefix without a gap.
///
/// A ledger lives as long as its channel: tags of another channel mean other messages.
#[derive(Debug, Default)]
pub struct AckLedger {
    /// The last tag of the committed prefix.
    prefix: u64,
    /// Committed ranges beyond the prefix: first tag → last tag.
    beyond: BTreeMap<u64, u64>,
}

impl AckLedger {
    /// Notes that the messages `first..=last` are committed. Returns the tag to acknowledge up to, if the prefix grew.
    pub fn commit(&mut self, first: u64, last: u64) -> Option<u64> {
        debug_assert!(self.prefix < first && first <= last, "a tag is committed once");
        self.beyond.insert(first, last);
        let before = self.prefix;
        while let Some(entry) = self.beyond.first_entry() {
            if *entry.key() != self.prefix + 1 {
                break;
            }
            self.prefix = entry.remove();
        }
        (self.prefix > before).then_some(self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_holds_acks_back() {
        let mut ledger = AckLedger::default();
        assert_eq!(ledger.commit(4, 6), None);
        assert_eq!(ledger.commit(1, 2), Some(2));
        assert_eq!(ledger.commit(3, 3), Some(6));
    }

    #[test]
    #[should_panic(expected = "a tag is committed once")]
    fn a_tag_that_is_committed_twice_is_a_mistake() {
        let mut ledger = AckLedger::default();
        ledger.commit(1, 2);
        ledger.commit(2, 3);
    }

    proptest! {
        #[test]
        fn what_is_acked_is_committed_and_in_the_end_all_is(
            (sizes, order) in proptest::collection::vec(1_u64..20, 1..30)
                .prop_flat_map(|sizes| {
                    let order: Vec<usize> = (0..sizes.len()).collect();
                    (Just(sizes), Just(order).prop_shuffle())
                })
        ) {
            let mut ranges = Vec::new();
            let mut next = 1;
            for size in sizes {
                ranges.push((next, next + size - 1));
                next += size;
            }
            let mut ledger = AckLedger::default();
            let mut committed = vec![false; usize::try_from(next).unwrap()];
            let mut acked = 0;
            for index in order {
                let (first, last) = ranges[index];
                for tag in first..=last {
                    committed[usize::try_from(tag).unwrap()] = true;
                }
                if let Some(tag) = ledger.commit(first, last) {
                    prop_assert!(tag > acked);
                    acked = tag;
                }
                prop_assert!((1..=acked).all(|tag| committed[usize::try_from(tag).unwrap()]));
            }
            prop_assert_eq!(acked, next - 1);
        }
    }
}
