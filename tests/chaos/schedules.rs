//! Operations in random schedules, through the real database: workers of two replicas take chunks, publish, are killed at any
//! step, or record, while more is asked for and more arrives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use dead_letter::clock;
use dead_letter::domain::audit::Actor;
use dead_letter::domain::convention::Failure;
use dead_letter::domain::dead_letter::{Derived, NewDeadLetter, Status};
use dead_letter::domain::filter::Filter;
use dead_letter::domain::fingerprint;
use dead_letter::domain::identity::redelivery_id;
use dead_letter::domain::operation::{
    Kind, NewOperation, Options, Outcome, Selection, Sequence, Settled, State, Steering,
};
use dead_letter::memory_budget::ChunkReservation;
use dead_letter::store::{Bounds, Chunk, ChunkItem, Follower, Frozen, Next, ServedPlaces, Store};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::stand::{repeat, seed};
use crate::support::{Database, id, until};
use crate::table::{Row, is_full};

const STEPS: usize = 60;
const WORKERS: usize = 4;
const CHUNK: i64 = 3;

/// R8, R9, R10, R11.
#[tokio::test(flavor = "multi_thread")]
async fn operations_keep_their_rules_in_any_order() {
    let schedules = if is_full() { 2_000 } else { 50 };
    let mut row = Row::new("schedules of operations in the database", schedules);
    let database = Database::shared().await;
    database.store().migrate().await.unwrap();
    let mut random = StdRng::seed_from_u64(seed());
    let stores = [database.store(), database.store()];
    let (mut killed, mut acted) = (0, 0);
    for number in 0..schedules {
        let mut play = Play::new(&stores, StdRng::seed_from_u64(random.random()));
        for _ in 0..STEPS {
            play.step().await;
        }
        play.finish().await;
        let wrong = play.wrong().await;
        assert!(wrong.is_empty(), "schedule {number}: {wrong:?}; {}", repeat());
        killed += play.killed;
        acted += play.status.values().filter(|status| **status != Status::Dead).count();
    }
    database.assert_counters_exact().await;
    row.figure("chunks dropped in the middle", killed);
    row.figure("sent or deleted", acted);
    row.finish();
}

/// A worker, between two steps.
#[derive(Debug, Default)]
enum Worker {
    #[default]
    Idle,
    Took(Chunk),
    Acted(Chunk, Vec<Settled>),
}

/// An operation as it has to be.
#[derive(Debug)]
struct Asked {
    kind: Kind,
    rate: Option<u32>,
    /// What became of each dead letter that was selected.
    items: BTreeMap<Uuid, Option<Outcome>>,
}

struct Play<'s> {
    stores: &'s [Store; 2],
    random: StdRng,
    service: String,
    status: HashMap<Uuid, Status>,
    asked: BTreeMap<Uuid, Asked>,
    workers: [Worker; WORKERS],
    /// Redelivery ids that a dead letter was published under, by operation.
    published: HashMap<(Uuid, Uuid), BTreeSet<Uuid>>,
    killed: usize,
    wrong: Vec<String>,
}

impl<'s> Play<'s> {
    fn new(stores: &'s [Store; 2], random: StdRng) -> Self {
        Self {
            stores,
            random,
            service: id(),
            status: HashMap::new(),
            asked: BTreeMap::new(),
            workers: Default::default(),
            published: HashMap::new(),
            killed: 0,
            wrong: Vec::new(),
        }
    }

    async fn step(&mut self) {
        let which = self.random.random_range(0..WORKERS);
        match (self.random.random_range(0..10), std::mem::take(&mut self.workers[which])) {
            (0, worker) => {
                self.workers[which] = worker;
                self.arrive().await;
            }
            (1, worker) => {
                self.workers[which] = worker;
                self.ask().await;
            }
            // Killed: its connection is gone with all that it had locked.
            (2, Worker::Took(_) | Worker::Acted(..)) => self.killed += 1,
            (_, Worker::Idle) => self.take(which).await,
            (_, Worker::Took(chunk)) => {
                let settled = self.act(&chunk, false);
                self.workers[which] = Worker::Acted(chunk, settled);
            }
            (_, Worker::Acted(chunk, settled)) => self.record(chunk, settled).await,
        }
    }

    async fn arrive(&mut self) {
        let rows: Vec<_> = (0..self.random.random_range(1..=6)).map(|_| self.dead_letter()).collect();
        self.stores[0].insert(&rows, clock::now()).await.unwrap();
        self.status.extend(rows.iter().map(|row| (row.id, Status::Dead)));
    }

    fn dead_letter(&self) -> NewDeadLetter {
        NewDeadLetter {
            id: clock::new_id(),
            identity: None,
            former_identity: None,
            latest_death: None,
            source: "s".into(),
            derived: Derived { service: self.service.clone(), ..Derived::default() },
            fingerprint: fingerprint::of(&self.service, &Failure::default()),
            warning: None,
            properties: vec![0, 0],
            body: vec![],
        }
    }

