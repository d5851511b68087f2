//! Warnings from the messages of a plan themselves, and about queues that would drop them.

use chrono::{DateTime, Utc};

use super::Operations;
use super::warning::Warning;
use crate::amqp::{QueueLimits, QueueState};
use crate::clock;
use crate::domain::convention::Decoding;
use crate::domain::dead_letter::Payload;
use crate::domain::deadline;
use crate::domain::message::Message;
use crate::domain::operation::{RoutingKey, Target};
use crate::domain::wire;
use crate::domain::words::{ago, count, things};
use crate::store::{Plan, StoreError, Summary};

/// Largest number of messages to inspect.
const SAMPLE: i64 = 1000;

impl Operations {
    /// Warnings from the plan's messages and options.
    pub(super) async fn hazards(&self, plan: &Plan, summary: &Summary) -> Result<Vec<Warning>, StoreError> {
        let mut warnings = Vec::new();
        let total = summary.total;
        if plan.options.again && total > 0 {
            let message =
                format!("{} redelivered before. Whoever handled them will handle them twice.", count(total));
            warnings.push(Warning::new("again", message, total));
            let returned = self.store.plan_returned(plan.id).await?;
            if returned > 0 {
                let message = format!(
                    "{} died again after that, and are dead letters of their own. Redeliver those instead.",
                    count(returned)
                );
                warnings.push(Warning::new("died_again", message, returned));
            }
        }
        warnings.extend(rekeyed(plan, summary));
        if summary.expiring > 0 {
            let message = format!(
                "{} with an expiration. They are redelivered without it: they would vanish unseen after that time.",
                things(summary.expiring, "message")
            );
            warnings.push(Warning::note("expires", message, summary.expiring));
        }
        let sample = self.store.plan_sample(plan.id, SAMPLE).await?;
        warnings.extend(discarded(&sample, total, clock::now()));
        Ok(warnings)
    }
}

/// Consumers will see another routing key than the original one. Whether they use it is unknown.
fn rekeyed(plan: &Plan, summary: &Summary) -> Option<Warning> {
    let changed = summary.rekeyed;
    let is_rekeyed = plan.options.target == Target::Queue && plan.options.routing_key == RoutingKey::Queue;
    (is_rekeyed && changed > 0).then(|| {
        let example = summary.queues.iter().find_map(|queue| queue.name.as_deref()).unwrap_or("<queue>");
        let message = format!(
            "Consumers of {} will see the name of the queue, such as {example}, in place of the original routing key. \
             `routingKey: original` keeps the key.",
            things(changed, "message")
        );
        Warning::note("routing_key_changes", message, changed)
    })
}

/// Messages of a sample whose own deadline has passed.
fn discarded(sample: &[Payload], total: i64, now: DateTime<Utc>) -> Option<Warning> {
    let decoded: Vec<_> = sample.iter().filter(|payload| payload.decoding == Decoding::Full).collect();
    let deadlines = decoded.iter().filter_map(|payload| {
        let properties = wire::decode(&payload.properties).ok()?;
        deadline::of(&Message::at_rest(properties, payload.body.clone()))
    });
    let passed: Vec<_> = deadlines.filter(|deadline| *deadline < now).collect();
    let latest = ago(now - *passed.iter().max()?);
    let [found, looked_at] =
        [passed.len(), decoded.len()].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let is_whole = looked_at >= total;
    let which = if is_whole {
        things(found, "message")
    } else {
        format!("Of {} looked at, {}", count(looked_at), count(found))
    };
    let message = format!(
        "{which} past a deadline in the message itself, the latest {latest}. Workers will discard or fail these at once."
    );
    Some(Warning::new("discards", message, Some(found).filter(|_| is_whole)))
}

/// How a queue without consumers would drop messages.
pub(super) fn vanishing(queue: &str, state: QueueState, concerned: Option<i64>) -> Vec<Warning> {
    if state.consumers > 0 {
        return Vec::new();
    }
    let warn = |code, message| Warning {
        queue: Some(queue.to_owned()),
        ready: Some(state.ready.into()),
        ..Warning::new(code, message, concerned)
    };
    let QueueLimits { message_ttl, expires, max_length } = state.limits;
    let ttl = message_ttl.map(|milliseconds| {
        let message = format!(
            "Queue {queue} has no consumers, and messages expire in it after {} ms (x-message-ttl). Name another target with `to`.",
            count(milliseconds)
        );
        warn("expires", message)
    });
    let unused = expires.map(|milliseconds| {
        let message = format!(
            "Queue {queue} has no consumers, and is deleted with its messages when nobody uses it for {} ms (x-expires).",
            count(milliseconds)
        );
        warn("expires", message)
    });
    let is_over =
        |most: &i64| concerned.is_some_and(|more| i64::from(state.ready).saturating_add(more) > *most);
    let full = max_length.filter(is_over).map(|most| {
        let message = format!(
            "Queue {queue} has no consumers, and drops its oldest messages above {} (x-max-length).",
            count(most)
        );
        warn("queue_drops", message)
    });
    [ttl, unused, full].into_iter().flatten().collect()
}
