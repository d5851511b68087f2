//! `GET /dead-letters/error-groups`: is it one bug or five.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::care::Assigned;
use super::view::ErrorGroupView;
use crate::access::Permission;
use crate::clock;
use crate::domain::error_group::GroupState;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::view::DeadLetteredMessage;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::page::parse_limit;
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::words::{ErrorGroupState, Word};
use crate::store::SPARKLINE;

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GroupsInput {
    /// Only groups in this state.
    #[param(value_type = Option<ErrorGroupState>)]
    state: Option<String>,
    /// Only groups that are assigned to this person or squad. `me`: to the caller. `none`: to nobody.
    #[param(min_length = 1, max_length = 200, example = "user:default/ada")]
    assignee: Option<String>,
    /// Maximum number of groups.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
}

groups!(GroupsInput);

/// The error groups of the dead letters that match a filter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroups {
    /// The groups with the most dead letters, most first. Muted groups come last.
    groups: Vec<CountedGroup>,
    /// Total number of groups.
    #[schema(example = 3)]
    total: usize,
    /// Total number of dead letters in these groups.
    #[schema(example = 43_695)]
    messages: i64,
}

/// An error group, and its dead letters that match a filter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedGroup {
    /// The group.
    #[serde(flatten)]
    group: ErrorGroupView,
    /// Number of its dead letters that match the filter.
    #[schema(example = 43_600)]
    count: i64,
    /// Its share of the dead letters that match the filter, in groups of any state: from 0 to 1.
    #[schema(example = 0.998)]
    share: f64,
    /// Arrivals in each of the last 24 hours (UTC), of any status. The current hour is the last.
    #[schema(min_items = 24, max_items = 24)]
    sparkline: [i64; SPARKLINE],
    /// Number of notes that users have left on it.
    #[schema(example = 1)]
    notes: i64,
    /// Its latest dead letter with the status `dead`. Null: none.
    #[schema(required)]
    sample: Option<DeadLetteredMessage>,
}

/// List the error groups of a filter
///
/// Dead letters of one service belong to one group if reason, error type, error text (without numbers, ids and quoted values) and the top
/// of the stack trace are the same. Without `status`, only dead letters with the status `dead` are counted. A group without any is listed
/// for 24 hours after its last arrival, with a `count` of 0, if the filter has no conditions but squad, service, group, reason and status.
#[utoipa::path(
    get,
    path = "/dead-letters/error-groups",
    operation_id = "listErrorGroups",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "error groups",
    params(FilterInput, GroupsInput),
    responses((status = 200, description = "The groups, most dead letters first.", body = ErrorGroups), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "error groups", skip_all)]
pub async fn error_groups(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<ErrorGroups>, ApiError> {
    let input: FilterInput = query.take()?;
    let GroupsInput { state, assignee, limit } = query.take()?;
    query.finish()?;
    let limit = parse_limit(limit.as_deref())?;
    let state = state.as_deref().map(|name| ErrorGroupState::read("state", name)).transpose()?;
    let state = state.map(GroupState::from);
    let assignee = assignee.map(|name| Assigned::read(&name, &caller)).transpose()?;
    let filter = input.resolve(&api, &caller, &[Permission::Read]).await?;

    let now = clock::now();
    let mut groups = api.store.error_groups(&filter, now).await?;
    let all: i64 = groups.iter().map(|(_, count)| count).sum();
    groups.retain(|(group, _)| {
        state.is_none_or(|state| group.state(now) == state)
            && assignee.as_ref().is_none_or(|wanted| wanted.includes(group.assignee.as_deref()))
    });
    // Nobody wants to hear of them for a while.
    groups.sort_by_key(|(group, _)| group.state(now) == GroupState::Muted);
    let (total, messages) = (groups.len(), groups.iter().map(|(_, count)| count).sum());
    groups.truncate(limit as usize);
    let shown: Vec<_> = groups.iter().map(|(group, _)| (group.id, group.last_seen)).collect();
    let mut previews = api.store.group_previews(&shown, now).await?;
    let (owners, log_link) = (api.ownership.now(), api.log_link.as_deref());
    let groups = groups.into_iter().map(|(group, count)| {
        let preview = previews.remove(&group.id).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = count as f64 / all.max(1) as f64;
        CountedGroup {
            count,
            share,
            sparkline: preview.sparkline,
            notes: preview.notes,
            sample: preview.sample.map(|letter| DeadLetteredMessage::new(letter, &owners, log_link)),
            group: ErrorGroupView::new(group, &owners, now),
        }
    });
    Ok(Json(ErrorGroups { groups: groups.collect(), total, messages }))
}
