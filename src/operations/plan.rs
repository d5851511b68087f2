//! Plans: a frozen selection, and warnings about running it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::Operations;
use super::warning::Warning;
use crate::clock;
use crate::domain::convention::Claims;
use crate::domain::error_group::{ErrorGroup, error_name};
use crate::domain::operation::{Kind, NewOperation, Operation, Target};
use crate::domain::words::{ago, count, span, things};
use crate::store::{Plan, StoreError, Summary};

/// How long a plan can be run.
pub const VALID_FOR: TimeDelta = TimeDelta::minutes(15);
/// Period whose arrivals show whether a group still fails.
const LATELY: TimeDelta = TimeDelta::minutes(5);
/// A group with an arrival within this time still fails.
const SHORTLY: TimeDelta = TimeDelta::seconds(30);

/// A plan with its summary and warnings.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Numbers about it.
    pub summary: Summary,
    /// Its error groups.
    pub groups: Vec<PlannedGroup>,
    /// Warnings, the most severe first.
    pub warnings: Vec<Warning>,
}

/// An error group of a plan.
#[derive(Clone, Debug)]
pub struct PlannedGroup {
    /// The group.
    pub group: ErrorGroup,
    /// How many of the plan's dead letters.
    pub count: i64,
    /// Number of arrivals in the last minutes, if it still fails.
    pub recent: Option<i64>,
}

impl Operations {
    /// Freezes the selection as a plan (rule R9), and evaluates it.
    pub async fn plan(&self, new: &NewOperation) -> Result<Planned, StoreError> {
        let (id, now) = (clock::new_id(), clock::now());
        let left_out = self.store.plan(new, id, now, now + VALID_FOR, &self.bounds).await?;
        let plan = self.store.planned(id).await?;
        let plan = plan.ok_or_else(|| StoreError::Inconsistent(format!("plan {id} is gone")))?;
        let mut planned = self.evaluate(plan).await?;
        if left_out > 0 {
            let wanted = new.acts_on().as_str();
            let message = format!("{} left out: not {wanted}, or no longer stored.", count(left_out));
            planned.warnings.push(Warning::new("not_selectable", message, left_out));
            planned.warnings.sort_by_key(|warning| warning.severity);
        }
        Ok(planned)
    }

    /// Evaluates what running the plan would do now.
    pub async fn evaluate(&self, plan: Plan) -> Result<Planned, StoreError> {
        let summary = self.store.plan_summary(plan.id).await?;
        let now = clock::now();
        let groups = self.groups(&summary, now).await?;
        let holders = self.store.holders(plan.id).await?;
        let mut warnings: Vec<_> =
            holders.iter().map(|(holder, count)| in_operation(holder, *count, now)).collect();
        if plan.kind == Kind::Redeliver {
            let failing = groups.iter().filter(|planned| planned.recent.is_some());
            warnings.extend(failing.map(|planned| still_failing(planned, now)));
            warnings.extend(self.hazards(&plan, &summary).await?);
            warnings.extend(self.check_targets(&plan.options, &summary).await?);
            warnings.extend(claimed(&plan.options.target, &summary, self.conventions.claims()));
            if summary.large > 0 {
                let message = format!(
                    "{} larger than 16 MiB. RabbitMQ 4.0 and later refuses them unless max_message_size is raised.",
                    things(summary.large, "message")
                );
                warnings.push(Warning::new("large_messages", message, summary.large));
            }
        }
        warnings.sort_by_key(|warning| warning.severity);
        Ok(Planned { plan, summary, groups, warnings })
    }

    async fn groups(&self, summary: &Summary, now: DateTime<Utc>) -> Result<Vec<PlannedGroup>, StoreError> {
        let ids: Vec<_> = summary.groups.iter().map(|(id, _)| *id).collect();
        let known = self.store.known_error_groups(&ids).await?;
        let mut known: HashMap<_, _> = known.into_iter().map(|group| (group.id, group)).collect();
        let lately: Vec<_> =
            known.values().filter(|group| now - group.last_seen < LATELY).map(|group| group.id).collect();
        let recent = self.store.arrivals_since(&lately, now - LATELY).await?;
        let found = summary.groups.iter().filter_map(|(id, count)| Some((known.remove(id)?, *count)));
        Ok(found
            .map(|(group, count)| {
                let arrived = recent.get(&group.id).copied().unwrap_or_default();
                let recent = is_failing(now - group.last_seen, arrived).then_some(arrived);
                PlannedGroup { group, count, recent }
            })
            .collect())
    }
}

/// Messages with a claimed origin: a note if the settings accept the claim, a warning if they do not.
fn claimed(target: &Target, summary: &Summary, claims: &Claims) -> Vec<Warning> {
    if matches!(target, Target::Explicit { .. }) {
        return Vec::new();
    }
    let (mut followed, mut refused) = (0, BTreeMap::<String, i64>::new());
    for (from, count) in &summary.claimed {
        match from.refusal(claims) {
            None => followed += count,
            Some(why) => *refused.entry(why).or_default() += count,
        }
    }
    let refused = refused.into_iter().map(|(why, count)| {
        let message = format!("{} will be refused. {why}.", things(count, "message"));
        Warning::new("origin_claimed", message, count)
    });
    let followed = (followed > 0).then(|| {
        let message = format!(
            "The queue of {} is known only from the message itself. The broker does not vouch for it: check the queues.",
            things(followed, "message")
        );
        Warning::note("origin_claimed", message, followed)
    });
    refused.chain(followed).collect()
}

/// Whether an error still occurs, from the time since its last arrival and the number of recent arrivals. A silence of three
/// times the usual gap says no.
fn is_failing(silence: TimeDelta, arrived: i64) -> bool {
    let gap = LATELY / i32::try_from(arrived.max(1)).unwrap_or(i32::MAX);
    silence < (gap * 3).clamp(SHORTLY, LATELY)
}

fn still_failing(planned: &PlannedGroup, now: DateTime<Utc>) -> Warning {
    let PlannedGroup { group, count: concerned, recent } = planned;
    let name = error_name(group.error_type.as_deref(), group.template.as_deref(), group.reason.as_deref());
    let message = format!(
        "Still failing: {} new {name} in {} within {}, the latest {}. Redelivered messages will probably fail again.",
        count(recent.unwrap_or_default().max(1)),
        group.service,
        span(LATELY),
        ago(now - group.last_seen)
    );
    Warning {
        service: Some(group.service.clone()),
        error_type: group.error_type.clone(),
        last_seen: Some(group.last_seen),
        ..Warning::new("still_failing", message, *concerned)
    }
}

fn in_operation(holder: &Operation, held: i64, now: DateTime<Utc>) -> Warning {
    let state = holder.state.as_str();
    let message = format!(
        "{} of these {} in {state} operation {}, started by {} {}. They will be skipped unless it ends or is cancelled before.",
        count(held),
        if held == 1 { "is" } else { "are" },
        holder.id,
        holder.requested_by,
        ago(now - holder.created_at),
    );
    Warning { operation: Some((holder.id, holder.state)), ..Warning::new("in_operation", message, held) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_silent_for_long_is_not_said_to_occur() {
        let fails = |seconds, arrived| is_failing(TimeDelta::seconds(seconds), arrived);
        assert!(fails(29, 1000) && !fails(31, 1000), "one that comes each second");
        assert!(fails(80, 10) && !fails(91, 10), "one that comes each half minute");
        assert!(fails(299, 1) && !fails(300, 1), "one that came once");
        assert!(fails(1, 0), "it was acted on since");
    }
}
