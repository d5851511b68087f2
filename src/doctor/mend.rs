//! What mends a queue: a policy of its own, and where a policy cannot, the queue anew.
//!
//! Only one policy applies to a queue. So the one that is printed has what the present one sets, is for this queue only, and has a
//! higher priority. An operator policy that harms the queue is narrowed: its pattern leaves the queue out.

use std::collections::BTreeSet;

use super::finding::Mend;
use super::shell::{SetPolicy, delete_queue, only};
use super::vhost::Vhost;
use super::work_queues::limits_of_a_source;
use crate::management::{Facts, Key, Policy, Routed, SetBy, Table, Target};

/// Above any policy whose priority may not be read.
const ABOVE_UNSEEN: i64 = 1000;
/// Arguments of classic queues that a quorum queue does not take.
const CLASSIC_ONLY: [&str; 4] =
    ["x-max-priority", "x-queue-mode", "x-queue-version", "x-queue-master-locator"];

const ANEW: &str = "Arguments and types are fixed when a queue is declared. Stop the publishers and consumers of the queue, let it run empty, \
                    delete it and declare it anew; declare it so in its services as well.";

/// Mends a queue in which messages die.
pub(super) fn work_queue(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Mend {
    let mut mend = Mend::default();
    let mut arguments = facts.queue.arguments.clone();
    let mut policy = facts.policy_definition();
    drop_argument_unless(&mut arguments, "x-overflow", "reject-publish");
    drop_argument_unless(&mut arguments, "x-dead-letter-strategy", "at-least-once");
    arguments.remove("x-expires");
    policy.remove("expires");
    let target = facts.target();
    if target.is_none_or(|target| is_to_be_replaced(vhost, facts, &target)) {
        arguments.remove("x-dead-letter-exchange");
        arguments.remove("x-dead-letter-routing-key");
        let own = vhost.own();
        policy.insert("dead-letter-exchange".into(), own.exchange.into());
        policy.remove("dead-letter-routing-key");
        policy.extend(own.key.map(|key| ("dead-letter-routing-key".to_owned(), key.into())));
        if vhost.sources.is_empty() {
            mend.advice = format!(
                "dead-letter consumes nothing in this virtual host: list it in DEAD_LETTER_BROKERS_FILE as `vhost: {}`.",
                vhost.name
            );
        }
        mend.commands.extend(vhost.declare(own.queue, Some(own.exchange)));
    } else if let Some(target) = target {
        mend.commands.extend(bindings(vhost, facts, &target));
    }
    for (name, value) in [("dead-letter-strategy", "at-least-once"), ("overflow", "reject-publish")] {
        if !arguments.contains_key(&format!("x-{name}")) {
            policy.insert(name.into(), value.into());
        }
    }
    anew(vhost, facts, arguments, &mut mend);
    mend.commands.extend(narrowed(vhost, facts));
    mend.commands.extend(set_policy(vhost, facts, &policy));
    mend
}

/// Mends a queue in which dead letters wait.
pub(super) fn waiting(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Mend {
    let mut mend = Mend::default();
    let mut arguments = facts.queue.arguments.clone();
    let mut policy = facts.policy_definition();
    for (name, by, _) in limits_of_a_source(vhost.major, facts) {
        match by {
            SetBy::Argument => drop(arguments.remove(&format!("x-{name}"))),
            SetBy::Policy | SetBy::OperatorPolicy => drop(policy.remove(name)),
        }
    }
    let is_new = is_anew(facts, &arguments);
    if vhost.major >= 4 && !arguments.contains_key("x-delivery-limit") {
        if is_new {
            arguments.insert("x-delivery-limit".into(), (-1).into());
        } else if !policy.contains_key("delivery-limit") {
            policy.insert("delivery-limit".into(), (-1).into());
        }
    }
    anew(vhost, facts, arguments, &mut mend);
    mend.commands.extend(narrowed(vhost, facts));
    mend.commands.extend(set_policy(vhost, facts, &policy));
    mend
}

/// Mends an exchange of a type that does not pass every message on.
pub(super) fn exchange_again(vhost: &Vhost<'_>, exchange: &str, queue: &str) -> Mend {
    let curl = vhost.curl();
    let others = vhost.routing.bindings_from(exchange).iter().filter(|binding| binding.destination != queue);
    let mut commands = vec![curl.delete_exchange(exchange), curl.declare_exchange(exchange)];
    commands.extend(others.map(|binding| curl.bind_again(binding)));
    commands.push(curl.bind(exchange, queue, "#"));
    let advice =
        "An exchange keeps its type. Delete it while nothing is dead-lettered to it, and declare it anew.";
    Mend { advice: advice.into(), commands }
}

/// Whether no binding can mend it.
fn is_to_be_replaced(vhost: &Vhost<'_>, facts: &Facts<'_>, target: &Target<'_>) -> bool {
    let lost = vhost.routing.lost_keys(facts, target);
    let Some(exchange) = vhost.routing.exchange(target.exchange).filter(|_| !target.exchange.is_empty())
    else {
        return !lost.is_empty() && (target.exchange.is_empty() || target.by != SetBy::Argument);
    };
    exchange.kind == "direct" && lost.keys().any(|key| !matches!(key, Key::Exact(_)))
}

/// Leads from the dead-letter exchange of a queue to our source.
fn bindings(vhost: &Vhost<'_>, facts: &Facts<'_>, target: &Target<'_>) -> Vec<String> {
    let lost = vhost.routing.lost_keys(facts, target);
    if lost.is_empty() {
        return Vec::new();
    }
    let (own, curl) = (vhost.own(), vhost.curl());
    let mut commands = vhost.declare(own.queue, Some(own.exchange));
    let Some(exchange) = vhost.routing.exchange(target.exchange) else {
        commands.extend([curl.declare_exchange(target.exchange), curl.bind(target.exchange, own.queue, "#")]);
        return commands;
    };
    let keys: BTreeSet<_> = match exchange.kind.as_str() {
        "direct" => {
            lost.iter().filter(|(_, routed)| **routed == Routed::Never).map(|(key, _)| exact(key)).collect()
        }
        "topic" => ["#"].into(),
        _ => [""].into(),
    };
    let bound = keys.into_iter().map(|key| curl.bind(target.exchange, own.queue, key));
    commands.extend(bound);
    let mut seen = BTreeSet::new();
    commands.retain(|command| seen.insert(command.clone()));
    commands
}

fn exact(key: &Key) -> &str {
    match key {
        Key::Exact(key) | Key::Pattern(key) => key,
        Key::Any => "",
    }
}

fn drop_argument_unless(arguments: &mut Table, name: &str, value: &str) {
    if arguments.get(name).is_some_and(|found| found != value) {
        arguments.remove(name);
    }
}

/// Whether a queue has to be declared anew to have these arguments, and to be safe.
fn is_anew(facts: &Facts<'_>, arguments: &Table) -> bool {
    let queue = facts.queue;
    facts.kind() != "quorum" || !queue.durable || queue.auto_delete || *arguments != queue.arguments
}

/// Deletes the queue and declares it with these arguments, where that is needed.
fn anew(vhost: &Vhost<'_>, facts: &Facts<'_>, mut arguments: Table, mend: &mut Mend) {
    let queue = facts.queue;
    if !is_anew(facts, &arguments) {
        return;
    }
    if facts.kind() != "quorum" {
        arguments.retain(|name, _| !CLASSIC_ONLY.contains(&name.as_str()));
        let is_kept = |name: &str| name.starts_with("x-dead-letter") || name == "x-delivery-limit";
        arguments.retain(|name, _| facts.kind() != "stream" || is_kept(name));
        arguments.insert("x-queue-type".into(), "quorum".into());
    }
    let curl = vhost.curl();
    ANEW.clone_into(&mut mend.advice);
    mend.commands.push(delete_queue(vhost.name, &queue.name, facts.kind()));
    mend.commands.push(curl.declare_queue(&queue.name, &arguments));
    let again = vhost.routing.bindings_to(&queue.name);
    mend.commands.extend(again.iter().map(|binding| curl.bind_again(binding)));
}

/// The policy for this queue alone, unless it sets what is in force already.
fn set_policy(vhost: &Vhost<'_>, facts: &Facts<'_>, definition: &Table) -> Option<String> {
    if *definition == facts.policy_definition() {
        return None;
    }
    let mut definition = definition.clone();
    if definition.is_empty() {
        // A policy has to set something. This has no effect without a limit.
        definition.insert("overflow".into(), "reject-publish".into());
    }
    let name = format!("dead-letter-doctor-{}", facts.queue.name);
    let priority = match (facts.policy, &facts.queue.policy) {
        (Some(present), _) if present.name == name => present.priority,
        (Some(present), _) => present.priority + 1,
        (None, Some(_)) => ABOVE_UNSEEN,
        (None, None) => 0,
    };
    let pattern = only(&facts.queue.name);
    let policy = SetPolicy {
        command: "set_policy",
        vhost: vhost.name,
        name: &name,
        pattern: &pattern,
        definition: &definition,
        priority,
        apply_to: "queues",
    };
    Some(policy.line())
}

/// The operator policy without the queues that it harms.
fn narrowed(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Option<String> {
    let policy = facts.operator?;
    let harmed = vhost.harmed.get(policy.name.as_str())?;
    if !harmed.contains(facts.queue.name.as_str()) {
        return None;
    }
    let names: Vec<_> = harmed.iter().map(|queue| regex::escape(queue)).collect();
    let pattern = format!("^(?!(?:{})$).*(?:{})", names.join("|"), policy.pattern);
    let Policy { name, definition, priority, apply_to, .. } = policy;
    let policy = SetPolicy {
        command: "set_operator_policy",
        vhost: vhost.name,
        name,
        pattern: &pattern,
        definition,
        priority: *priority,
        apply_to,
    };
    Some(policy.line())
}
