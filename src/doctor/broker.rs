//! Reads a whole broker over its management API, and judges every queue.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use super::finding::{Check, Finding, Mend, Report, Thing};
use super::vhost::Vhost;
use super::{sources, work_queues};
use crate::config::Consumed;
use crate::management::{Management, Queue, Snapshot};

/// What is judged. Queues of plugins, such as those of MQTT sessions, are not.
const JUDGED: [&str; 3] = ["classic", "quorum", "stream"];

/// Judges a broker whose places are these.
pub(super) async fn examine(management: &Management, broker: &str, places: &[&Consumed]) -> Report {
    let read = Snapshot::of(management).await.context("cannot read the management API");
    match read {
        Ok(snapshot) => judge(&snapshot, management.address(), broker, places),
        Err(error) => {
            let mend = Mend::advice(
                "Check DEAD_LETTER_MANAGEMENT_URL, or `managementUrl` in DEAD_LETTER_BROKERS_FILE: its user needs the tag monitoring, and \
                 rights in the virtual hosts.",
            );
            let happens = format!("{error:#}: policies, bindings and other queues were not looked at.");
            let thing = Thing::named("management", broker);
            let findings = vec![Finding::new(Check::BrokerUnreachable, &thing, happens, &mend)];
            Report { findings, ..Report::default() }
        }
    }
}

/// Judges what was read.
pub(super) fn judge(snapshot: &Snapshot, address: &str, broker: &str, places: &[&Consumed]) -> Report {
    let mut report = Report::default();
    let version = &snapshot.overview.rabbitmq_version;
    report.seen.push(format!("broker {broker}: RabbitMQ {version}, {} queues", snapshot.queues.len()));
    report.unseen.extend(snapshot.unseen.as_ref().map(|why| {
        format!(
            "broker {broker}: the definitions of policies ({why}). What they set is known. The policies that are printed have a \
                 priority of 1000, and operator policies are not narrowed"
        )
    }));
    for name in vhosts(snapshot, places) {
        let vhost = vhost(snapshot, address, broker, name, places);
        report.findings.extend(judge_vhost(&vhost));
    }
    report
}

/// The virtual hosts that are configured, and those that have queues.
fn vhosts<'b>(snapshot: &'b Snapshot, places: &[&'b Consumed]) -> BTreeSet<&'b str> {
    let configured = places.iter().map(|place| place.broker.place().vhost.as_str());
    snapshot.queues.iter().map(|queue| queue.vhost.as_str()).chain(configured).collect()
}

fn vhost<'b>(
    snapshot: &'b Snapshot,
    address: &'b str,
    broker: &'b str,
    name: &'b str,
    places: &[&'b Consumed],
) -> Vhost<'b> {
    let sources = places.iter().filter(|place| place.broker.place().vhost == name);
    let mut vhost = Vhost {
        broker,
        name,
        address,
        major: major(&snapshot.overview.rabbitmq_version),
        queues: snapshot.facts(name),
        routing: snapshot.routing(name),
        sources: sources.flat_map(|place| &place.sources).collect(),
        parking: BTreeSet::new(),
        harmed: BTreeMap::new(),
    };
    vhost.understand();
    vhost
}

/// The first number of a version.
fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
}

fn judge_vhost(vhost: &Vhost<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> =
        vhost.sources.iter().flat_map(|source| sources::judge_source(vhost, source)).collect();
    for (name, facts) in &vhost.queues {
        let is_ours_to_judge = JUDGED.contains(&facts.kind()) && !is_of_a_client(facts.queue);
        if vhost.is_source(name) || !is_ours_to_judge {
            continue;
        }
        if vhost.parking.contains(name) {
            findings.extend(sources::judge_waiting(vhost, facts, "queue"));
        } else if facts.kind() != "stream" {
            findings.extend(work_queues::judge(vhost, facts));
        }
    }
    findings
}

/// Whether a client made the queue for itself, such as one for replies: the broker names it, and it goes with the client.
fn is_of_a_client(queue: &Queue) -> bool {
    queue.name.starts_with("amq.") && (queue.exclusive || queue.auto_delete)
}
