//! Planning: what a request would do, frozen, and what may go wrong with it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Operations;
use crate::amqp;
use crate::clock;
use crate::domain::error_group::ErrorGroup;
use crate::domain::operation::{Kind, NewOperation, Target};
use crate::store::{Plan, StoreError, Summary};

/// How long a plan may be run.
pub const VALID_FOR: TimeDelta = TimeDelta::minutes(15);
/// A group with an arrival so short a while ago fails now.
const NOW: TimeDelta = TimeDelta::minutes(5);
/// A queue in which more messages wait is worth a warning.
const MANY_READY: i64 = 1000;
/// The broker is asked for so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// A plan, what it is about, and what may go wrong.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What it is about.
    pub summary: Summary,
    /// Its error groups, with how many of each, and whether each fails now.
    pub groups: Vec<(ErrorGroup, i64, bool)>,
    /// What may go wrong.
    pub warnings: Vec<Warning>,
}

/// What may go wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// In one of a few words.
    pub code: &'static str,
    /// In words for people.
    pub message: String,
    /// How many of the plan's dead letters it is about, where that is known.
    pub count: Option<i64>,
}

impl Operations {
    /// Freezes the selection as a plan (rule R9), and looks at what would happen to it.
    pub async fn plan(&self, new: &NewOperation) -> Result<Planned, StoreError> {
        let (id, now) = (clock::new_id(), clock::now());
        let left_out = self.store.plan(new, id, now, now + VALID_FOR).await?;
        let plan = self.store.planned(id).await?;
        let plan = plan.ok_or_else(|| StoreError::Inconsistent(format!("plan {id} is gone")))?;
        let mut planned = self.look_at(plan).await?;
        if left_out > 0 {
            let wanted = new.kind.acts_on().as_str();
            let message = format!(
                "{left_out} of those that were asked for are not {wanted}, or not stored: they are left out"
            );
            planned.warnings.push(Warning { code: "not_selectable", message, count: Some(left_out) });
        }
        Ok(planned)
    }

    /// Looks at what would happen to a plan now.
    pub async fn look_at(&self, plan: Plan) -> Result<Planned, StoreError> {
        let summary = self.store.plan_summary(plan.id).await?;
        let groups = self.groups(&summary, clock::now()).await?;
        let mut warnings = Vec::new();
        if plan.kind == Kind::Redeliver {
            let failing = groups.iter().filter(|(_, _, fails)| *fails);
            warnings.extend(failing.map(|(group, count, _)| still_failing(group, *count)));
            self.look_at_targets(&plan.options.target, &summary, &mut warnings).await;
            if summary.large > 0 {
                warnings.push(Warning {
                    code: "large_messages",
                    message: format!("{} are larger than 16 MiB, which RabbitMQ refuses from 4.0 on unless it is told otherwise", summary.large),
                    count: Some(summary.large),
                });
            }
        }
        Ok(Planned { plan, summary, groups, warnings })
    }

    async fn groups(
        &self,
        summary: &Summary,
        now: DateTime<Utc>,
    ) -> Result<Vec<(ErrorGroup, i64, bool)>, StoreError> {
        let ids: Vec<_> = summary.groups.iter().map(|(id, _)| *id).collect();
        let known = self.store.known_error_groups(&ids).await?;
        let mut known: HashMap<_, _> = known.into_iter().map(|group| (group.id, group)).collect();
        let found = summary.groups.iter().filter_map(|(id, count)| Some((known.remove(id)?, *count)));
        Ok(found
            .map(|(group, count)| {
                let fails = now - group.last_seen < NOW;
                (group, count, fails)
            })
            .collect())
    }

    /// What the broker says of where the messages would go. It may be away: that is a warning, too.
    async fn look_at_targets(&self, target: &Target, summary: &Summary, warnings: &mut Vec<Warning>) {
        let (queues, exchanges): (BTreeSet<String>, BTreeSet<String>) = match target {
            Target::Queue => {
                (summary.queues.iter().filter_map(|(queue, _)| queue.clone()).collect(), BTreeSet::new())
            }
            Target::Explicit { exchange, routing_key } if exchange.is_empty() => {
                ([routing_key.clone()].into(), BTreeSet::new())
            }
            Target::Explicit { exchange, .. } => (BTreeSet::new(), [exchange.clone()].into()),
            // Each to its own, which need not be there any more; the broker says so of each message.
            Target::Exchange => return,
        };
        let (queues, exchanges): (Vec<_>, Vec<_>) =
            (queues.into_iter().collect(), exchanges.into_iter().collect());
        let count_of = |queue: &String| match target {
            Target::Queue => {
                summary.queues.iter().find(|(name, _)| name.as_ref() == Some(queue)).map(|(_, count)| *count)
            }
            _ => Some(summary.total),
        };
        if let (Target::Queue, Some((_, count))) =
            (target, summary.queues.iter().find(|(name, _)| name.is_none()))
        {
            let message = format!(
                "of {count} the queue that they died in is not known: they will be refused unless `to` names a target"
            );
            warnings.push(Warning { code: "no_origin", message, count: Some(*count) });
        }
        let looked = tokio::time::timeout(PATIENCE, amqp::inspect(&self.broker, &queues, &exchanges)).await;
        let (states, known) = match looked {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return warnings.push(unreachable(&error.to_string())),
            Err(_) => return warnings.push(unreachable("no answer in time")),
        };
        for (queue, state) in queues.iter().zip(states) {
            let warn = |code, message| Warning { code, message, count: count_of(queue) };
            match state {
                None => warnings.push(warn(
                    "queue_missing",
                    format!("the queue {queue} does not exist: its messages will be refused"),
                )),
                Some(state) if state.consumers == 0 => {
                    warnings.push(warn(
                        "no_consumers",
                        format!(
                            "the queue {queue} has no consumers: nobody will handle its messages for now"
                        ),
                    ));
                }
                Some(state) if i64::from(state.ready) > MANY_READY => {
                    warnings.push(warn(
                        "queue_crowded",
                        format!("{} messages wait in the queue {queue} already", state.ready),
                    ));
                }
                Some(_) => {}
            }
        }
        for (exchange, _) in exchanges.iter().zip(known).filter(|(_, known)| !known) {
            let message = format!("the exchange {exchange} does not exist: all will be refused");
            warnings.push(Warning { code: "exchange_missing", message, count: Some(summary.total) });
        }
    }
}

fn unreachable(why: &str) -> Warning {
    Warning {
        code: "broker_unreachable",
        message: format!("the broker could not be asked about the targets: {why}"),
        count: None,
    }
}

fn still_failing(group: &ErrorGroup, count: i64) -> Warning {
    let error = group.error_type.as_deref().unwrap_or("without an error");
    let message = format!(
        "{} ({error}) still fails: the last one arrived at {}",
        group.service,
        group.last_seen.format("%FT%TZ")
    );
    Warning { code: "still_failing", message, count: Some(count) }
}
