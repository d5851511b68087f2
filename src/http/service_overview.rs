//! `GET /dead-letters/service-overview`: what each service has.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::{ApiError, BadRequest, Unavailable};
use super::query::Query;
use crate::clock;
use crate::ownership::same_squad;
use crate::store::{DayCount, Trend};

/// Whose services, and what died where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SquadInput {
    /// Only services of this squad, with or without `squad-`; `unowned` for those that nobody owns.
    #[param(min_length = 1)]
    squad: Option<String>,
}

/// What died where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlaceInput {
    /// Only what died on this broker, by the name that the configuration gives it.
    #[param(min_length = 1)]
    pub broker: Option<String>,
    /// Only what died in this virtual host.
    #[param(min_length = 1)]
    pub vhost: Option<String>,
}

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

/// The dead letters of one service. One without any stays for 24 hours after its last arrival.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceOverview {
    /// The service.
    #[schema(example = "webshop")]
    service: String,
    /// Squad that owns it; `unowned` where the file of `DEAD_LETTER_OWNERSHIP_FILE` names none.
    #[schema(example = "checkout")]
    squad: String,
    /// How many are dead.
    #[schema(example = 43_695)]
    count: i64,
    /// When the first of them arrived; null where none is dead.
    #[schema(required)]
    oldest: Option<DateTime<Utc>>,
    /// When the last of them arrived.
    #[schema(required)]
    newest: Option<DateTime<Utc>>,
    /// How many arrived lately, and a day before that, whatever became of them.
    trend: TrendView,
    /// What died within the last 24 hours, and what became of it.
    last_day: LastDayView,
}

/// What died within the last 24 hours, to five minutes, and what became of it: messages that died before are not counted, whenever
/// they were acted on.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LastDay)]
pub struct LastDayView {
    /// How many died.
    #[schema(example = 249)]
    pub died: i64,
    /// How many of these are redelivered.
    #[schema(example = 0)]
    pub redelivered: i64,
    /// How many of these are deleted.
    #[schema(example = 249)]
    pub deleted: i64,
}

impl From<DayCount> for LastDayView {
    fn from(DayCount { died, redelivered, deleted }: DayCount) -> Self {
        Self { died, redelivered, deleted }
    }
}

/// How many died lately, against the day before.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Trend)]
pub struct TrendView {
    /// In the hour that ends now, to five minutes.
    #[schema(example = 5_120)]
    pub last_hour: i64,
    /// In the same hour of the day before.
    #[schema(example = 3)]
    pub day_before: i64,
}

impl From<Trend> for TrendView {
    fn from(trend: Trend) -> Self {
        Self { last_hour: trend.last_hour, day_before: trend.day_before }
    }
}

/// How many dead letters each service has, most first
///
/// A service stays for 24 hours after its last arrival, with a `count` of 0, when all of its dead letters are redelivered or deleted.
#[utoipa::path(
    get,
    path = "/dead-letters/service-overview",
    tag = "overviews",
    params(SquadInput, PlaceInput),
    responses((status = 200, description = "Services with dead letters", body = Vec<ServiceOverview>), BadRequest, Unavailable)
)]
pub async fn service_overview(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<Vec<ServiceOverview>>, ApiError> {
    let SquadInput { squad } = query.take()?;
    let place: PlaceInput = query.take()?;
    query.finish()?;
    if squad.as_deref() == Some("") {
        return Err(ApiError::field("squad", "must not be empty"));
    }
    let owners = api.ownership.now();
    let (broker, vhost) = place.checked()?;
    let counts = api.store.service_counts(broker, vhost, clock::now()).await?;
    let services = counts
        .into_iter()
        .map(|count| ServiceOverview {
            squad: owners.squad(&count.service).to_owned(),
            service: count.service,
            count: count.dead,
            oldest: count.oldest,
            newest: count.newest,
            trend: count.trend.into(),
            last_day: count.last_day.into(),
        })
        .filter(|service| squad.as_ref().is_none_or(|squad| same_squad(squad, &service.squad)));
    Ok(Json(services.collect()))
}
