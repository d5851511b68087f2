//! `GET /incidents/{id}`: one incident, and what became of its notifications.

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::view::IncidentDetailsView;
use crate::access::Permission;
use crate::clock;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};

/// Get an incident, and what became of its notifications
#[utoipa::path(
    get,
    path = "/incidents/{id}",
    operation_id = "getIncident",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "incidents",
    params(("id" = Uuid, Path, description = "Id of the incident.")),
    responses((status = 200, description = "The incident.", body = IncidentDetailsView), BadRequest, NotFound, Unavailable)
)]
pub async fn get_incident(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<IncidentDetailsView>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    details(&api, &caller, id).await.map(Json)
}

/// The incident, if the caller may read everything, or one of its services.
pub(super) async fn details(api: &Api, caller: &Caller, id: Uuid) -> Result<IncidentDetailsView, ApiError> {
    let (incident, scope) = (api.store.incident(id).await?, caller.scope(&[Permission::Read]));
    let incident = incident
        .filter(|incident| {
            scope.is_everything() || incident.services.iter().any(|service| scope.covers(service))
        })
        .ok_or_else(|| {
            ApiError::not_found(format!("No incident has the id {id}. It may have been removed."))
        })?;
    let groups = api.store.groups_of_incident(id).await?;
    let notifications = api.store.deliveries(id).await?;
    Ok(IncidentDetailsView::new(incident, groups, notifications, clock::now()))
}
