//! `GET /dead-letters/squad-overview`: what each squad has.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::service_overview::{LastDayView, PlaceInput, TrendView};
use crate::access::Permission;
use crate::clock;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, Unavailable};

/// The dead letters of one squad.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SquadOverview {
    /// Squad. `unowned`: the services without a squad.
    #[schema(example = "checkout")]
    squad: String,
    /// Number of dead letters with the status `dead`.
    #[schema(example = 43_870)]
    messages: i64,
    /// Number of these in muted error groups.
    #[schema(example = 175)]
    muted: i64,
    /// Number of services with such dead letters.
    #[schema(example = 3)]
    services: usize,
    /// When the earliest of them arrived. Null: there are none.
    #[schema(required)]
    oldest: Option<DateTime<Utc>>,
    /// When the latest of them arrived. Null: there are none.
    #[schema(required)]
    newest: Option<DateTime<Utc>>,
    /// Recent arrivals, of any status, without those of muted error groups.
    trend: TrendView,
    /// Arrivals of the last 24 hours, by status.
    last_day: LastDayView,
}

/// Count dead letters per squad, most first
///
/// A squad whose dead letters are all redelivered or deleted is listed for 24 hours after its last arrival, with 0 `messages`.
#[utoipa::path(
    get,
    path = "/dead-letters/squad-overview",
    operation_id = "getSquadOverview",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    params(PlaceInput),
    responses((status = 200, description = "The squads with dead letters.", body = Vec<SquadOverview>), BadRequest, Unavailable)
)]
pub async fn squad_overview(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<Vec<SquadOverview>>, ApiError> {
    let place: PlaceInput = query.take()?;
    query.finish()?;
    let (broker, vhost) = place.checked()?;
    let scope = caller.may(&[Permission::Read])?;
    let counts = api.store.service_counts(broker, vhost, clock::now()).await?;
    let mut squads: BTreeMap<String, SquadOverview> = BTreeMap::new();
    for service in counts.into_iter().filter(|count| scope.covers(&count.service)) {
        let squad = scope.owners().squad(&service.service);
        let overview = squads.entry(squad.to_owned()).or_insert_with(|| SquadOverview {
            squad: squad.to_owned(),
            messages: 0,
            muted: 0,
            services: 0,
            oldest: service.oldest,
            newest: service.newest,
            trend: TrendView::default(),
            last_day: LastDayView::default(),
        });
        overview.messages += service.dead;
        overview.muted += service.muted;
        overview.services += usize::from(service.dead > 0);
        overview.oldest = [overview.oldest, service.oldest].into_iter().flatten().min();
        overview.newest = overview.newest.max(service.newest);
        overview.trend.last_hour += service.trend.last_hour;
        overview.trend.day_before += service.trend.day_before;
        overview.last_day.died += service.last_day.died;
        overview.last_day.redelivered += service.last_day.redelivered;
        overview.last_day.deleted += service.last_day.deleted;
    }
    let mut squads: Vec<_> = squads.into_values().collect();
    squads.sort_by_key(|squad| -squad.messages);
    Ok(Json(squads))
}
