//! `GET /shift-log`: what happened within a time, for whoever takes over.

mod markdown;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::auth::Caller;
use super::error::ApiError;
use super::error_groups::view::{ErrorGroupView, GroupEventView};
use super::filter::{FilterInput, parse_time};
use super::operations::seen;
use super::operations::view::{OperationEventView, OperationView};
use super::query::{Query, groups};
use super::responses::{BadRequest, Unavailable};
use crate::access::Permission;
use crate::clock;
use crate::domain::error_group::{ErrorGroup, GroupEvent};
use crate::domain::operation::{Operation, OperationEvent};
use crate::store::{Shift, ShiftCounts, WantedOperations};

/// How long a shift is if nobody says.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(12);
/// Most entries of each list.
const MOST: u32 = 200;

/// Which time, and whose dead letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ShiftLogInput {
    /// Start of the time. Default: 12 hours before `until`.
    #[param(format = DateTime)]
    since: Option<String>,
    /// End of the time. Default: now.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Only services of this squad, with or without `squad-`. `unowned`: services without a squad.
    #[param(min_length = 1)]
    squad: Option<String>,
    /// Only this service.
    #[param(min_length = 1)]
    service: Option<String>,
    /// Offset from UTC of the times in `markdown`. Default: `+00:00`.
    #[param(example = "+01:00")]
    offset: Option<String>,
}

groups!(ShiftLogInput);

/// What happened within a time. Each list has at most 200 entries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShiftLog {
    /// Start of the time.
    since: DateTime<Utc>,
    /// End of the time.
    until: DateTime<Utc>,
    /// Number of dead letters that arrived, rounded to five minutes.
    #[schema(example = 43_712)]
    arrived: i64,
    /// Number of dead letters with the status `dead` now, whenever they arrived.
    #[schema(example = 17)]
    dead: i64,
    /// Error groups whose first dead letter arrived, latest first.
    new_groups: Vec<ErrorGroupView>,
    /// Error groups that were resolved and occurred again, latest first.
    regressed_groups: Vec<ErrorGroupView>,
    /// What was done with error groups, latest first.
    triage: Vec<TriageView>,
    /// Operations that were requested, or had not ended before, latest first.
    operations: Vec<ShiftOperationView>,
    /// Whether some list has more entries. To see them, ask for a shorter time.
    truncated: bool,
    /// All of it as Markdown.
    #[schema(
        example = "# Shift log, 2026-11-28 22:00 to 2026-11-29 06:00 (+01:00)\n\n43,712 dead letters arrived. 17 are dead now.\n"
    )]
    markdown: String,
}

/// What was done with an error group.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Triage)]
struct TriageView {
    /// The group as it is now.
    group: ErrorGroupView,
    /// What was done with it.
    event: GroupEventView,
}

/// An operation, and what was done to it within the time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ShiftOperation)]
struct ShiftOperationView {
    /// The operation.
    #[serde(flatten)]
    operation: OperationView,
    /// What was done to it within the time, earliest first.
    events: Vec<OperationEventView>,
}

/// All that is told of a shift.
#[derive(Debug)]
struct Told {
    shift: Shift,
    counts: ShiftCounts,
    new: Vec<ErrorGroup>,
    regressed: Vec<ErrorGroup>,
    triage: Vec<(ErrorGroup, GroupEvent)>,
    operations: Vec<(Operation, Vec<OperationEvent>)>,
    is_truncated: bool,
}

impl ShiftLogInput {
    async fn shift(&self, api: &Api, caller: &Caller) -> Result<Shift, ApiError> {
        // The same as in a filter.
        let whose = FilterInput {
            squad: self.squad.clone(),
            service: self.service.clone(),
            ..FilterInput::default()
        };
        let services = whose.resolve(api, caller, &[Permission::Read]).await?.services;
        let until = parse_time("until", self.until.as_deref())?.unwrap_or_else(clock::now);
        let since = parse_time("since", self.since.as_deref())?.unwrap_or(until - DEFAULT_LENGTH);
        if since >= until {
            return Err(ApiError::field("since", "must be before `until`"));
        }
        Ok(Shift { since, until, services })
    }

