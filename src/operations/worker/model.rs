//! The state machine of operations in random schedules: workers of two processes take chunks, publish, fail to record, are
//! killed at any step; operations overlap. The database is a model of its rules (an item is locked by one worker, a chunk is
//! recorded as a whole or not at all, a dead letter is in one live operation); what a worker does is the real code.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::amqp::{Receipt, Refusal};
use crate::domain::operation::{Sequence, State};
use crate::operations::chunk_result::ChunkResult;
use crate::operations::outcome_cache::OutcomeCache;
use uuid::Uuid;

const LETTERS: usize = 8;
const CHUNK: usize = 3;
/// Two processes with two workers each.
const WORKERS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody asks for an operation on the dead letters of these bits.
    Ask { delete: bool, rate: Option<u32>, order: Sequence, letters: u8 },
    /// A worker goes on: takes a chunk, publishes it with these fates (two bits each), or records what it did.
    Work { worker: usize, fates: u8, record: Record },
    /// A process is killed, with its workers and all that it knows.
    Kill { process: usize },
    /// Time passes, in milliseconds.
    Wait(i64),
}

/// How recording goes.
#[derive(Clone, Copy, Debug)]
enum Record {
    Committed,
    /// It is not, and the worker is told so.
    Failed,
    /// It is, and the worker is told that it is not.
    AnswerLost,
}

fn step() -> impl Strategy<Value = Step> {
    let rate = prop_oneof![3 => Just(None), 1 => (1..5_u32).prop_map(Some)];
    let order = prop::sample::select(Sequence::ALL);
    let record =
        prop_oneof![4 => Just(Record::Committed), 2 => Just(Record::Failed), 1 => Just(Record::AnswerLost)];
    prop_oneof![
        3 => (prop::bool::weighted(0.3), rate, order, any::<u8>())
            .prop_map(|(delete, rate, order, letters)| Step::Ask { delete, rate, order, letters }),
        15 => (0..WORKERS, any::<u8>(), record)
            .prop_map(|(worker, fates, record)| Step::Work { worker, fates, record }),
        1 => (0..2_usize).prop_map(|process| Step::Kill { process }),
        2 => (0..1500_i64).prop_map(Step::Wait),
    ]
}

#[derive(Debug)]
struct Row {
    letter: usize,
    outcome: Option<Settled>,
}

struct Asked {
    operation: Operation,
    rows: Vec<Row>,
    next_chunk_at: DateTime<Utc>,
}

struct Held {
    asked: usize,
    items: Vec<ChunkItem>,
    begun_at: DateTime<Utc>,
    done: Option<ChunkResult>,
}

struct Model {
    letters: Vec<(Uuid, Status)>,
    asked: Vec<Asked>,
    workers: [Option<Held>; WORKERS],
    processes: [OutcomeCache; 2],
    /// What is in the queues: dead letter and redelivery id.
    queues: HashSet<(usize, Uuid)>,
    /// The redelivery id of an operation's item, since it was first published.
    ids: HashMap<(usize, i64), Uuid>,
    /// What each process was told about items of operations, and not killed since.
    told: [BTreeSet<(usize, i64)>; 2],
    now: DateTime<Utc>,
}

impl Model {
    fn new() -> Self {
        let letters = (1..=LETTERS).map(|number| (Uuid::from_u128(number as u128), Status::Dead)).collect();
        Self {
            letters,
            asked: Vec::new(),
            workers: Default::default(),
            processes: Default::default(),
            queues: HashSet::new(),
            ids: HashMap::new(),
            told: Default::default(),
            now: DateTime::UNIX_EPOCH,
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask { delete, rate, order, letters } => self.ask(*delete, *rate, *order, *letters),
            Step::Work { worker, fates, record } => match self.workers[*worker].take() {
                None => self.take_chunk(*worker),
                Some(held) if held.done.is_none() => return self.act(*worker, held, *fates),
                Some(held) => return self.record(*worker, held, *record),
            },
            Step::Kill { process } => {
                self.workers[process * 2] = None;
                self.workers[process * 2 + 1] = None;
                self.processes[*process] = OutcomeCache::default();
                self.told[*process].clear();
            }
            Step::Wait(milliseconds) => self.now += TimeDelta::milliseconds(*milliseconds),
        }
        Ok(())
    }

