//! Decides from several looks whether dead letters are stuck, or only on their way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Consumed;
use crate::domain::place::Place;
use crate::domain::undelivered::{Reason, Undelivered};
use crate::management::{Facts, Routed, Routing, Snapshot};

/// Dead letters that could be routed are stuck if for this long neither fewer wait nor their targets took any.
const STUCK_AFTER: TimeDelta = TimeDelta::seconds(30);

/// What was seen of queues before.
#[derive(Debug, Default)]
pub(super) struct Tracker(BTreeMap<(Place, String), Seen>);

/// What was seen of one queue.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Since when dead letters wait, or have nowhere to go.
    since: DateTime<Utc>,
    /// The last sign that they arrive.
    moved_at: DateTime<Utc>,
    /// Dead letters that wait.
    waiting: u64,
    /// Messages that their targets ever took.
    taken: u64,
}

impl Tracker {
    /// What does not arrive, as this look and those before tell.
    pub fn look(&mut self, snapshot: &Snapshot, places: &[Consumed], now: DateTime<Utc>) -> Vec<Undelivered> {
        let (mut seen, mut found) = (BTreeMap::new(), Vec::new());
        for consumed in places {
            let place = consumed.broker.place();
            let queues = snapshot.facts(&place.vhost);
            let routing = snapshot.routing(&place.vhost);
            for (queue, facts) in &queues {
                let key = (place.clone(), (*queue).to_owned());
                let Some(look) = Look::at(facts, &routing, &queues) else { continue };
                let one = look.since(self.0.get(&key), now);
                let is_source = |queue: &&str| consumed.sources.iter().any(|source| source.queue == *queue);
                found.extend(look.reason(one, now).map(|reason| Undelivered {
                    place: place.clone(),
                    queue: (*queue).to_owned(),
                    sources: look.reached.iter().copied().filter(is_source).map(str::to_owned).collect(),
                    messages: (reason != Reason::Dropped).then_some(look.waiting),
                    since: one.since,
                    reason,
                }));
                seen.insert(key, one);
            }
        }
        self.0 = seen;
        found
    }
}

/// One look at a queue whose dead letters wait, or have nowhere to go.
struct Look<'b> {
    waiting: u64,
    taken: u64,
    reached: BTreeSet<&'b str>,
    /// Whether some of its dead letters certainly lead to no queue.
    is_lost: bool,
    is_at_least_once: bool,
}

impl<'b> Look<'b> {
    /// `None` if nothing waits, and nothing is lost.
    fn at(facts: &Facts<'b>, routing: &Routing<'b>, queues: &BTreeMap<&str, Facts<'b>>) -> Option<Self> {
        let target = facts.target()?;
        let is_lost = routing.lost_keys(facts, &target).values().any(|routed| *routed == Routed::Never);
        let waiting = facts.queue.messages_dlx;
        if waiting == 0 && !is_lost {
            return None;
        }
        let reached = routing.dead_reach(facts, &target);
        let taken =
            reached.iter().filter_map(|queue| queues.get(queue)).map(|facts| facts.queue.taken()).sum();
        Some(Self { waiting, taken, reached, is_lost, is_at_least_once: facts.is_at_least_once() })
    }

    /// What is known of the queue with this look.
    fn since(&self, before: Option<&Seen>, now: DateTime<Utc>) -> Seen {
        let Self { waiting, taken, .. } = *self;
        let before = before.copied().unwrap_or(Seen { since: now, moved_at: now, waiting, taken });
        let has_moved = waiting < before.waiting || taken != before.taken;
        Seen { moved_at: if has_moved { now } else { before.moved_at }, waiting, taken, ..before }
    }

    fn reason(&self, seen: Seen, now: DateTime<Utc>) -> Option<Reason> {
        match (self.is_lost, self.is_at_least_once) {
            (true, true) => Some(Reason::Unroutable),
            (true, false) => Some(Reason::Dropped),
            (false, _) => (now - seen.moved_at >= STUCK_AFTER).then_some(Reason::Stuck),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::amqp::{Broker, SourceQueue};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// A work queue that dead-letters to an exchange, which is bound to the source or not.
    fn snapshot(waiting: u64, taken: u64, strategy: &str, is_bound: bool) -> Snapshot {
        let policy = json!({"dead-letter-exchange": "dlx", "dead-letter-strategy": strategy, "overflow": "reject-publish"});
        let work = json!({"name": "work", "vhost": "/", "type": "quorum", "durable": true, "messages_dlx": waiting,
            "effective_policy_definition": policy});
        let source = json!({"name": "dead", "vhost": "/", "type": "quorum", "durable": true, "message_stats": {"publish": taken}});
        let binding =
            json!({"source": "dlx", "vhost": "/", "destination": "dead", "destination_type": "queue"});
        let bindings = if is_bound { vec![binding] } else { vec![] };
        Snapshot {
            queues: serde_json::from_value(json!([work, source])).unwrap(),
            exchanges: serde_json::from_value(json!([{"name": "dlx", "vhost": "/", "type": "fanout"}]))
                .unwrap(),
            bindings: serde_json::from_value(Value::Array(bindings)).unwrap(),
            ..Snapshot::default()
        }
    }

    fn places() -> Vec<Consumed> {
        let sources = vec![SourceQueue { queue: "dead".into(), exchange: None }];
        vec![Consumed {
            broker: Broker::new("main", "amqp://localhost/%2f").unwrap(),
            sources,
            management: None,
        }]
    }

    fn look(
        tracker: &mut Tracker,
        snapshot: &Snapshot,
        now: DateTime<Utc>,
    ) -> Vec<(Reason, Option<u64>, i64)> {
        let found = tracker.look(snapshot, &places(), now);
        found.into_iter().map(|one| (one.reason, one.messages, (now - one.since).num_seconds())).collect()
    }

    #[test]
    fn a_missing_binding_is_told_at_once_and_until_it_is_made() {
        let (mut tracker, unbound) = (Tracker::default(), snapshot(7, 0, "at-least-once", false));
        assert_eq!(look(&mut tracker, &unbound, at(0)), [(Reason::Unroutable, Some(7), 0)]);
        assert_eq!(look(&mut tracker, &unbound, at(15)), [(Reason::Unroutable, Some(7), 15)]);
        assert_eq!(look(&mut tracker, &snapshot(0, 7, "at-least-once", true), at(30)), []);
        let dropped = snapshot(0, 0, "at-most-once", false);
        assert_eq!(look(&mut tracker, &dropped, at(45)), [(Reason::Dropped, None, 0)]);
    }

    #[test]
    fn what_waits_without_a_move_is_stuck() {
        let (mut tracker, waiting) = (Tracker::default(), snapshot(7, 100, "at-least-once", true));
        assert_eq!(look(&mut tracker, &waiting, at(0)), []);
        assert_eq!(look(&mut tracker, &waiting, at(15)), []);
        assert_eq!(
            look(&mut tracker, &snapshot(9, 100, "at-least-once", true), at(30)),
            [(Reason::Stuck, Some(9), 30)]
        );
        // Fewer wait: they arrive again.
        assert_eq!(look(&mut tracker, &waiting, at(45)), []);
    }

    #[test]
    fn traffic_is_not_stuck() {
        let mut tracker = Tracker::default();
        for second in 0_i64..100 {
            // Always as many on their way, while the source takes others.
            let busy = snapshot(32, second.unsigned_abs() * 1000, "at-least-once", true);
            assert_eq!(look(&mut tracker, &busy, at(second * 15)), []);
        }
    }
}
