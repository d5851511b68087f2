//! Judges the queues in which messages die: whether they arrive where they are dead-lettered to.

use super::finding::{Check, Finding, Mend, capital};
use super::mend;
use super::vhost::Vhost;
use crate::management::{Facts, Key, Routed, SetBy, Target};

/// What is wrong with a queue that messages are consumed from.
pub(super) fn judge(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Vec<Finding> {
    let thing = vhost.thing("queue", &facts.queue.name);
    if facts.queue.exclusive {
        let happens =
            "The queue is exclusive: the broker deletes it and its messages when its connection ends.";
        let mend = Mend::advice(
            "Declare it without `exclusive`, as a durable quorum queue, where its messages must not be lost.",
        );
        return vec![Finding::new(Check::Exclusive, &thing, happens, &mend)];
    }
    let mut faults = itself(facts);
    match facts.target() {
        None => faults.extend(without_exchange(vhost, facts)),
        Some(target) => {
            faults.extend(routes(vhost, facts, &target));
            faults.extend(strategy(facts));
        }
    }
    if faults.is_empty() {
        return Vec::new();
    }
    let mend = mend::work_queue(vhost, facts);
    faults.into_iter().map(|(check, happens)| Finding::new(check, &thing, happens, &mend)).collect()
}

type Fault = (Check, String);

/// How the queue itself can go.
pub(super) fn itself(facts: &Facts<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !facts.queue.durable {
        let happens = "The queue is not durable: a restart of the broker deletes it and its messages.";
        faults.push((Check::NotDurable, happens.to_owned()));
    }
    if facts.queue.auto_delete {
        let happens =
            "The queue is auto-delete: the broker deletes it and its messages when its last consumer goes.";
        faults.push((Check::AutoDelete, happens.to_owned()));
    }
    faults.extend(facts.limits("expires").into_iter().map(|(by, number)| {
        let limit = named("expires", by, facts, number);
        let happens = format!(
            "{limit}: the broker deletes the queue and its messages when nobody uses it for that long."
        );
        (Check::Expires, capital(&happens))
    }));
    faults
}

/// A queue that does not dead-letter.
fn without_exchange(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Vec<Fault> {
    let by_default = if vhost.has_default_limit(facts) {
        " So are messages that were delivered more than 20 times, which is the default of RabbitMQ 4."
    } else {
        ""
    };
    let happens = format!(
        "The queue has no dead-letter exchange: messages that its consumers reject are dropped.{by_default}"
    );
    let mut faults = vec![(Check::NoDeadLetterExchange, happens)];
    for (name, check, which) in [
        ("delivery-limit", Check::DeliveryLimitDrops, "that are returned more often are dropped"),
        ("message-ttl", Check::TtlDrops, "that wait for more milliseconds are dropped"),
    ] {
        let limits = facts.limits(name).into_iter().filter(|(_, number)| *number >= 0 || vhost.major < 4);
        faults.extend(limits.map(|(by, number)| {
            (check, capital(&format!("{}: messages {which}.", named(name, by, facts, number))))
        }));
    }
    faults.extend(drop_head(facts, "are dropped"));
    faults
}

/// A queue that drops its oldest messages.
fn drop_head<'f>(facts: &'f Facts<'_>, what: &'f str) -> impl Iterator<Item = Fault> + 'f {
    limits(facts, lengths(facts)).map(move |(name, by, number)| {
        let limit = named(name, by, facts, number);
        let happens = format!(
            "{limit} with the overflow drop-head: the oldest messages in excess {what}, without a word to their publishers."
        );
        (Check::DropHead, capital(&happens))
    })
}

