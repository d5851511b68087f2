//! Which dead letters an operation acts on, as clients write it and as the record shows it.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Permission, Scope};
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Kind, Selection as Chosen};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, FieldError};
use crate::http::filter::FilterInput;
use crate::http::problem::Problem;

const MAX_IDS: usize = 10_000;

/// The selection of a request: one of `ids`, `filter` and `deletedBy`.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    pub ids: Option<Vec<Uuid>>,
    pub filter: Option<FilterInput>,
    pub all: bool,
    pub limit: Option<u64>,
    pub deleted_by: Option<Uuid>,
}

/// A selection as it was asked for: `ids`, or `deletedBy`, or `filter` with `all`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// These dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<Uuid>>,
    /// The dead letters that this operation deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<Uuid>,
    /// The dead letters that matched this filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FilterInput>)]
    #[expect(clippy::option_option, reason = "null where nothing but `all` is given, absent beside ids")]
    filter: Option<Option<FilterInput>>,
    /// Whether an empty filter was allowed, which matches every dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
}

impl Selected {
    /// Everything that is wrong with it whatever the database holds.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = self.check_choice();
        if self.limit == Some(0) {
            errors.push(FieldError::new("limit", "must be 1 or more"));
        }
        errors
    }

    fn check_choice(&self) -> Vec<FieldError> {
        let Self { ids, filter, all, deleted_by, .. } = self;
        let wrong = |field: &str, message: String| vec![FieldError::new(field, message)];
        match (ids, filter) {
            _ if deleted_by.is_some() => {
                if ids.is_some() || filter.is_some() || *all {
                    wrong("deletedBy", "contradicts `ids`, `filter` and `all`: give one of them".into())
                } else {
                    vec![]
                }
            }
            (Some(_), Some(_)) => wrong("filter", "contradicts `ids`: give one of the two".into()),
            (None, None) if !all => {
                wrong("ids", "or `filter` is needed; `\"all\": true` means all of them".into())
            }
            (Some(ids), None) if ids.is_empty() => wrong("ids", "must not be empty".into()),
            (Some(ids), None) if ids.len() > MAX_IDS => {
                wrong("ids", format!("must be {MAX_IDS} at most: select by a filter, or in several requests"))
            }
            (Some(_), None) if *all => wrong("all", "contradicts `ids`: give one of the two".into()),
            _ => vec![],
        }
    }

    /// As it is recorded.
    pub fn asked(&self) -> Selection {
        match (&self.ids, self.deleted_by) {
            (Some(ids), _) => Selection { ids: Some(ids.clone()), ..Selection::default() },
            (None, Some(operation)) => Selection { deleted_by: Some(operation), ..Selection::default() },
            (None, None) => {
                Selection { filter: Some(self.filter.clone()), all: Some(self.all), ..Selection::default() }
            }
        }
    }

    /// What it means now, where the operation acts on dead letters of this status; and the services that the caller may act on, unless
    /// that is all or the filter says it.
    pub async fn resolve(
        self,
        api: &Api,
        caller: &Caller,
        permissions: &[Permission],
        (kind, wanted): (Kind, Status),
    ) -> Result<(Chosen, Option<Vec<String>>), ApiError> {
        let scope = caller.may(permissions)?;
        if let Some(operation) = self.deleted_by {
            return Ok((Chosen::DeletedBy(operation), within(api, &scope).await?));
        }
        if let Some(ids) = self.ids {
            let within = within_ids(api, caller, permissions, &ids).await?;
            // Each once, in the order of arrival.
            let ids = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
            return Ok((Chosen::Ids(ids), within));
        }
        let mut input = self.filter.unwrap_or_default();
        // Before it is narrowed to what the caller may see.
        let is_empty = input.is_empty();
        input.status.get_or_insert_with(|| wanted.as_str().to_owned());
        let filter = input.resolve(api, caller, permissions).await?;
        if filter.status.status() != Some(wanted) {
            let message = match (wanted, filter.status.status()) {
                (Status::Dead, Some(Status::Redelivered)) if kind == Kind::Redeliver => {
                    "is redelivered: add `again: true` to redeliver those once more".into()
                }
                _ => format!("must be {}, or absent: only those can be acted on", wanted.as_str()),
            };
            return Err(ApiError::field("filter.status", message));
        }
        if is_empty && !self.all {
            return Err(ApiError::field(
                "filter",
                "is empty, which means all of them: say so with `\"all\": true`",
            ));
        }
        if filter.services.as_ref().is_some_and(Vec::is_empty) {
            let visible = input.resolve(api, caller, &[Permission::Read]).await?.services;
            check_services(caller, permissions, visible.iter().flatten())?;
        }
        Ok((Chosen::Filter(Box::new(filter)), None))
    }
}

/// The services of a scope, unless it covers all.
pub async fn within(api: &Api, scope: &Scope) -> Result<Option<Vec<String>>, ApiError> {
    if scope.is_everything() {
        return Ok(None);
    }
    Ok(Some(scope.of_services(api.store.services().await?)))
}

/// The services of these dead letters that the caller may act on, unless that is all of them. An error if the caller can see one of these
/// and may not act on it. Those it cannot see do not exist for it.
async fn within_ids(
    api: &Api,
    caller: &Caller,
    permissions: &[Permission],
    ids: &[Uuid],
) -> Result<Option<Vec<String>>, ApiError> {
    let scope = caller.scope(permissions);
    if scope.is_everything() {
        return Ok(None);
    }
    let services = api.store.services_of(ids).await?;
    let read = caller.scope(&[Permission::Read]);
    check_services(caller, permissions, services.iter().filter(|service| read.covers(service)))?;
    Ok(Some(scope.of_services(services)))
}

/// An error that names the first of these services on which the caller lacks a permission.
fn check_services<'s>(
    caller: &Caller,
    permissions: &[Permission],
    services: impl IntoIterator<Item = &'s String>,
) -> Result<(), ApiError> {
    for service in services {
        if let Some(missing) =
            permissions.iter().find(|permission| !caller.scope(&[**permission]).covers(service))
        {
            let message = format!(
                "You may not {} of {service}. This needs the permission `{missing}` there.",
                missing.verb()
            );
            return Err(ApiError::new(Problem::NOT_ALLOWED, message));
        }
    }
    Ok(())
}
