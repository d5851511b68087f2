//! Judges the queues in which dead letters wait: our sources, and those in which others park theirs.

use super::finding::{Check, Finding, Mend, capital};
use super::mend;
use super::vhost::Vhost;
use super::work_queues::{itself, limits_of_a_source, named};
use crate::amqp::SourceQueue;
use crate::management::Facts;

/// Types of exchanges that pass every message on to a queue that is bound with `#`.
const TAKES_ALL: [&str; 3] = ["topic", "fanout", "headers"];

/// What happens, whichever way it was seen.
pub(super) const MISSING: &str =
    "The source does not exist: nothing is consumed, and what is dead-lettered to it is lost.";
pub(super) const EXCHANGE_MISSING: &str =
    "The exchange of the source does not exist: what is dead-lettered to it is lost.";
pub(super) const IS_STREAM: &str =
    "The queue is a stream, which does not give what was published while nobody consumed it.";
pub(super) const IS_CLASSIC: &str = "Dead letters wait in a classic queue, which is on one node: they are lost with its disk, and are not taken \
     while the node is down.";
/// What mends what dead-letter declares itself.
pub(super) const IS_DECLARED: &str = "`dead-letter serve` declares it at its start.";

/// What is wrong with a source that is configured.
pub(super) fn judge_source(vhost: &Vhost<'_>, source: &SourceQueue) -> Vec<Finding> {
    let thing = vhost.thing("source", &source.queue);
    let Some(facts) = vhost.facts(&source.queue) else {
        let mend = Mend {
            advice: source.exchange.as_ref().map_or("", |_| IS_DECLARED).into(),
            commands: vhost.declare(&source.queue, source.exchange.as_deref()),
        };
        return vec![Finding::new(Check::SourceMissing, &thing, MISSING, &mend)];
    };
    let mut findings = judge_waiting(vhost, facts, "source");
    if let Some(exchange) = &source.exchange {
        findings.extend(judge_exchange(vhost, exchange, &source.queue));
    }
    findings
}

/// What is wrong with a queue in which dead letters wait.
pub(super) fn judge_waiting(vhost: &Vhost<'_>, facts: &Facts<'_>, kind: &'static str) -> Vec<Finding> {
    let thing = vhost.thing(kind, &facts.queue.name);
    if facts.queue.exclusive {
        let happens =
            "Dead letters wait in an exclusive queue: the broker deletes it when its connection ends.";
        let mend = Mend::advice("Declare it without `exclusive`, as a durable quorum queue.");
        return vec![Finding::new(Check::Exclusive, &thing, happens, &mend)];
    }
    let mut faults: Vec<_> =
        itself(facts).into_iter().filter(|(check, _)| *check != Check::Expires).collect();
    match facts.kind() {
        "stream" => faults.push((Check::SourceIsStream, IS_STREAM.to_owned())),
        "quorum" => {}
        _ => faults.push((Check::SourceNotQuorum, IS_CLASSIC.to_owned())),
    }
    faults.extend(limits(vhost, facts));
    if faults.is_empty() {
        return Vec::new();
    }
    let mend = mend::waiting(vhost, facts);
    faults.into_iter().map(|(check, happens)| Finding::new(check, &thing, happens, &mend)).collect()
}

fn limits(vhost: &Vhost<'_>, facts: &Facts<'_>) -> Vec<(Check, String)> {
    let found = limits_of_a_source(vhost.major, facts);
    let mut faults: Vec<_> = found
        .into_iter()
        .map(|(name, by, number)| {
            let (check, happens) = match name {
                "message-ttl" => {
                    (Check::SourceTtl, "dead letters that wait for more milliseconds are dropped")
                }
                "delivery-limit" => {
                    (Check::SourceDeliveryLimit, "dead letters that are returned more often are dropped")
                }
                "expires" => {
                    (Check::Expires, "the broker deletes the queue when nobody consumes it for that long")
                }
                _ => (Check::SourceLength, "the oldest dead letters in excess are dropped"),
            };
            (check, capital(&format!("{}: {happens}.", named(name, by, facts, number))))
        })
        .collect();
    if vhost.has_default_limit(facts) {
        let happens = "The queue has no delivery limit of its own, and the default of RabbitMQ 4 is 20: a dead letter that was in flight in \
                       more than 20 crashes of its consumer is dropped.";
        faults.push((Check::SourceDeliveryLimit, happens.to_owned()));
    }
    faults
}

/// What is wrong with the exchange that dead-letter declares for a source.
fn judge_exchange(vhost: &Vhost<'_>, exchange: &str, queue: &str) -> Vec<Finding> {
    let thing = vhost.thing("exchange", exchange);
    let Some(found) = vhost.routing.exchange(exchange) else {
        let mend = Mend { advice: IS_DECLARED.into(), commands: vhost.declare(queue, Some(exchange)) };
        return vec![Finding::new(Check::SourceExchangeMissing, &thing, EXCHANGE_MISSING, &mend)];
    };
    if !TAKES_ALL.contains(&found.kind.as_str()) {
        let happens = format!(
            "The exchange of the source is of the type {}, which does not pass every message on: `dead-letter serve` refuses it.",
            found.kind
        );
        let mend = mend::exchange_again(vhost, exchange, queue);
        return vec![Finding::new(Check::SourceExchangeType, &thing, happens, &mend)];
    }
    if vhost.leads_to(exchange, queue) {
        return Vec::new();
    }
    let happens = format!(
        "The exchange has no binding that leads every message to the source {queue}: dead letters that are sent to it are lost."
    );
    let mend = Mend {
        advice: "`dead-letter serve` binds it at its start.".into(),
        commands: vhost.declare(queue, Some(exchange)),
    };
    vec![Finding::new(Check::SourceUnbound, &thing, happens, &mend)]
}