/// The lengths beyond which a queue drops its oldest messages.
fn lengths(facts: &Facts<'_>) -> impl Iterator<Item = &'static str> {
    let is_dropping = !facts.rejects_publish();
    ["max-length", "max-length-bytes"].into_iter().filter(move |_| is_dropping)
}

/// The limits of these names, with who sets them.
fn limits<'f>(
    facts: &'f Facts<'_>,
    names: impl Iterator<Item = &'static str> + 'f,
) -> impl Iterator<Item = (&'static str, SetBy, i64)> + 'f {
    names.flat_map(|name| facts.limits(name).into_iter().map(move |(by, number)| (name, by, number)))
}

/// Whether dead letters reach a queue.
fn routes(vhost: &Vhost<'_>, facts: &Facts<'_>, target: &Target<'_>) -> Option<Fault> {
    let Target { exchange, key, .. } = *target;
    if !exchange.is_empty() && vhost.routing.exchange(exchange).is_none() {
        let happens = format!(
            "The dead-letter exchange {exchange} does not exist: dead-lettered messages {}.",
            fate(facts)
        );
        return Some((Check::DeadLetterExchangeMissing, happens));
    }
    let lost = vhost.routing.lost_keys(facts, target);
    let (worst, _) = lost
        .iter()
        .min_by_key(|(_, routed)| u8::from(**routed != Routed::Never))
        .map(|(key, routed)| (key.clone(), routed.clone()))?;
    let exchange = if exchange.is_empty() { "the default exchange" } else { exchange };
    if let Some(key) = key {
        let happens = format!(
            "The dead-letter routing key {key} leads to no queue from {exchange}: dead-lettered messages {}.",
            fate(facts)
        );
        return Some((Check::RoutingKeyLeadsNowhere, happens));
    }
    if lost[&worst] == Routed::Never {
        let happens = format!(
            "The dead-letter exchange, {exchange}, has no binding for {}: dead-lettered messages {}.",
            words(&worst),
            fate(facts)
        );
        return Some((Check::Unroutable, happens));
    }
    let happens = format!(
        "The dead-letter exchange, {exchange}, has bindings for some routing keys only, and the queue takes messages with {}: those \
         without a binding {}.",
        words(&worst),
        fate(facts)
    );
    Some((Check::PossiblyUnroutable, happens))
}

/// What becomes of a dead letter that no queue takes.
fn fate(facts: &Facts<'_>) -> &'static str {
    if facts.is_at_least_once() {
        "stay in the dead-letter worker of the queue, where nobody sees them"
    } else {
        "are dropped"
    }
}

fn words(key: &Key) -> String {
    match key {
        Key::Exact(key) => format!("the routing key {key}"),
        Key::Pattern(pattern) => format!("routing keys like {pattern}"),
        Key::Any => "any routing key".to_owned(),
    }
}

/// Whether the way there is safe.
fn strategy(facts: &Facts<'_>) -> Vec<Fault> {
    if facts.is_at_least_once() {
        return Vec::new();
    }
    let lost = "is lost if the dead-letter queue cannot take it at that moment, or a node stops";
    let own = if facts.kind() != "quorum" {
        let happens = format!(
            "Classic queues dead-letter at most once: a message {lost}. Only quorum queues are safe."
        );
        (Check::ClassicAtMostOnce, happens)
    } else if facts.text("dead-letter-strategy") == Some("at-least-once") {
        let happens = format!(
            "dead-letter-strategy at-least-once needs the overflow reject-publish. Without it the broker dead-letters at most once: a \
             message {lost}."
        );
        (Check::OverflowForbidsAtLeastOnce, happens)
    } else {
        let happens = format!("The queue dead-letters at most once, which is the default: a message {lost}.");
        (Check::AtMostOnce, happens)
    };
    [own].into_iter().chain(drop_head(facts, "are dead-lettered at most once")).collect()
}

/// The limits of a queue that can lose dead letters which wait in it, with who sets them.
pub(super) fn limits_of_a_source(major: u32, facts: &Facts<'_>) -> Vec<(&'static str, SetBy, i64)> {
    let safe = facts.is_at_least_once() && facts.target().is_some();
    let dropping = ["message-ttl", "delivery-limit"].into_iter().filter(|_| !safe);
    let all = dropping.chain(lengths(facts)).chain(["expires"]);
    limits(facts, all)
        .filter(|(name, _, number)| *name != "delivery-limit" || *number >= 0 || major < 4)
        .collect()
}

/// How a limit is named to people.
pub(crate) fn named(name: &str, by: SetBy, facts: &Facts<'_>, number: i64) -> String {
    let policy = |policy: &Option<String>| policy.clone().unwrap_or_default();
    match by {
        SetBy::Argument => format!("the argument x-{name} {number}"),
        SetBy::Policy => format!("{name} {number} of the policy {}", policy(&facts.queue.policy)),
        SetBy::OperatorPolicy => {
            format!("{name} {number} of the operator policy {}", policy(&facts.queue.operator_policy))
        }
    }
}