    async fn ask(&mut self) {
        let kind = if self.random.random_bool(0.7) { Kind::Redeliver } else { Kind::Delete };
        let rate = self.random.random_bool(0.3).then_some(2);
        let ids: Vec<Uuid> = if self.random.random() {
            self.status.keys().copied().filter(|_| self.random.random_bool(0.6)).collect()
        } else {
            Vec::new()
        };
        let (selection, selected) = if ids.is_empty() {
            let filter = Filter { services: Some(vec![self.service.clone()]), ..Filter::default() };
            let dead = self.status.iter().filter(|(_, status)| **status == Status::Dead);
            (Selection::Filter(Box::new(filter)), dead.map(|(id, _)| *id).collect())
        } else {
            (Selection::Ids(ids.clone()), ids)
        };
        let items =
            selected.iter().map(|id| (*id, (!self.is_free(*id)).then_some(Outcome::Skipped))).collect();
        let new = NewOperation {
            kind,
            selection,
            asked: serde_json::json!({}),
            options: Options {
                rate,
                order: *Sequence::ALL.choose(&mut self.random).unwrap(),
                ..Options::default()
            },
            within: None,
            approved_above: None,
            requested_by: Actor::default(),
            idempotency_key: None,
        };
        // What arrived in this millisecond is meant too.
        let now = clock::now() + TimeDelta::milliseconds(1);
        let frozen =
            self.stores[1].freeze(&new, clock::new_id(), now, CHUNK as u32, &Bounds::OFF).await.unwrap();
        let Frozen::New(id) = frozen else { panic!("known: {frozen:?}") };
        self.asked.insert(id, Asked { kind, rate, items });
    }

    /// Dead, and in no live operation.
    fn is_free(&self, letter: Uuid) -> bool {
        let is_live = |asked: &Asked| asked.items.get(&letter) == Some(&None);
        self.status[&letter] == Status::Dead && !self.asked.values().any(is_live)
    }

