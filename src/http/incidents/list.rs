//! `GET /incidents`: what squads were told.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::{IncidentKind, IncidentView};
use crate::access::Permission;
use crate::domain::filter::Order;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::page::{PageInput, cut, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::word::{Word, words};
use crate::store::WantedIncidents;

words! {
    /// Which incidents are listed.
    IncidentState {
        /// Those that go on.
        Open,
        /// Those that are over.
        Resolved,
    }
}

/// Which incidents.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct IncidentsInput {
    /// Only incidents about this service.
    #[param(min_length = 1, example = "webshop")]
    service: Option<String>,
    /// Only incidents about a service that this squad owns now, with or without `squad-`. `unowned`: services without a squad.
    #[param(min_length = 1, example = "checkout")]
    squad: Option<String>,
    /// Only incidents in this state. Default: all.
    #[param(value_type = Option<IncidentState>)]
    state: Option<String>,
    /// Only incidents of this kind.
    #[param(value_type = Option<IncidentKind>)]
    kind: Option<String>,
}

groups!(IncidentsInput);

/// A page of incidents.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Incidents)]
pub struct IncidentPage {
    /// The incidents, latest first.
    incidents: Vec<IncidentView>,
    /// Cursor of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl IncidentsInput {
    async fn resolve(&self, api: &Api, caller: &Caller) -> Result<WantedIncidents, ApiError> {
        // The same as everywhere: a service of another squad is a contradiction.
        let same = FilterInput {
            service: self.service.clone(),
            squad: self.squad.clone(),
            ..FilterInput::default()
        };
        let state = self.state.as_deref().map(|name| IncidentState::read("state", name)).transpose()?;
        let kind = self.kind.as_deref().map(|name| IncidentKind::read("kind", name)).transpose()?;
        Ok(WantedIncidents {
            services: same.resolve(api, caller, &[Permission::Read]).await?.services,
            is_open: state.map(|state| state == IncidentState::Open),
            kind: kind.map(Into::into),
        })
    }
}

/// List incidents, latest first
///
/// What squads were told, and whether it goes on. Incidents about no service, such as a source that lags, are listed for callers who may
/// read everything.
#[utoipa::path(
    get,
    path = "/incidents",
    operation_id = "listIncidents",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "incidents",
    params(IncidentsInput, PageInput),
    responses((status = 200, description = "A page of incidents.", body = IncidentPage), BadRequest, Unavailable)
)]
pub async fn list_incidents(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<IncidentPage>, ApiError> {
    let input: IncidentsInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let wanted = input.resolve(&api, &caller).await?;
    let hash = list_hash("incidents", &input, Order::Newest)?;
    let before = page.cursor(hash)?.map(|cursor| cursor.id);
    let mut found = api.store.incidents(&wanted, before, limit + 1).await?;
    Ok(Json(IncidentPage {
        next_cursor: cut(&mut found, limit, hash, |incident| incident.id),
        incidents: found.into_iter().map(IncidentView::new).collect(),
    }))
}
