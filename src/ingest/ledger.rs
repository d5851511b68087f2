//! The ack ledger: the delivery tags of one channel, and which of them may be acknowledged (rule R1).

use std::collections::BTreeMap;

/// Batches are committed in any order. Acks are `multiple`, and so may only cover a committed prefix without a gap.
///
/// A ledger belongs to one channel: on another channel the same tags mean other messages.
#[derive(Debug, Default)]
pub struct AckLedger {
    /// The last tag that arrived.
    arrived: u64,
    /// The last tag that arrived before the current consumer began.
    before_consumer: u64,
    /// The last tag that was acknowledged.
    acked: u64,
    /// The last tag of the committed prefix.
    prefix: u64,
    /// Committed ranges beyond the prefix: first tag → last tag.
    beyond: BTreeMap<u64, u64>,
}

impl AckLedger {
    /// Notes a delivery. Fails with the tag that was due if another one came: the client library drops what it receives for a
    /// consumer that the broker has cancelled, and nothing after a gap could ever be acknowledged.
    pub(super) fn arrive(&mut self, tag: u64) -> Result<(), u64> {
        let due = self.arrived + 1;
        if tag != due {
            return Err(due);
        }
        self.arrived = tag;
        Ok(())
    }

    /// Notes that a new consumer begins.
    pub(super) fn begin_consumer(&mut self) {
        self.before_consumer = self.arrived;
    }

    /// Notes that the broker was told of the acknowledgement up to this tag.
    pub(super) fn acked(&mut self, tag: u64) {
        self.acked = tag;
    }

    pub(super) fn has_acked(&self) -> bool {
        self.acked > 0
    }

    /// How many messages of the current consumer are not acknowledged.
    pub(super) fn in_hand(&self) -> u64 {
        self.arrived - self.acked.max(self.before_consumer)
    }

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
    fn a_delivery_out_of_turn_is_refused() {
        let mut ledger = AckLedger::default();
        assert_eq!((ledger.arrive(1), ledger.arrive(3), ledger.arrive(2)), (Ok(()), Err(2), Ok(())));
        assert_eq!((ledger.in_hand(), ledger.has_acked()), (2, false));
        ledger.acked(1);
        assert_eq!((ledger.in_hand(), ledger.has_acked()), (1, true));
        ledger.begin_consumer();
        assert_eq!(ledger.in_hand(), 0);
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
