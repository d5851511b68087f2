//! Resolves what is over.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tracing::info;
use uuid::Uuid;

use super::watch::{Look, Seen};
use crate::domain::incident::{Ending, Facts, Incident, Kind, WatchedGroup, grows};
use crate::store::StoreError;

/// A test is over after this time: it has arrived, or it is given up.
const TEST_LASTS: TimeDelta = TimeDelta::seconds(10);

/// Resolves those of the open incidents that are over, and writes down what is known of the others.
pub(super) async fn resolve(look: &mut Look, open: Vec<Incident>, seen: &Seen) -> Result<(), StoreError> {
    let failed = open.iter().filter(|open| open.kind == Kind::OperationFailed);
    let failed: Vec<_> = failed.filter_map(|open| open.facts.operation).collect();
    let with_dead: BTreeSet<_> = look.turn.operations_with_dead(&failed).await?.into_iter().collect();
    for incident in open {
        let (facts, reason) = judge(look, &incident, seen, &with_dead);
        let settle = look.routes.settle();
        match incident.ending(reason, settle, look.turn.now) {
            Ending::Over => {
                let reason = reason.unwrap_or_default();
                look.turn.update(incident.id, &facts, incident.over_since).await?;
                look.turn.resolve(incident.id, reason).await?;
                info!(incident = %incident.id, kind = incident.kind.as_str(), squad = incident.squad, reason, "incident resolved");
            }
            ending => {
                let over_since = match ending {
                    Ending::Settles => incident.over_since.or(Some(look.turn.now)),
                    Ending::GoesOn | Ending::Over => None,
                };
                if facts != incident.facts || over_since != incident.over_since {
                    look.turn.update(incident.id, &facts, over_since).await?;
                }
            }
        }
    }
    Ok(())
}

/// What is known of an incident now, and why it is over, if it is.
fn judge(
    look: &Look,
    incident: &Incident,
    seen: &Seen,
    with_dead: &BTreeSet<Uuid>,
) -> (Facts, Option<&'static str>) {
    let mut facts = incident.facts.clone();
    let (now, quiet) = (look.turn.now, look.routes.quiet_after());
    let age = now - incident.opened_at;
    let is_seen = seen.contains(&incident.subject);
    let reason = match incident.kind {
        kind if kind.is_of_groups() => {
            let groups: Vec<_> =
                look.groups.iter().filter(|group| group.open.contains(&incident.id)).collect();
            facts.dead = groups.iter().map(|group| group.dead).sum();
            facts.last_hour = groups.iter().map(|group| group.last_hour).sum();
            facts.assignee = groups.iter().find_map(|group| group.group.assignee.clone());
            facts.ticket = groups.iter().find_map(|group| Some(group.group.ticket.as_ref()?.named()));
            let calm = kind == Kind::EscalatingErrorGroup && !grows(facts.last_hour, facts.ceiling);
            if calm { Some("it occurs as rarely as before") } else { all_over(&groups, quiet, now) }
        }
        Kind::SquadGrowth => {
            facts.last_hour = look.growth.get(&incident.squad).copied().unwrap_or(0);
            (!grows(facts.last_hour, facts.ceiling)).then_some("as few arrive as before")
        }
        Kind::OperationPaused => (!is_seen).then_some("the operation was resumed or cancelled"),
        Kind::OperationFailed => match facts.operation {
            Some(operation) if with_dead.contains(&operation) => {
                (age >= quiet).then_some("nothing was done about it for a while")
            }
            _ => Some("none of the failed messages is dead any longer"),
        },
        Kind::SourceLag => (!is_seen).then_some("the source is consumed, and its messages do not wait"),
        _ => (age >= TEST_LASTS).then_some("it was a test"),
    };
    (facts, reason)
}

/// Why all of them are over: the reason of the last one.
fn all_over(
    groups: &[&WatchedGroup],
    quiet: TimeDelta,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<&'static str> {
    let mut reason = "its error groups are no longer stored";
    for group in groups {
        reason = group.over(quiet, now)?;
    }
    Some(reason)
}
