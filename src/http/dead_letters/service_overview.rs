//! `GET /dead-letters/service-overview`: what each service has.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Permission;
use crate::clock;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::ownership::same_squad;
use crate::store::{DayCount, Trend};

/// Whose services, and what died where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SquadInput {
    /// Only services of this squad, with or without `squad-`. `unowned`: services without a squad.
    #[param(min_length = 1)]
    squad: Option<String>,
}

groups!(SquadInput);

/// What died where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlaceInput {
    /// Only dead letters that died on this broker, by its configured name.
    #[param(min_length = 1)]
    pub broker: Option<String>,
    /// Only dead letters that died in this virtual host.
    #[param(min_length = 1)]
    pub vhost: Option<String>,
}

groups!(PlaceInput);

impl PlaceInput {
    /// Broker and virtual host, neither of them empty.
    pub fn checked(&self) -> Result<(Option<&str>, Option<&str>), ApiError> {
        for (field, value) in [("broker", &self.broker), ("vhost", &self.vhost)] {
            match value.as_deref() {
                Some("") => return Err(ApiError::field(field, "must not be empty")),
                Some(text) if text.contains('\0') => {
                    return Err(ApiError::field(field, "must not hold the character NUL"));
                }
                _ => {}
            }
        }
        Ok((self.broker.as_deref(), self.vhost.as_deref()))
    }
}

/// The dead letters of one service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceOverview {
    /// Service.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns the service. `unowned`: none.
    #[schema(example = "checkout")]
    squad: String,
    /// Number of dead letters with the status `dead`.
    #[schema(example = 43_695)]
    count: i64,
    /// Number of these in muted error groups.
    #[schema(example = 175)]
    muted: i64,
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

/// Arrivals of the last 24 hours, rounded to five minutes, by status. Dead letters that arrived earlier are not counted, whenever they were
/// acted on.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LastDay)]
pub struct LastDayView {
    /// Number of arrivals.
    #[schema(example = 249)]
    pub died: i64,
    /// Number of these that are redelivered.
    #[schema(example = 0)]
    pub redelivered: i64,
    /// Number of these that are deleted.
    #[schema(example = 249)]
    pub deleted: i64,
}

impl From<DayCount> for LastDayView {
    fn from(DayCount { died, redelivered, deleted }: DayCount) -> Self {
        Self { died, redelivered, deleted }
    }
}

/// Arrivals of the last hour, and of the same hour of the day before.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Trend)]
pub struct TrendView {
    /// Arrivals of the last hour, rounded to five minutes.
    #[schema(example = 5_120)]
    pub last_hour: i64,
    /// Arrivals of the same hour of the day before.
    #[schema(example = 3)]
    pub day_before: i64,
}

impl From<Trend> for TrendView {
    fn from(trend: Trend) -> Self {
        Self { last_hour: trend.last_hour, day_before: trend.day_before }
    }
}

/// Count dead letters per service, most first
///
/// A service whose dead letters are all redelivered or deleted is listed for 24 hours after its last arrival, with a `count` of 0.
#[utoipa::path(
    get,
    path = "/dead-letters/service-overview",
    operation_id = "getServiceOverview",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    params(SquadInput, PlaceInput),
    responses((status = 200, description = "The services with dead letters.", body = Vec<ServiceOverview>), BadRequest, Unavailable)
)]
pub async fn service_overview(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<Vec<ServiceOverview>>, ApiError> {
    let SquadInput { squad } = query.take()?;
    let place: PlaceInput = query.take()?;
    query.finish()?;
    if squad.as_deref() == Some("") {
        return Err(ApiError::field("squad", "must not be empty"));
    }
    let scope = caller.may(&[Permission::Read])?;
    let (broker, vhost) = place.checked()?;
    let counts = api.store.service_counts(broker, vhost, clock::now()).await?;
    let services = counts
        .into_iter()
        .filter(|count| scope.covers(&count.service))
        .map(|count| ServiceOverview {
            squad: scope.owners().squad(&count.service).to_owned(),
            service: count.service,
            count: count.dead,
            muted: count.muted,
            oldest: count.oldest,
            newest: count.newest,
            trend: count.trend.into(),
            last_day: count.last_day.into(),
        })
        .filter(|service| squad.as_ref().is_none_or(|squad| same_squad(squad, &service.squad)));
    Ok(Json(services.collect()))
}