    /// What the database says of a new operation: see `store/freeze.rs`.
    fn ask(&mut self, delete: bool, rate: Option<u32>, order: Sequence, letters: u8) {
        let id = Uuid::from_u128(1000 + self.asked.len() as u128);
        let chosen = (0..LETTERS).filter(|letter| letters >> letter & 1 == 1);
        let rows = (1..).zip(chosen).map(|(position, letter)| {
            let is_live = self
                .asked
                .iter()
                .flat_map(|asked| &asked.rows)
                .any(|row| row.letter == letter && row.outcome.is_none());
            let is_free = self.letters[letter].1 == Status::Dead && !is_live;
            let outcome = (!is_free).then(|| Settled {
                position,
                dead_letter: self.letters[letter].0,
                outcome: Outcome::Skipped,
                detail: None,
                redelivery_id: None,
            });
            Row { letter, outcome }
        });
        let rows: Vec<Row> = rows.collect();
        let operation = Operation {
            id,
            kind: if delete { Kind::Delete } else { Kind::Redeliver },
            state: State::Pending,
            order,
            rate,
            total: i64::try_from(rows.len()).unwrap(),
            created_at: self.now,
            ..Operation::made()
        };
        self.asked.push(Asked { operation, rows, next_chunk_at: self.now });
    }

    /// What the database gives to a worker: see `store/chunk.rs`.
    fn take_chunk(&mut self, worker: usize) {
        for (number, asked) in self.asked.iter().enumerate() {
            let locked: Vec<i64> = self
                .workers
                .iter()
                .flatten()
                .filter(|held| held.asked == number)
                .flat_map(|held| &held.items)
                .map(|item| item.position)
                .collect();
            let at_work = self.workers.iter().flatten().any(|held| held.asked == number);
            if asked.next_chunk_at > self.now || (asked.operation.has_one_worker() && at_work) {
                continue;
            }
            let most = asked.operation.rate.map_or(CHUNK, |rate| CHUNK.min(rate as usize));
            let open = (1_i64..).zip(&asked.rows).filter(|(_, row)| row.outcome.is_none());
            let items: Vec<ChunkItem> = open
                .map(|(position, row)| (position, self.letters[row.letter]))
                .filter(|(position, _)| !locked.contains(position))
                .take(most)
                .map(|(position, (id, status))| ChunkItem::made(position, asked.operation.id, id, status))
                .collect();
            if !items.is_empty() {
                self.workers[worker] = Some(Held { asked: number, items, begun_at: self.now, done: None });
                return;
            }
        }
    }

    /// What a worker does with its chunk, but that the broker is the schedule's.
    fn act(&mut self, worker: usize, mut held: Held, fates: u8) -> Result<(), TestCaseError> {
        let (process, operation) = (worker / 2, &self.asked[held.asked].operation);
        let mut done = match operation.kind {
            Kind::Delete => settle_all(acted_on(&held.items, Status::Dead), Outcome::Deleted, None),
            Kind::Restore => unreachable!("nobody asks for it here"),
            Kind::Redeliver => {
                let known = self.processes[process].of(operation.id, acted_on(&held.items, Status::Dead));
                let mut done = ChunkResult::default();
                let unknown = held.items.iter().filter(|item| is_unknown(item, Status::Dead, &known));
                for (number, item) in unknown.enumerate() {
                    let told = self.told[process].contains(&(held.asked, item.position));
                    prop_assert!(!told, "a process publishes again what it was told about");
                    let letter =
                        self.letters.iter().position(|(id, _)| *id == item.dead_letter).expect("it is there");
                    let (comes, receipt) = match fates >> (2 * (number % 4)) & 3 {
                        0 => (true, Receipt::Confirmed),
                        1 => (false, Receipt::Refused(Refusal::new("returned", "no route"))),
                        2 => (true, Receipt::Unknown("the answer is lost".into())),
                        _ => (false, Receipt::Unknown("it did not arrive".into())),
                    };
                    let id = item.redelivery_id;
                    let first = *self.ids.entry((held.asked, item.position)).or_insert(id);
                    prop_assert_eq!(first, id, "R10: each try has the same id");
                    if comes {
                        self.queues.insert((letter, id));
                    }
                    if !matches!(receipt, Receipt::Unknown(_)) {
                        self.told[process].insert((held.asked, item.position));
                    }
                    done.settle(item, receipt);
                }
                done.settled.extend(known);
                self.processes[process].keep(operation.id, &done.settled);
                done
            }
        };
        done.settled.extend(held.items.iter().filter_map(|item| skipped(item, Status::Dead)));
        held.done = Some(done);
        self.workers[worker] = Some(held);
        Ok(())
    }