    async fn take(&mut self, which: usize) {
        let later = clock::now() + TimeDelta::hours(1);
        let (served, worker) = (ServedPlaces::new(Vec::new()), clock::new_id());
        let room = ChunkReservation::default();
        let (store, limits) = (&self.stores[which % 2], (CHUNK, 1 << 20));
        let leader = if self.random.random() { self.leader() } else { None };
        let chunk = match leader {
            Some(leader) => store.following_chunk(&leader, later, limits, &served).await.unwrap(),
            None => match store.next_chunk(worker, later, limits, &served, room).await.unwrap() {
                Next::Chunk(chunk) => Some(chunk),
                _ => None,
            },
        };
        let Some(chunk) = chunk.map(|chunk| *chunk) else { return };
        let held = self.workers.iter().filter_map(|worker| match worker {
            Worker::Took(other) | Worker::Acted(other, _) => Some(other),
            Worker::Idle => None,
        });
        let others: Vec<&Chunk> = held.filter(|other| other.operation.id == chunk.operation.id).collect();
        let asked = &self.asked[&chunk.operation.id];
        let position = |item: Option<&ChunkItem>| item.map(|item| item.position);
        let is_jump = leader.is_none()
            && chunk.operation.has_one_worker()
            && others.iter().any(|other| position(other.items.last()) < position(chunk.items.first()));
        let both = others.iter().any(|other| other.items.iter().any(|item| chunk.items.contains(item)));
        let mut wrong = vec![
            (both, "two workers have the same item"),
            (asked.rate.is_some() && !others.is_empty(), "two workers have an operation with a rate"),
            (
                is_jump,
                "a worker has what comes after the chunk of another one, of an operation that keeps an order",
            ),
        ];
        for item in &chunk.items {
            let open = asked.items.get(&item.dead_letter) == Some(&None);
            wrong.push((!open, "an item that was not selected or has ended"));
            wrong.push((item.status != Some(self.status[&item.dead_letter]), "an item of another status"));
        }
        self.wrong.extend(wrong.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()));
        self.workers[which] = Worker::Took(chunk);
    }

    /// What comes after a chunk of which all is known, where that may be read before the chunk is recorded.
    fn leader(&self) -> Option<Follower> {
        self.workers.iter().find_map(|worker| match worker {
            Worker::Acted(chunk, settled) if settled.len() == chunk.items.len() => chunk.follower(),
            _ => None,
        })
    }

    /// What a worker does: all of it, or with whatever the broker may answer.
    fn act(&mut self, chunk: &Chunk, all: bool) -> Vec<Settled> {
        let operation = &chunk.operation;
        let mut settled = Vec::new();
        for item in &chunk.items {
            let id = redelivery_id(operation.id, item.dead_letter);
            let fate = if all { 0 } else { self.random.random_range(0..5) };
            let outcome = match (operation.kind, fate) {
                (Kind::Delete, _) => Outcome::Deleted,
                (Kind::Restore, _) => unreachable!("nobody asks for it here"),
                (Kind::Redeliver, 3) => Outcome::Refused,
                (Kind::Redeliver, fate) => {
                    self.published.entry((operation.id, item.dead_letter)).or_default().insert(id);
                    // Nobody knows: it stays open.
                    if fate == 4 {
                        continue;
                    }
                    Outcome::Sent
                }
            };
            let (position, dead_letter, detail) = (item.position, item.dead_letter, None);
            let redelivery_id = (operation.kind == Kind::Redeliver).then_some(id);
            settled.push(Settled { position, dead_letter, outcome, detail, redelivery_id });
        }
        settled
    }

    async fn record(&mut self, chunk: Chunk, settled: Vec<Settled>) {
        let asked = self.asked.get_mut(&chunk.operation.id).unwrap();
        for item in &settled {
            asked.items.insert(item.dead_letter, Some(item.outcome));
            match item.outcome {
                Outcome::Sent => self.status.insert(item.dead_letter, Status::Redelivered),
                Outcome::Deleted => self.status.insert(item.dead_letter, Status::Deleted),
                Outcome::Restored | Outcome::Returned | Outcome::Refused | Outcome::Skipped => None,
            };
        }
        let is_over = asked.items.values().all(Option::is_some);
        let (operation, now) = (chunk.operation.id, clock::now());
        let over = chunk.record(&settled, 0, None, now, now).await.unwrap();
        if over != is_over {
            self.wrong.push(format!("completed: {over}, and has to be {is_over}"));
        }
        let operation = self.stores[0].operation(operation).await.unwrap().unwrap();
        if over && operation.ended_at.is_none_or(|ended| ended < now) {
            self.wrong
                .push(format!("ended before its last chunk was recorded: {:?}, {now}", operation.ended_at));
        }
    }

    /// What paused itself, as workers died with the same item again and again, goes on.
    async fn resume(&self) {
        for id in self.asked.keys() {
            self.stores[1].steer(*id, Steering::Resume, &Actor::default(), clock::now()).await.unwrap();
        }
    }

    /// Those who are at work are killed, and one worker does the rest.
    async fn finish(&mut self) {
        self.workers = Default::default();
        let unfinished =
            |play: &Self| play.asked.values().any(|asked| asked.items.values().any(Option::is_none));
        while unfinished(self) {
            let store = &self.stores[0];
            let later = clock::now() + TimeDelta::hours(1);
            // The locks of those who were killed go with their connections, a moment later.
            let chunk = until("a chunk is free", || async {
                let served = ServedPlaces::new(Vec::new());
                let (worker, room) = (clock::new_id(), ChunkReservation::default());
                let next = store.next_chunk(worker, later, (CHUNK, 1 << 20), &served, room).await.unwrap();
                if let Next::Chunk(chunk) = next {
                    return Some(*chunk);
                }
                self.resume().await;
                None
            })
            .await;
            let settled = self.act(&chunk, true);
            self.record(chunk, settled).await;
        }
    }

    /// Whatever is not as it has to be.
    async fn wrong(&mut self) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.wrong);
        let (mut ended, store) = (HashMap::<Uuid, Vec<Outcome>>::new(), &self.stores[0]);
        for (id, asked) in &self.asked {
            let operation = store.operation(*id).await.unwrap().unwrap();
            let items = store.items(*id, None, None, 0, 1000).await.unwrap();
            let found: BTreeMap<_, _> = items.iter().map(|item| (item.dead_letter, item.outcome)).collect();
            if found != asked.items || items.len() != found.len() {
                wrong.push(format!("R9: {:?}: {found:?} instead of {:?}", asked.kind, asked.items));
            }
            let total = items.len() as i64;
            if (operation.state, operation.total, operation.outcomes.settled())
                != (State::Completed, total, total)
            {
                wrong.push(format!("its numbers: {operation:?}"));
            }
            for item in items.iter().filter(|item| item.outcome == Some(Outcome::Sent)) {
                let ids = self.published.get(&(*id, item.dead_letter));
                if ids.map(|ids| ids.iter().copied().collect::<Vec<_>>())
                    != item.redelivery_id.map(|id| vec![id])
                {
                    wrong.push(format!("R10: published as {ids:?}: {item:?}"));
                }
            }
            for item in items {
                let acted = item.outcome.filter(|how| matches!(how, Outcome::Sent | Outcome::Deleted));
                ended.entry(item.dead_letter).or_default().extend(acted);
            }
        }
        wrong.extend(
            ended.iter().filter(|(_, acts)| acts.len() > 1).map(|acts| format!("R8: twice: {acts:?}")),
        );
        let counted = store.recount().await.unwrap();
        wrong.extend(counted.iter().map(|counter| format!("R11: {counter:?}")));
        wrong
    }
}
