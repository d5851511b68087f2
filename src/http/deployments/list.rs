//! `GET /deployments`: which versions ran since when.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check_names;
use super::view::DeploymentView;
use crate::access::Permission;
use crate::domain::filter::Order;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::page::{PageInput, cut, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::store::WantedDeployments;

/// Which deployments.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct DeploymentsInput {
    /// Only deployments of this service.
    #[param(min_length = 1, example = "webshop")]
    service: String,
    /// Only deployments in this environment.
    #[param(min_length = 1, example = "production")]
    environment: Option<String>,
}

groups!(DeploymentsInput);

/// A page of deployments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deployments)]
pub struct DeploymentPage {
    /// The deployments, those that were told last first.
    deployments: Vec<DeploymentView>,
    /// Cursor of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List the deployments of a service, latest first
#[utoipa::path(
    get,
    path = "/deployments",
    operation_id = "listDeployments",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "deployments",
    params(DeploymentsInput, PageInput),
    responses((status = 200, description = "A page of deployments.", body = DeploymentPage), BadRequest, Unavailable)
)]
pub async fn list_deployments(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<DeploymentPage>, ApiError> {
    let input: DeploymentsInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let names = [("service", Some(&input.service)), ("environment", input.environment.as_ref())];
    if let Some(wrong) = check_names(names).next() {
        return Err(wrong.into());
    }
    let limit = page.limit()?;
    let hash = list_hash("deployments", &input, Order::Newest)?;
    let before = page.cursor(hash)?.map(|cursor| cursor.id);
    let is_seen = caller.scope(&[Permission::Read]).covers(&input.service);
    let services = if is_seen { vec![input.service] } else { Vec::new() };
    let wanted = WantedDeployments { services, environment: input.environment };
    let mut found = api.store.deployments(&wanted, before, limit + 1).await?;
    Ok(Json(DeploymentPage {
        next_cursor: cut(&mut found, limit, hash, |deployment| deployment.id),
        deployments: found.into_iter().map(DeploymentView::from).collect(),
    }))
}
