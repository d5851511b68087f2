//! `GET /operations`: what was asked for.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::seen;
use super::view::OperationView;
use crate::access::Permission;
use crate::domain::filter::{Filter, Order};
use crate::domain::operation::{Kind, State as OperationState};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::page::{PageInput, cut, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::words::{OperationKind, Word};
use crate::store::WantedOperations;

/// Which operations.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct OperationsInput {
    /// Only operations that selected dead letters of this service. Operations of versions that did not record `services` are not found.
    #[param(min_length = 1, example = "webshop")]
    service: Option<String>,
    /// Only operations that selected dead letters of a service that this squad owns now, with or without `squad-`. `unowned`: services
    /// without a squad.
    #[param(min_length = 1, example = "checkout")]
    squad: Option<String>,
    /// Only operations in one of these states, separated by commas: `pending`, `running`, `waiting`, `paused`, `cancelling`, `cancelled`,
    /// `completed`.
    #[param(example = "pending,running,waiting,paused,cancelling")]
    state: Option<String>,
    /// Only operations of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<OperationKind>)]
    kind: Option<String>,
    /// Only operations that selected dead letters of this error group. Operations of versions that did not record this are not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = Uuid)]
    error_group: Option<String>,
    /// Only operations whose `requestedBy` contains this text, ignoring case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, example = "ada")]
    requested_by: Option<String>,
    /// Only operations that had not ended before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only operations that were requested before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    to: Option<String>,
}

groups!(OperationsInput);

/// A page of operations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Operations)]
pub struct OperationPage {
    /// The operations, latest first.
    operations: Vec<OperationView>,
    /// Cursor of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl OperationsInput {
    /// What it means now. A squad stands for the services that it owns at this moment.
    async fn resolve(&self, api: &Api, caller: &Caller) -> Result<WantedOperations, ApiError> {
        // The same as everywhere: a service of another squad is a contradiction.
        let same = FilterInput {
            service: self.service.clone(),
            squad: self.squad.clone(),
            error_group: self.error_group.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            ..FilterInput::default()
        };
        let Filter { services, error_group, from, to, .. } =
            same.resolve(api, caller, &[Permission::Read]).await?;
        let services = match error_group {
            Some(group) => within_service_of(api, group, services).await?,
            None => services,
        };
        let kind = self.kind.as_deref().map(|name| OperationKind::read("kind", name)).transpose()?;
        let requested_by = self.requested_by.clone();
        if requested_by.as_deref().is_some_and(|name| name.is_empty() || name.contains('\0')) {
            return Err(ApiError::field("requestedBy", "must be text, without the character NUL"));
        }
        Ok(WantedOperations {
            services,
            states: self.states()?,
            kind: kind.map(Kind::from),
            error_group,
            requested_by,
            from,
            to,
        })
    }

    fn states(&self) -> Result<Option<Vec<OperationState>>, ApiError> {
        let Some(names) = &self.state else { return Ok(None) };
        let states = names.split(',').map(|name| {
            OperationState::parse(name.trim()).ok_or_else(|| {
                let all: Vec<_> = OperationState::ALL.iter().map(|state| state.as_str()).collect();
                ApiError::field(
                    "state",
                    format!("must be one or more, separated by commas, of {}", all.join(", ")),
                )
            })
        });
        states.collect::<Result<_, _>>().map(Some)
    }
}

/// These services, if the group is of one of them. A group of another service is an unknown one.
async fn within_service_of(
    api: &Api,
    group: Uuid,
    services: Option<Vec<String>>,
) -> Result<Option<Vec<String>>, ApiError> {
    let Some(services) = services else { return Ok(None) };
    let group = api.store.error_group(group).await?;
    let is_seen = group.is_some_and(|group| services.contains(&group.service));
    Ok(Some(if is_seen { services } else { Vec::new() }))
}

/// List operations, latest first
#[utoipa::path(
    get,
    path = "/operations",
    operation_id = "listOperations",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "operations",
    params(OperationsInput, PageInput),
    responses((status = 200, description = "A page of operations.", body = OperationPage), BadRequest, Unavailable)
)]
pub async fn list_operations(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<OperationPage>, ApiError> {
    let input: OperationsInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let wanted = input.resolve(&api, &caller).await?;
    let hash = list_hash("operations", &input, Order::Newest)?;
    let before = page.cursor(hash)?.map(|cursor| cursor.id);
    let mut found = api.store.operations(&wanted, before, limit + 1).await?;
    let next_cursor = cut(&mut found, limit, hash, |operation| operation.id);
    let seen = seen::all(&api, &caller, found).await?;
    Ok(Json(OperationPage {
        next_cursor,
        operations: seen.into_iter().map(|seen| api.view(seen.operation)).collect(),
    }))
}
