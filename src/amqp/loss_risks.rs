//! How the broker may lose messages of a queue, from the queue's arguments.

use super::settings::{QueueKind, QueueSettings};
use super::version::DeliveryLimits;

/// A way in which the broker may lose messages of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossRisk {
    /// The label of the metric.
    pub kind: &'static str,
    /// A sentence for operators of the broker.
    pub text: String,
}

/// Deliveries after which a message is half-way to the default limit of `RabbitMQ` 4.
pub const MANY_DELIVERIES: i64 = 10;
/// Shows what the protocol does not.
const CHECK: &str = "rabbitmqctl list_policies";

impl LossRisk {
    fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Messages arrive that were delivered many times before.
    pub fn many_deliveries() -> Self {
        Self::new(
            "many_deliveries",
            format!(
                "messages arrive that were delivered {MANY_DELIVERIES} times or more without an acknowledgement: \
                 RabbitMQ 4 drops or dead-letters a message after 20, unless the queue has another x-delivery-limit"
            ),
        )
    }
}

/// The risks of a queue with these settings.
pub(super) fn of(settings: &QueueSettings, limits: DeliveryLimits) -> Vec<LossRisk> {
    let mut losses = Vec::new();
    if settings.value("durable") == Some("false") {
        losses.push(LossRisk::new(
            "not_durable",
            "the queue is not durable: a restart of the broker deletes it and its messages",
        ));
    }
    if settings.value("auto_delete") == Some("true") {
        losses.push(LossRisk::new(
            "auto_delete",
            "the queue is auto-delete: the broker deletes it and its messages when its last consumer goes",
        ));
    }
    if settings.value("x-expires").is_some() {
        losses.push(LossRisk::new(
            "expires",
            "x-expires: the broker deletes the queue and its messages when nobody consumes it for that long",
        ));
    }
    for (kind, limit) in limits_of(settings, limits) {
        losses
            .extend(what_happens(settings).map(|happens| LossRisk::new(kind, format!("{limit}, {happens}"))));
    }
    losses
}

/// The risks of a queue of this kind whose settings the broker does not reveal.
pub(super) fn unseen(kind: QueueKind, limits: DeliveryLimits) -> Vec<LossRisk> {
    if kind != QueueKind::Quorum || limits != DeliveryLimits::ByDefault {
        return Vec::new();
    }
    let text = format!(
        "dead-letter has no right to configure the queue, so it cannot see its x-delivery-limit: without one, RabbitMQ 4 \
         drops messages that are returned more than 20 times. Check with `rabbitmqctl list_queues name arguments policy` and `{CHECK}`"
    );
    vec![LossRisk::new("unseen_delivery_limit", text)]
}

/// The limits in force, each with the messages that it affects.
fn limits_of(settings: &QueueSettings, limits: DeliveryLimits) -> Vec<(&'static str, String)> {
    let rejects = rejects_publish(settings);
    let value = |name: &str| settings.value(name).filter(|value| !value.starts_with('-'));
    let set = |name: &str, which: &str| value(name).map(|value| format!("{name} {value}: messages {which}"));
    let delivery_limit = match (settings.value("x-delivery-limit"), limits) {
        (None, DeliveryLimits::ByDefault) if settings.kind() == QueueKind::Quorum => Some((
            "default_delivery_limit",
            format!(
                "the queue has no x-delivery-limit, and the default of RabbitMQ 4 is 20 (a policy with delivery-limit -1 \
                 lifts it; dead-letter cannot see policies, `{CHECK}` shows them): messages that are returned more often"
            ),
        )),
        (Some(negative), DeliveryLimits::OnlyWhereSet) if negative.starts_with('-') => Some((
            "delivery_limit",
            format!(
                "x-delivery-limit {negative}, which RabbitMQ 3 reads as 0: messages that are returned once"
            ),
        )),
        _ => set("x-delivery-limit", "that are returned more often").map(|limit| ("delivery_limit", limit)),
    };
    // A queue that rejects new messages drops no old ones.
    let length = |name, which| if rejects { None } else { set(name, which) };
    let others = [
        ("message_ttl", set("x-message-ttl", "that wait for more milliseconds")),
        ("max_length", length("x-max-length", "in excess, the oldest first")),
        ("max_length", length("x-max-length-bytes", "in excess, the oldest first")),
    ];
    let others = others.into_iter().filter_map(|(kind, limit)| Some((kind, limit?)));
    delivery_limit.into_iter().chain(others).collect()
}

