//! What a caller sees of an operation: all of it, the part of the caller's services, or nothing.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::get::no_operation;
use crate::access::{Permission, Scope};
use crate::domain::operation::{Operation, Outcome, Outcomes, Target};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;

/// An operation, as far as a caller sees it.
#[derive(Debug)]
pub struct Seen {
    /// With the counts of what the caller sees.
    pub operation: Operation,
    /// The services that the caller sees, if the operation has others, too.
    pub only: Option<Vec<String>>,
}

/// The operation of this id, if the caller sees anything of it.
pub async fn one(api: &Api, caller: &Caller, id: Uuid) -> Result<Seen, ApiError> {
    let operation = api.store.operation(id).await?;
    let mut seen = all(api, caller, operation.into_iter().collect()).await?;
    seen.pop().ok_or_else(|| no_operation(id))
}

/// What the caller sees of these operations.
pub async fn all(api: &Api, caller: &Caller, operations: Vec<Operation>) -> Result<Vec<Seen>, ApiError> {
    let scope = caller.scope(&[Permission::Read]);
    let mut seen: Vec<_> =
        operations.into_iter().filter_map(|operation| part(operation, caller, &scope)).collect();
    let in_part = seen.iter().filter(|seen| seen.only.is_some());
    let ids: Vec<_> = in_part.clone().map(|seen| seen.operation.id).collect();
    if ids.is_empty() {
        return Ok(seen);
    }
    let services: BTreeSet<_> = in_part.filter_map(|seen| seen.only.as_ref()).flatten().cloned().collect();
    let services: Vec<_> = services.into_iter().collect();
    let counts = api.store.own_parts(&ids, &services).await?;
    for one in seen.iter_mut().filter(|seen| seen.only.is_some()) {
        let id = one.operation.id;
        let own = counts.iter().filter(|(of, ..)| *of == id).map(|(_, outcome, count)| (*outcome, *count));
        hide(&mut one.operation, own);
    }
    Ok(seen)
}

/// What a caller who may read this much sees of an operation, before [`hide`] leaves out the part of others.
pub fn part(mut operation: Operation, caller: &Caller, scope: &Scope) -> Option<Seen> {
    if scope.is_everything() {
        return Some(Seen { operation, only: None });
    }
    let is_own = caller.is(&operation.requested_by_id);
    // An older release did not say whose dead letters it has.
    let services = operation.services.clone()?;
    let own = scope.of_services(services.iter().cloned());
    if own.is_empty() && !is_own {
        return None;
    }
    if matches!(operation.target, Target::Explicit { .. }) {
        // What was sent elsewhere may have died there, in a foreign service.
        operation.died_of = None;
    }
    let is_whole = own.len() == services.len();
    let only = (!is_whole).then(|| own.clone());
    operation.services = Some(own);
    Some(Seen { operation, only })
}

/// Leaves out what concerns others.
pub fn hide(operation: &mut Operation, own: impl Iterator<Item = (Option<Outcome>, i64)>) {
    let (mut total, mut outcomes) = (0, Outcomes::default());
    for (outcome, count) in own {
        total += count;
        if let Some(outcome) = outcome {
            outcomes.add(outcome, count);
        }
    }
    operation.total = total;
    operation.not_done = operation.not_done.min(outcomes.skipped);
    operation.outcomes = outcomes;
    operation.asked = json!({});
    operation.edit = None;
    operation.waiting_for = None;
    operation.last_error = None;
    operation.died_of = None;
}
