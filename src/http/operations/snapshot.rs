//! An operation with all that the database says of it, for whoever may see something of it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::get::no_operation;
use super::seen;
use super::view::OperationDetailsView;
use crate::access::Permission;
use crate::domain::operation::{Operation, OperationEvent, Outcome, ReturnedGroup};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::store::{Store, StoreError};

/// Number of items of some services, by outcome.
type Part = Arc<Vec<(Option<Outcome>, i64)>>;

/// An operation at one moment.
#[derive(Debug)]
pub struct Snapshot {
    operation: Operation,
    returned: Vec<ReturnedGroup>,
    events: Vec<OperationEvent>,
    /// What callers see of it who see some of its services only, by these.
    parts: Mutex<HashMap<Vec<String>, Part>>,
}

impl PartialEq for Snapshot {
    /// Whether nothing has changed in between.
    fn eq(&self, other: &Self) -> bool {
        (&self.operation, &self.returned, &self.events) == (&other.operation, &other.returned, &other.events)
    }
}

impl Snapshot {
    /// As it is now, if there is such an operation.
    pub async fn take(store: &Store, id: Uuid) -> Result<Option<Self>, StoreError> {
        let Some(operation) = store.operation(id).await? else { return Ok(None) };
        let returned = store.returned_groups(id).await?;
        let events = store.operation_events(id).await?;
        Ok(Some(Self { operation, returned, events, parts: Mutex::default() }))
    }

    /// What this caller sees of it, if anything.
    pub async fn seen_by(&self, api: &Api, caller: &Caller) -> Result<OperationDetailsView, ApiError> {
        let id = self.operation.id;
        let scope = caller.scope(&[Permission::Read]);
        let seen = seen::part(self.operation.clone(), caller, &scope);
        let seen::Seen { mut operation, only } = seen.ok_or_else(|| no_operation(id))?;
        if let Some(services) = only {
            let part = self.part_of(&api.store, services).await?;
            seen::hide(&mut operation, part.iter().copied());
        }
        if !caller.scope(&[Permission::ReadPayload]).covers_all(operation.services.iter().flatten()) {
            operation.edit = None;
        }
        let mut returned = self.returned.clone();
        returned.retain(|group| {
            scope.is_everything() || group.service.as_ref().is_some_and(|service| scope.covers(service))
        });
        let watch = api.operations.watch_returns();
        Ok(OperationDetailsView::new(operation, watch, returned, self.events.clone()))
    }

    /// Callers who see the same services share one count.
    async fn part_of(&self, store: &Store, services: Vec<String>) -> Result<Part, StoreError> {
        let mut parts = self.parts.lock().await;
        if let Some(part) = parts.get(&services) {
            return Ok(Arc::clone(part));
        }
        let counts = store.own_parts(&[self.operation.id], &services).await?;
        let part =
            Arc::new(counts.into_iter().map(|(_, outcome, count)| (outcome, count)).collect::<Vec<_>>());
        parts.insert(services, Arc::clone(&part));
        Ok(part)
    }
}