    fn record(&mut self, worker: usize, held: Held, how: Record) -> Result<(), TestCaseError> {
        let Held { asked: number, items, begun_at, done } = held;
        let done = done.expect("it acted");
        if matches!(how, Record::Failed) {
            return Ok(());
        }
        let asked = &mut self.asked[number];
        for settled in &done.settled {
            let row = &mut asked.rows[usize::try_from(settled.position).expect("from 1") - 1];
            let letter = &mut self.letters[row.letter];
            prop_assert!(row.outcome.is_none(), "an item ends once");
            let to = match settled.outcome {
                Outcome::Sent => Status::Redelivered,
                Outcome::Deleted => Status::Deleted,
                Outcome::Restored | Outcome::Returned | Outcome::Refused | Outcome::Skipped => letter.1,
            };
            let acts = matches!(settled.outcome, Outcome::Sent | Outcome::Deleted);
            prop_assert!(!acts || letter.1 == Status::Dead, "R8: nobody else changed it");
            letter.1 = to;
            if settled.outcome == Outcome::Sent {
                let id = settled.redelivery_id.expect("what is sent has one");
                prop_assert_eq!(self.ids.get(&(number, settled.position)), Some(&id), "R10");
                prop_assert!(self.queues.contains(&(row.letter, id)), "R7: what is sent is in a queue");
            }
            row.outcome = Some(settled.clone());
        }
        asked.next_chunk_at = match done.hold {
            Some(_) => self.now + RETRY,
            None => begun_at + spacing(&asked.operation, items.len()),
        };
        let completed = asked.rows.iter().all(|row| row.outcome.is_some());
        if matches!(how, Record::Committed) {
            self.processes[worker / 2].forget(asked.operation.id, &done.settled);
            if completed {
                self.processes[worker / 2].forget_all_of(&[asked.operation.id]);
            }
        }
        Ok(())
    }

    /// One worker does the rest, and nothing fails.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for worker in 1..WORKERS {
            self.workers[worker] = None;
        }
        let most = 3 * LETTERS * (self.asked.len() + 1);
        for _ in 0..most {
            if self.asked.iter().flat_map(|asked| &asked.rows).all(|row| row.outcome.is_some()) {
                break;
            }
            for step in [
                Step::Work { worker: 0, fates: 0, record: Record::Committed },
                Step::Wait(RETRY.num_milliseconds()),
            ] {
                self.take(&step)?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut acts: BTreeMap<usize, Vec<Outcome>> = BTreeMap::new();
        for asked in &self.asked {
            for row in &asked.rows {
                let settled = row.outcome.as_ref();
                prop_assert!(settled.is_some(), "every item ends: {} {row:?}", asked.operation.id);
                let outcome = settled.expect("it ended").outcome;
                if matches!(outcome, Outcome::Sent | Outcome::Deleted) {
                    acts.entry(row.letter).or_default().push(outcome);
                }
            }
        }
        for (letter, (id, status)) in self.letters.iter().enumerate() {
            let expected = match status {
                Status::Dead => vec![],
                Status::Redelivered => vec![Outcome::Sent],
                Status::Deleted => vec![Outcome::Deleted],
            };
            let found = acts.remove(&letter).unwrap_or_default();
            prop_assert_eq!(found, expected, "R8, R11: {}", id);
        }
        let distinct: HashSet<Uuid> = self.ids.values().copied().collect();
        prop_assert_eq!(distinct.len(), self.ids.len(), "R10: each item has an id of its own");
        Ok(())
    }
}

/// As many as `make chaos` says, or a few with `make test`.
fn schedules() -> ProptestConfig {
    let cases = if std::env::var("CHAOS").is_ok_and(|chaos| chaos == "full") { 100_000 } else { 2_000 };
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(schedules())]

    /// R7, R8, R10, R11.
    #[test]
    fn operations_keep_their_rules(steps in proptest::collection::vec(step(), 0..80)) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step)?;
        }
        model.finish()?;
        model.check()?;
    }
}
