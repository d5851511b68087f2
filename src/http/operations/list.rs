//! `GET /operations`: what was asked for.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::seen;
use super::view::OperationView;
use crate::access::Permission;
use crate::domain::filter::Order;
use crate::domain::operation::State as OperationState;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::page::{PageInput, cut, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::store::WantedOperations;

/// Which operations.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
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
        let whose = FilterInput {
            service: self.service.clone(),
            squad: self.squad.clone(),
            ..FilterInput::default()
        };
        let services = whose.resolve(api, caller, &[Permission::Read]).await?.services;
        Ok(WantedOperations { services, states: self.states()? })
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