    fn offset(&self) -> Result<FixedOffset, ApiError> {
        let utc = DateTime::UNIX_EPOCH.fixed_offset().timezone();
        let Some(text) = &self.offset else { return Ok(utc) };
        // In a query, the + of an offset arrives as a space.
        text.replace(' ', "+")
            .parse()
            .map_err(|_| ApiError::field("offset", "must be an offset from UTC, such as +01:00"))
    }
}

/// Get what happened within a time, as lists and as Markdown
///
/// New and regressed error groups, what was done with groups, and operations: what the next shift has to know.
#[utoipa::path(
    get,
    path = "/shift-log",
    operation_id = "getShiftLog",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    params(ShiftLogInput),
    responses((status = 200, description = "The shift log.", body = ShiftLog), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "shift log", skip_all)]
pub async fn shift_log(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<ShiftLog>, ApiError> {
    let input: ShiftLogInput = query.take()?;
    query.finish()?;
    let offset = input.offset()?;
    let told = told(&api, &caller, input.shift(&api, &caller).await?).await?;
    let (owners, now) = (api.ownership.now(), clock::now());
    let watch = api.operations.watch_returns();
    let markdown = markdown::written(&told, offset, watch, now);
    let view = |group: ErrorGroup| ErrorGroupView::new(group, &owners, now);
    Ok(Json(ShiftLog {
        since: told.shift.since,
        until: told.shift.until,
        arrived: told.counts.arrived,
        dead: told.counts.dead,
        new_groups: told.new.into_iter().map(view).collect(),
        regressed_groups: told.regressed.into_iter().map(view).collect(),
        triage: told
            .triage
            .into_iter()
            .map(|(group, event)| TriageView { group: view(group), event: event.into() })
            .collect(),
        operations: told
            .operations
            .into_iter()
            .map(|(operation, events)| ShiftOperationView {
                operation: OperationView::new(operation, watch),
                events: events.into_iter().map(OperationEventView::from).collect(),
            })
            .collect(),
        truncated: told.is_truncated,
        markdown,
    }))
}

/// Reads one entry more than is shown of each list, to know whether there are more.
async fn told(api: &Api, caller: &Caller, shift: Shift) -> Result<Told, ApiError> {
    let (store, one_more) = (&api.store, i64::from(MOST) + 1);
    let mut is_truncated = false;
    let new = cut(store.new_groups(&shift, one_more).await?, &mut is_truncated);
    let regressed = cut(store.regressed_groups(&shift, one_more).await?, &mut is_truncated);
    let triage = cut(store.triage(&shift, one_more).await?, &mut is_truncated);
    let wanted = WantedOperations {
        services: shift.services.clone(),
        from: Some(shift.since),
        to: Some(shift.until),
        ..WantedOperations::default()
    };
    let operations = cut(store.operations(&wanted, None, MOST + 1).await?, &mut is_truncated);
    let seen = seen::all(api, caller, operations).await?;
    let ids: Vec<_> = seen.iter().map(|seen| seen.operation.id).collect();
    let mut steered: HashMap<Uuid, Vec<OperationEvent>> = HashMap::new();
    for (operation, event) in store.steered(&ids, &shift, MOST.into()).await? {
        steered.entry(operation).or_default().push(event);
    }

    let named: Vec<_> =
        new.iter().chain(&regressed).chain(triage.iter().map(|(group, _)| group)).copied().collect();
    let known = store.known_error_groups(&named).await?;
    let known: HashMap<_, _> = known.into_iter().map(|group| (group.id, group)).collect();
    let of = |ids: Vec<Uuid>| ids.iter().filter_map(|id| known.get(id).cloned()).collect();
    Ok(Told {
        counts: store.shift_counts(&shift).await?,
        new: of(new),
        regressed: of(regressed),
        triage: triage
            .into_iter()
            .filter_map(|(group, event)| Some((known.get(&group)?.clone(), event)))
            .collect(),
        operations: seen
            .into_iter()
            .map(|seen| {
                let events = steered.remove(&seen.operation.id).unwrap_or_default();
                (seen.operation, events)
            })
            .collect(),
        is_truncated,
        shift,
    })
}

/// As many as are shown.
fn cut<T>(mut found: Vec<T>, is_truncated: &mut bool) -> Vec<T> {
    *is_truncated |= found.len() > MOST as usize;
    found.truncate(MOST as usize);
    found
}
