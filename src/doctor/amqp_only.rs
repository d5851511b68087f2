//! What AMQP shows: whether a broker answers, and how its sources were declared. Policies, bindings and other queues stay invisible.

use super::finding::{Check, Finding, Mend, Report, Thing, capital};
use super::sources::{EXCHANGE_MISSING, IS_CLASSIC, IS_DECLARED, IS_STREAM, MISSING};
use crate::amqp::{self, AmqpError, LossRisk, QueueKind, SourceQueue, SourceState};
use crate::config::Consumed;

/// The oldest version that is supported.
const OLDEST: (u32, u32) = (3, 10);

/// Examines the place over AMQP. Where the management API is read as well, sources are judged by what that shows.
pub(super) async fn examine(place: &Consumed) -> Report {
    let mut report = Report::default();
    let at = place.broker.place();
    let thing = |kind, name: &str| Thing::at(kind, name, &at.broker, &at.vhost);
    let sources: Vec<_> = place.sources.iter().collect();
    let examined = match amqp::examine(&place.broker, &sources).await {
        Ok(examined) => examined,
        Err(error) => {
            let happens = capital(&format!(
                "{error}. Nothing is consumed from there, and nothing is redelivered to it."
            ));
            let mend = Mend::advice(
                "Check AMQP_URL, or `url` in DEAD_LETTER_BROKERS_FILE, and that the broker runs.",
            );
            report.findings.push(Finding::new(
                Check::BrokerUnreachable,
                &thing("broker", &at.broker),
                happens,
                &mend,
            ));
            return report;
        }
    };
    report.findings.extend(judge_version(&examined.version, &thing("broker", &at.broker)));
    for (source, state) in sources.into_iter().zip(examined.sources) {
        let thing = thing("source", &source.queue);
        match state {
            Err(error) => report.findings.push(refused(&error, &thing)),
            Ok(state) if place.management.is_none() => judge(source, state, &thing, &mut report),
            Ok(_) => {}
        }
    }
    if place.management.is_none() {
        report.seen.push(format!(
            "{at}: {}, the arguments of {} sources",
            examined.version,
            place.sources.len()
        ));
        report.unseen.push(format!(
            "{at}: policies, bindings, and every queue that is not a source. Set DEAD_LETTER_MANAGEMENT_URL, or `managementUrl` in \
             DEAD_LETTER_BROKERS_FILE"
        ));
    }
    report
}

fn judge_version(version: &str, thing: &Thing) -> Option<Finding> {
    let (product, number) = version.split_once(' ').unwrap_or((version, ""));
    let mut numbers = number.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if product == "RabbitMQ" && found >= OLDEST {
        return None;
    }
    let happens = format!(
        "The broker is {version}. dead-letter is tested with RabbitMQ 3.10 to 4.3: others may lose messages in ways unknown."
    );
    Some(Finding::new(Check::BrokerVersion, thing, happens, &Mend::advice("Use RabbitMQ 3.10 or later.")))
}

fn refused(error: &AmqpError, thing: &Thing) -> Finding {
    let mend = Mend::advice(
        "Grant the user of AMQP_URL the rights that docs/sources.md lists: to read its sources, and to configure, write and read the \
         queue and the exchange that dead-letter declares.",
    );
    Finding::new(Check::BrokerRights, thing, capital(&format!("{error}. The source is not consumed.")), &mend)
}

fn judge(source: &SourceQueue, state: SourceState, thing: &Thing, report: &mut Report) {
    let mut found = |check, happens: String, mend: &Mend| {
        report.findings.push(Finding::new(check, thing, happens, mend));
    };
    let declare = Mend::advice(
        "Declare the queue anew as a durable quorum queue without such an argument, once it is empty.",
    );
    match state.kind {
        None => {
            let mend = match &source.exchange {
                Some(_) => IS_DECLARED,
                None => "Declare it as a durable quorum queue, or name another one in DEAD_LETTER_SOURCES.",
            };
            found(Check::SourceMissing, MISSING.into(), &Mend::advice(mend));
        }
        Some(QueueKind::Stream) => found(Check::SourceIsStream, IS_STREAM.into(), &declare),
        Some(QueueKind::Classic) => found(Check::SourceNotQuorum, IS_CLASSIC.into(), &declare),
        Some(QueueKind::Quorum | QueueKind::Other) => {}
    }
    if !state.has_exchange {
        found(Check::SourceExchangeMissing, EXCHANGE_MISSING.into(), &Mend::advice(IS_DECLARED));
    }
    let mut hidden = Vec::new();
    for LossRisk { kind, text } in state.risks {
        let check = match kind {
            "not_durable" => Check::NotDurable,
            "auto_delete" => Check::AutoDelete,
            "expires" => Check::Expires,
            "message_ttl" => Check::SourceTtl,
            "max_length" => Check::SourceLength,
            "delivery_limit" => Check::SourceDeliveryLimit,
            // A policy may lift it.
            _ => {
                hidden.push(format!("{thing}: {text}"));
                continue;
            }
        };
        found(check, capital(&format!("{text}.")), &declare);
    }
    if !state.are_arguments_seen {
        hidden.push(format!("{thing}: its arguments, which need the right to configure it"));
    }
    report.unseen.extend(hidden);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_other_brokers_are_told() {
        let thing = Thing::named("broker", "main");
        for version in ["RabbitMQ 3.10.8", "RabbitMQ 4.0.5", "RabbitMQ 10.1"] {
            assert!(judge_version(version, &thing).is_none(), "{version}");
        }
        for version in ["RabbitMQ 3.9.29", "LavinMQ 2.1.0", "RabbitMQ next", " "] {
            assert!(judge_version(version, &thing).is_some(), "{version}");
        }
    }
}
