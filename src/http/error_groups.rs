//! `GET /dead-letters/error-groups`: is it one bug or five.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::{ApiError, BadRequest, Unavailable};
use super::error_group_view::ErrorGroupView;
use super::filter::FilterInput;
use super::page::parse_limit;
use super::query::Query;
use super::view::DeadLetteredMessage;
use crate::clock;
use crate::domain::error_group::GroupState;
use crate::store::SPARKLINE;

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GroupsInput {
    /// Only groups in this state.
    #[param(inline, value_type = Option<GroupStateName>)]
    state: Option<String>,
    /// How many, from 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
}

/// The states, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum GroupStateName {
    /// First seen less than a day ago.
    New,
    /// Known for longer.
    Ongoing,
    /// Came back after it was resolved.
    Regressed,
    /// Resolved, and did not come back.
    Resolved,
    /// Not to be heard of for a while.
    Muted,
}

/// The error groups of the dead letters that the filter lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroups {
    /// Those with the most dead letters, most first.
    groups: Vec<CountedGroup>,
    /// How many groups there are in all.
    #[schema(example = 3)]
    total: usize,
    /// How many dead letters these have together.
    #[schema(example = 43_695)]
    messages: i64,
}

/// An error group, and what it has of the dead letters that the filter lists.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountedGroup {
    /// The group.
    #[serde(flatten)]
    group: ErrorGroupView,
    /// How many of the dead letters that the filter lists.
    #[schema(example = 43_600)]
    count: i64,
    /// Its part of all that the filter lists, whatever state the groups are in: from 0 to 1.
    #[schema(example = 0.998)]
    share: f64,
    /// How many arrived in each of the last 24 hours (UTC), whatever became of them; the running hour last.
    #[schema(min_items = 24, max_items = 24)]
    sparkline: [i64; SPARKLINE],
    /// The newest dead letter of it that is dead; null where none is.
    #[schema(required)]
    sample: Option<DeadLetteredMessage>,
}

/// Error groups of a filter: which failures are the same bug
///
/// Dead letters of one service are in one group where reason, type of the error, its text without numbers, ids and quotes, and
/// the top of the stack are the same. Without `status`, only those that nothing was done with yet are counted. A group without any
/// stays for 24 hours after its last arrival, with a `count` of 0, so that it can be resolved after a redelivery; not where the
/// filter asks for more than squad, service, group, reason and status.
#[utoipa::path(
    get,
    path = "/dead-letters/error-groups",
    tag = "error groups",
    params(FilterInput, GroupsInput),
    responses((status = 200, description = "Groups, most first", body = ErrorGroups), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "error groups", skip_all)]
pub async fn error_groups(State(api): State<Api>, mut query: Query) -> Result<Json<ErrorGroups>, ApiError> {
    let input: FilterInput = query.take()?;
    let GroupsInput { state, limit } = query.take()?;
    query.finish()?;
    let limit = parse_limit(limit.as_deref())?;
    let state = state.as_deref().map(|name| {
        GroupState::parse(name).ok_or_else(|| {
            ApiError::field("state", "must be one of new, ongoing, regressed, resolved, muted")
        })
    });
    let state = state.transpose()?;
    let filter = input.resolve(&api).await?;

    let now = clock::now();
    let mut groups = api.store.error_groups(&filter, now).await?;
    let all: i64 = groups.iter().map(|(_, count)| count).sum();
    groups.retain(|(group, _)| state.is_none_or(|state| group.state(now) == state));
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
            sample: preview.sample.map(|letter| DeadLetteredMessage::new(letter, &owners, log_link)),
            group: ErrorGroupView::new(group, &owners, now),
        }
    });
    Ok(Json(ErrorGroups { groups: groups.collect(), total, messages }))
}