/// What the broker does with messages beyond a limit. `None` if it keeps them safe.
fn what_happens(settings: &QueueSettings) -> Option<&'static str> {
    if settings.value("x-dead-letter-exchange").is_none() {
        return Some("are dropped, as the queue has no x-dead-letter-exchange");
    }
    let at_least_once =
        settings.value("x-dead-letter-strategy") == Some("at-least-once") && rejects_publish(settings);
    (!at_least_once).then_some(
        "are dead-lettered at most once, as the queue does not have x-dead-letter-strategy at-least-once and \
         x-overflow reject-publish",
    )
}

fn rejects_publish(settings: &QueueSettings) -> bool {
    settings.value("x-overflow").is_some_and(|overflow| overflow.starts_with("reject-publish"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(limits: DeliveryLimits, arguments: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let losses = of(&QueueSettings::with(arguments), limits);
        losses.into_iter().map(|loss| (loss.kind, loss.text)).collect()
    }

    const QUORUM: (&str, &str) = ("x-queue-type", "quorum");
    const ON_3: DeliveryLimits = DeliveryLimits::OnlyWhereSet;
    const ON_4: DeliveryLimits = DeliveryLimits::ByDefault;

    #[test]
    fn a_limit_is_told_with_what_happens_beyond_it() {
        assert_eq!(losses(ON_3, &[QUORUM]), []);
        let dropped = losses(ON_3, &[("x-delivery-limit", "20")]);
        assert!(dropped[0].0 == "delivery_limit" && dropped[0].1.contains("are dropped"), "{dropped:?}");
        let exchange = ("x-dead-letter-exchange", "parking");
        let once = losses(ON_3, &[("x-delivery-limit", "20"), exchange]);
        assert!(once[0].1.contains("at most once"), "{once:?}");
        let safe = [("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish"), exchange];
        assert_eq!(losses(ON_3, &[&safe[..], &[("x-delivery-limit", "20")]].concat()), []);
        assert_eq!(losses(ON_3, &[("x-max-length", "9"), ("x-overflow", "reject-publish")]), []);
        let kinds: Vec<_> = losses(ON_3, &[("durable", "false"), ("x-max-length", "9"), ("x-expires", "9")]);
        assert_eq!(
            kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
            ["not_durable", "expires", "max_length"]
        );
    }

    #[test]
    fn on_rabbitmq_4_a_quorum_queue_without_a_limit_has_one() {
        let limited = losses(ON_4, &[QUORUM]);
        assert!(
            limited[0].0 == "default_delivery_limit" && limited[0].1.contains("are dropped"),
            "{limited:?}"
        );
        let parked = losses(ON_4, &[QUORUM, ("x-dead-letter-exchange", "parking")]);
        assert!(parked[0].1.contains("at most once"), "{parked:?}");
        assert_eq!(losses(ON_4, &[QUORUM, ("x-delivery-limit", "-1")]), []);
        assert_eq!(losses(ON_4, &[("x-queue-type", "classic")]), []);
        assert_eq!(losses(DeliveryLimits::Unknown, &[QUORUM]), []);
        let nothing = losses(ON_3, &[QUORUM, ("x-delivery-limit", "-1")]);
        assert!(nothing[0].1.contains("reads as 0"), "{nothing:?}");
    }

    #[test]
    fn what_cannot_be_seen_is_said_where_it_matters() {
        assert_eq!(unseen(QueueKind::Quorum, ON_4).len(), 1);
        assert_eq!(unseen(QueueKind::Quorum, ON_3), []);
        assert_eq!(unseen(QueueKind::Classic, ON_4), []);
    }
}
