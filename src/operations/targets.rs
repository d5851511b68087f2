//! Checks the target queues and exchanges of a plan at the brokers.

use std::time::Duration;

use futures_util::future::join_all;

use super::Operations;
use super::hazards::vanishing;
use super::warning::Warning;
use crate::amqp::{self, Broker, QueueState};
use crate::clock;
use crate::domain::operation::{Options, Target};
use crate::domain::place::Place;
use crate::domain::words::{self, things};
use crate::store::{StoreError, Summary};

/// A queue with more ready messages gets a warning.
const MANY_READY: i64 = 1000;
/// Longest wait for a broker.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// Whether warnings name the place that they are about.
#[derive(Clone, Copy)]
enum PlaceNames {
    Shown,
    /// There is only one.
    Omitted,
}

/// The targets to check in one place.
struct TargetCheck<'s> {
    broker: &'s Broker,
    /// Number of the plan's dead letters that died there.
    total: i64,
    queues: Vec<(String, i64)>,
    exchange: Option<String>,
    /// The redelivery waits while a queue has more ready messages.
    most_ready: Option<i64>,
}

impl Operations {
    /// Checks the targets of each place at its broker. A broker that is unavailable is a warning as well.
    pub(super) async fn check_targets(
        &self,
        options: &Options,
        summary: &Summary,
    ) -> Result<Vec<Warning>, StoreError> {
        let target = &options.target;
        let mut warnings = self.other_places(summary).await?;
        let unknown: i64 =
            summary.queues.iter().filter(|queue| queue.name.is_none()).map(|queue| queue.count).sum();
        if *target == Target::Queue && unknown > 0 {
            let message = format!(
                "The queue of {} is not known. They will be refused unless `to` names a target.",
                things(unknown, "message")
            );
            warnings.push(Warning::new("no_origin", message, unknown));
        }
        let checks = summary.places.iter().filter_map(|(place, count)| {
            let place = place.as_ref()?;
            target_check(self.brokers.at(place)?, options, summary, *count)
        });
        let place_names = if summary.places.len() > 1 { PlaceNames::Shown } else { PlaceNames::Omitted };
        for found in join_all(checks.map(|check| check.warnings(place_names))).await {
            warnings.extend(found);
        }
        Ok(warnings)
    }

    /// Messages from places that this service is not connected to: another service redelivers them, or they wait for one.
    async fn other_places(&self, summary: &Summary) -> Result<Vec<Warning>, StoreError> {
        let places = summary.places.iter().filter_map(|(place, count)| Some((place.as_ref()?, *count)));
        let others: Vec<_> = places.filter(|(place, _)| self.brokers.at(place).is_none()).collect();
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let served = self.store.served_places(clock::now()).await?;
        let warn = |(place, count): (&Place, i64)| {
            let died = format!("{} died on {place}.", things(count, "message"));
            if served.contains(place) {
                let message = format!("{died} Another service redelivers them.");
                return Warning::note("other_place", message, count);
            }
            let message = format!("{died} No service is connected to it now: they will wait until one is.");
            Warning::new("other_place", message, count)
        };
        Ok(others.into_iter().map(warn).collect())
    }
}

/// The targets to check in a place. `None` if each message goes to the exchange that it came from: the broker refuses those whose
/// exchange is gone.
fn target_check<'s>(
    broker: &'s Broker,
    options: &Options,
    summary: &Summary,
    total: i64,
) -> Option<TargetCheck<'s>> {
    let (queues, exchange) = match &options.target {
        Target::Queue => {
            let here = summary.queues.iter().filter(|queue| queue.place.as_ref() == Some(broker.place()));
            (here.filter_map(|queue| Some((queue.name.clone()?, queue.count))).collect(), None)
        }
        Target::Explicit { exchange, routing_key } if exchange.is_empty() => {
            (vec![(routing_key.clone(), total)], None)
        }
        Target::Explicit { exchange, .. } => (Vec::new(), Some(exchange.clone())),
        Target::Exchange => return None,
    };
    Some(TargetCheck { broker, total, queues, exchange, most_ready: options.max_queue_depth })
}

impl TargetCheck<'_> {
    async fn warnings(self, place_names: PlaceNames) -> Vec<Warning> {
        let place = match place_names {
            PlaceNames::Shown => format!(" ({})", self.broker.place()),
            PlaceNames::Omitted => String::new(),
        };
        let queues: Vec<String> = self.queues.iter().map(|(queue, _)| queue.clone()).collect();
        let exchanges: Vec<String> = self.exchange.iter().cloned().collect();
        let inspected =
            tokio::time::timeout(CHECK_TIMEOUT, amqp::inspect(self.broker, &queues, &exchanges)).await;
        let (states, known) = match inspected {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return vec![unreachable(&place, &error.to_string())],
            Err(_) => return vec![unreachable(&place, "no answer in time")],
        };
        let mut warnings = Vec::new();
        for ((queue, count), state) in self.queues.iter().zip(states) {
            warnings.extend(state.into_iter().flat_map(|state| vanishing(queue, state, Some(*count))));
            warnings.extend(self.of_queue(queue, *count, &place, state));
        }
        for (exchange, _) in exchanges.iter().zip(known).filter(|(_, known)| !known) {
            let message = format!("Exchange {exchange} does not exist{place}. All messages will be refused.");
            warnings.push(Warning::new("exchange_missing", message, self.total));
        }
        warnings
    }

    fn of_queue(&self, queue: &str, count: i64, place: &str, state: Option<QueueState>) -> Option<Warning> {
        let ready = state.map(|state| i64::from(state.ready));
        let warn = |code, concerned: i64, message| {
            Some(Warning { queue: Some(queue.to_owned()), ready, ..Warning::new(code, message, concerned) })
        };
        let Some(state) = state else {
            let message = format!("Queue {queue} does not exist{place}. Its messages will be refused.");
            return warn("queue_missing", count, message);
        };
        let ready = i64::from(state.ready);
        match self.most_ready.map(|most| (most, count.min(ready + count - most))) {
            Some((most, held)) if state.consumers == 0 && held > 0 => {
                let message = format!(
                    "Queue {queue} has no consumers{place}. The redelivery waits for one while more than {} are ready there \
                     (`maxQueueDepth`): about {} of {} will not be sent before.",
                    things(most, "message"),
                    words::count(held),
                    words::count(count)
                );
                warn("will_wait", held, message)
            }
            _ if state.consumers == 0 => {
                let message = format!("Queue {queue} has no consumers{place}. Its messages will wait there.");
                warn("no_consumers", count, message)
            }
            _ if ready > MANY_READY => {
                let message = format!("Queue {queue} already has {} ready{place}.", things(ready, "message"));
                warn("queue_crowded", count, message)
            }
            _ => None,
        }
    }
}

fn unreachable(place: &str, why: &str) -> Warning {
    let message = format!("The target queues could not be checked{place}: {why}.");
    Warning::new("broker_unreachable", message, None)
}
