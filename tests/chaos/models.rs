//! The ack ledger against a model of a channel: commits in any order, the channel lost at any moment, everything that was not
//! acknowledged delivered again.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use dead_letter::ingest::AckLedger;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::stand::seed;
use crate::table::{Row, is_full};

const MESSAGES: u64 = 40;
const ALL: u64 = (1 << MESSAGES) - 1;

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    /// So many messages are delivered into the batch that is gathered.
    Deliver(usize),
    /// The batch is full.
    Close,
    /// One of the batches that are written is committed, and we are told.
    Commit(usize),
    /// It is committed, and the answer lost: it is written again.
    CommitUntold(usize),
    /// From now on acks do not arrive.
    SwallowAcks,
    /// The channel is lost; of the batches that are written those of these bits are committed all the same.
    Lose(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..8_usize).prop_map(Step::Deliver),
        5 => Just(Step::Close),
        8 => (0..8_usize).prop_map(Step::Commit),
        2 => (0..8_usize).prop_map(Step::CommitUntold),
        1 => Just(Step::SwallowAcks),
        1 => any::<u8>().prop_map(Step::Lose),
    ]
}

/// Broker, channel, service and database in one.
#[derive(Default)]
struct Model {
    queue: VecDeque<u64>,
    /// Delivered and not acknowledged, by tag.
    out: BTreeMap<u64, u64>,
    next_tag: u64,
    swallows: bool,
    /// A bit for each message.
    stored: u64,
    ledger: AckLedger,
    /// Tags that are committed on this channel, as we are told, from the first one on.
    committed: Vec<bool>,
    acked: u64,
    batch: Vec<(u64, u64)>,
    writing: Vec<Vec<(u64, u64)>>,
}

impl Model {
    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Deliver(count) => self.deliver(*count),
            Step::Close if self.batch.is_empty() => {}
            Step::Close => self.writing.push(std::mem::take(&mut self.batch)),
            Step::Commit(_) | Step::CommitUntold(_) if self.writing.is_empty() => {}
            Step::Commit(which) => {
                let batch = self.writing.remove(which % self.writing.len());
                return self.commit(&batch);
            }
            Step::CommitUntold(which) => {
                let which = which % self.writing.len();
                self.stored |= bits(&self.writing[which]);
            }
            Step::SwallowAcks => self.swallows = true,
            Step::Lose(committed) => self.lose(*committed),
        }
        Ok(())
    }

    fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.queue.pop_front() else { return };
            self.next_tag += 1;
            self.out.insert(self.next_tag, message);
            self.batch.push((self.next_tag, message));
        }
    }

    fn commit(&mut self, batch: &[(u64, u64)]) -> Result<(), TestCaseError> {
        self.stored |= bits(batch);
        self.committed.resize(self.next_tag as usize, false);
        for (tag, _) in batch {
            self.committed[*tag as usize - 1] = true;
        }
        let prefix = self.committed.iter().take_while(|committed| **committed).count() as u64;
        let ack = self.ledger.commit(batch[0].0, batch[batch.len() - 1].0);
        // All that may be acknowledged is, at once, and nothing else; a tag that is not out would close the channel.
        prop_assert_eq!(ack, (prefix > self.acked).then_some(prefix));
        let Some(tag) = ack else { return Ok(()) };
        self.acked = tag;
        if !self.swallows {
            prop_assert!(self.out.contains_key(&tag));
            let rest = self.out.split_off(&(tag + 1));
            let gone = std::mem::replace(&mut self.out, rest);
            prop_assert!(gone.values().all(|message| self.stored >> message & 1 == 1), "R1");
        }
        Ok(())
    }

    fn lose(&mut self, committed: u8) {
        for (number, batch) in self.writing.drain(..).enumerate() {
            if committed >> (number % 8) & 1 == 1 {
                self.stored |= bits(&batch);
            }
        }
        for (_, message) in std::mem::take(&mut self.out).into_iter().rev() {
            self.queue.push_front(message);
        }
        let (queue, stored) = (std::mem::take(&mut self.queue), self.stored);
        *self = Self { queue, stored, ..Self::default() };
    }

    /// R2: every message is stored, or still the broker's.
    fn check(&self) -> Result<(), TestCaseError> {
        let with_the_broker = self.queue.iter().chain(self.out.values());
        prop_assert_eq!(with_the_broker.fold(self.stored, |all, message| all | 1 << message), ALL);
        Ok(())
    }
}

fn bits(batch: &[(u64, u64)]) -> u64 {
    batch.iter().fold(0, |all, (_, message)| all | 1 << message)
}

fn schedule(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model { queue: (0..MESSAGES).collect(), ..Model::default() };
    for step in steps {
        model.take(step)?;
        model.check()?;
    }
    // The storm is over.
    if model.swallows {
        model.take(&Step::Lose(0))?;
    }
    for step in [Step::Deliver(usize::MAX), Step::Close] {
        model.take(&step)?;
    }
    while !model.writing.is_empty() {
        model.take(&Step::Commit(steps.len()))?;
    }
    prop_assert!(model.queue.is_empty() && model.out.is_empty(), "all is acknowledged in the end");
    prop_assert_eq!(model.stored, ALL);
    Ok(())
}

/// R1, R2.
#[test]
fn ack_ledger_equals_its_model() {
    let schedules = if is_full() { 100_000 } else { 3_000 };
    let mut row =
        Row::new("schedules of commits and lost channels, the ack ledger against a model", schedules);
    let lost = Cell::new(0_usize);
    let result = runner(schedules).run(&proptest::collection::vec(step(), 0..60), |steps| {
        lost.set(lost.get() + steps.iter().filter(|step| matches!(step, Step::Lose(_))).count());
        schedule(&steps)
    });
    row.figure("channels lost", lost.get());
    row.must(result.is_ok(), format!("{result:?}"));
    row.finish();
}

fn runner(schedules: usize) -> TestRunner {
    let config = Config { cases: schedules as u32, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
