//! What is known of a queue: its arguments, its policies, and which of them is in force.

use serde_json::Value;

use super::answers::{Policy, Queue, Table};

/// The limits of which the lower one is in force, if an argument and a policy set one. Of other settings the argument is.
const LOWER_WINS: [&str; 5] = ["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"];

/// Who sets something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetBy {
    /// An argument, which stays until the queue is deleted.
    Argument,
    /// A policy.
    Policy,
    /// An operator policy.
    OperatorPolicy,
}

/// Where a queue dead-letters to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'b> {
    pub exchange: &'b str,
    /// Who names the exchange.
    pub by: SetBy,
    /// The dead-letter routing key. Without it messages keep theirs.
    pub key: Option<&'b str>,
}

/// A queue with its policies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'b> {
    pub queue: &'b Queue,
    /// The policy that applies, if it may be read.
    pub policy: Option<&'b Policy>,
    /// The operator policy that applies, if it may be read.
    pub operator: Option<&'b Policy>,
}

impl<'b> Facts<'b> {
    pub fn new(queue: &'b Queue, policies: &'b [Policy], operators: &'b [Policy]) -> Self {
        let of = |name: &Option<String>, all: &'b [Policy]| {
            all.iter().find(|policy| Some(&policy.name) == name.as_ref() && policy.vhost == queue.vhost)
        };
        Self { queue, policy: of(&queue.policy, policies), operator: of(&queue.operator_policy, operators) }
    }

    pub fn kind(&self) -> &'b str {
        let argument = || self.argument("queue-type").and_then(Value::as_str);
        self.queue.kind.as_deref().or_else(argument).unwrap_or("classic")
    }

    /// The argument of this name, written without `x-`.
    pub fn argument(&self, name: &str) -> Option<&'b Value> {
        self.queue.arguments.get(&format!("x-{name}"))
    }

    /// The text that is in force.
    pub fn text(&self, name: &str) -> Option<&'b str> {
        let policy = || self.queue.effective_policy_definition.get(name);
        self.argument(name).or_else(policy).and_then(Value::as_str)
    }

    /// The numbers that set a limit, with who sets them. On `RabbitMQ` 4 a negative one is none.
    pub fn limits(&self, name: &str) -> Vec<(SetBy, i64)> {
        debug_assert!(LOWER_WINS.contains(&name), "{name}");
        let number = |table: &Table, key: &str| table.get(key).and_then(Value::as_i64);
        let in_effect = number(&self.queue.effective_policy_definition, name);
        let by_operator = self.operator.and_then(|policy| number(&policy.definition, name));
        let by_policy = match self.policy {
            Some(policy) => number(&policy.definition, name),
            None => in_effect.filter(|_| by_operator.is_none()),
        };
        let argument = self.argument(name).and_then(Value::as_i64);
        [(SetBy::Argument, argument), (SetBy::Policy, by_policy), (SetBy::OperatorPolicy, by_operator)]
            .into_iter()
            .filter_map(|(by, number)| Some((by, number?)))
            .collect()
    }

    /// Where the queue dead-letters to, if it does.
    pub fn target(&self) -> Option<Target<'b>> {
        let is_argument = self.argument("dead-letter-exchange").is_some();
        Some(Target {
            exchange: self.text("dead-letter-exchange")?,
            by: if is_argument { SetBy::Argument } else { SetBy::Policy },
            key: self.text("dead-letter-routing-key"),
        })
    }

    /// Whether the broker keeps a dead letter until its target has it.
    pub fn is_at_least_once(&self) -> bool {
        self.kind() == "quorum"
            && self.text("dead-letter-strategy") == Some("at-least-once")
            && self.rejects_publish()
    }

    /// Whether new messages are refused when the queue is full.
    pub fn rejects_publish(&self) -> bool {
        self.text("overflow").is_some_and(|overflow| overflow.starts_with("reject-publish"))
    }

    /// What the policy sets. If it may not be read, also what an operator policy adds.
    pub fn policy_definition(&self) -> Table {
        match (self.policy, &self.queue.policy) {
            (Some(policy), _) => policy.definition.clone(),
            (None, Some(_)) => self.queue.effective_policy_definition.clone(),
            (None, None) => Table::new(),
        }
    }
}
