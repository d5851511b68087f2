//! One virtual host of a broker, as far as the judgement of a queue depends on it.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Thing;
use super::shell::Curl;
use super::work_queues::limits_of_a_source;
use crate::amqp::SourceQueue;
use crate::config::DEFAULT_SOURCE;
use crate::management::{Facts, Routing, SetBy, Table};

/// A virtual host, with what is configured for it.
#[derive(Debug)]
pub(super) struct Vhost<'b> {
    pub broker: &'b str,
    pub name: &'b str,
    /// The address of the management API.
    pub address: &'b str,
    /// The first number of the broker's version.
    pub major: u32,
    /// By name.
    pub queues: BTreeMap<&'b str, Facts<'b>>,
    pub routing: Routing<'b>,
    /// The sources that are configured here. There may be none.
    pub sources: Vec<&'b SourceQueue>,
    /// The queues in which dead letters end: others dead-letter into them without a delay, and they dead-letter no further.
    pub parking: BTreeSet<&'b str>,
    /// The queues that an operator policy gives what they must not have, by the policy's name.
    pub harmed: BTreeMap<&'b str, BTreeSet<&'b str>>,
}

/// Where dead letters should go to.
#[derive(Clone, Debug)]
pub(super) struct Own<'b> {
    pub exchange: &'b str,
    pub key: Option<&'b str>,
    pub queue: &'b str,
}

impl<'b> Vhost<'b> {
    /// Works out what the queues are for. Without queues nothing is known of them.
    pub fn understand(&mut self) {
        self.parking = self.parking();
        for (name, facts) in &self.queues {
            let Some(policy) = facts.operator else { continue };
            let is_waiting = self.is_source(name) || self.parking.contains(name);
            let harming = |by: SetBy| by == SetBy::OperatorPolicy;
            let is_harmed = if is_waiting {
                limits_of_a_source(self.major, facts).into_iter().any(|(_, by, _)| harming(by))
            } else {
                facts.limits("expires").into_iter().any(|(by, _)| harming(by))
            };
            if is_harmed {
                self.harmed.entry(&policy.name).or_default().insert(name);
            }
        }
    }

    /// A queue, by its name.
    pub fn thing(&self, kind: &'static str, name: &str) -> Thing {
        Thing::at(kind, name, self.broker, self.name)
    }

    pub fn curl(&self) -> Curl<'b> {
        Curl { address: self.address, vhost: self.name }
    }

    pub fn facts(&self, queue: &str) -> Option<&Facts<'b>> {
        self.queues.get(queue)
    }

    /// Whether `RabbitMQ` 4 limits the deliveries of a quorum queue by itself, because nothing says otherwise.
    pub fn has_default_limit(&self, facts: &Facts<'_>) -> bool {
        self.major >= 4 && facts.kind() == "quorum" && facts.limits("delivery-limit").is_empty()
    }

    pub fn is_source(&self, queue: &str) -> bool {
        self.sources.iter().any(|source| source.queue == queue)
    }

    fn parking(&self) -> BTreeSet<&'b str> {
        let mut reached = BTreeSet::new();
        for facts in self.queues.values().filter(|facts| facts.limits("message-ttl").is_empty()) {
            let Some(target) = facts.target() else { continue };
            reached.extend(self.routing.dead_reach(facts, &target));
        }
        let ends = |queue: &&str| self.facts(queue).is_some_and(|facts| facts.target().is_none());
        reached.into_iter().filter(ends).collect()
    }

    /// Where dead letters should go to.
    pub fn own(&self) -> Own<'b> {
        match self.sources.first() {
            None => Own { exchange: DEFAULT_SOURCE, key: None, queue: DEFAULT_SOURCE },
            Some(SourceQueue { queue, exchange: Some(exchange) }) => Own { exchange, key: None, queue },
            Some(SourceQueue { queue, exchange: None }) => Own { exchange: "", key: Some(queue), queue },
        }
    }

    /// The arguments of a source.
    pub fn source_arguments(&self) -> Table {
        let mut arguments = Table::new();
        arguments.insert("x-queue-type".into(), "quorum".into());
        if self.major >= 4 {
            arguments.insert("x-delivery-limit".into(), (-1).into());
        }
        arguments
    }

    /// Declares what is missing of a source with its exchange.
    pub fn declare(&self, queue: &str, exchange: Option<&str>) -> Vec<String> {
        let curl = self.curl();
        let mut commands = Vec::new();
        if self.facts(queue).is_none() {
            commands.push(curl.declare_queue(queue, &self.source_arguments()));
        }
        let Some(exchange) = exchange.filter(|exchange| !exchange.is_empty()) else { return commands };
        if self.routing.exchange(exchange).is_none() {
            commands.push(curl.declare_exchange(exchange));
        }
        if !self.leads_to(exchange, queue) {
            commands.push(curl.bind(exchange, queue, "#"));
        }
        commands
    }

    /// Whether an exchange passes every message on to the queue.
    pub fn leads_to(&self, exchange: &str, queue: &str) -> bool {
        let kind = self.routing.exchange(exchange).map(|exchange| exchange.kind.as_str());
        self.routing.bindings_from(exchange).iter().any(|binding| {
            binding.destination_type == "queue"
                && binding.destination == queue
                && (kind != Some("topic") || binding.routing_key == "#")
        })
    }
}
