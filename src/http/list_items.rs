//! `GET /operations/{id}/items`: what became of each dead letter.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::error::{ApiError, BadRequest, NotFound, Unavailable};
use super::get::{PathId, path_id};
use super::get_operation::no_operation;
use super::operation_view::ItemView;
use super::page::PageInput;
use super::query::Query;
use crate::domain::cursor::{Cursor, SearchHash};
use crate::domain::filter::Order;
use crate::domain::operation::Outcome;

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomeInput {
    /// Only those that ended so: `sent`, `returned`, `deleted`, `restored`, `refused` or `skipped`.
    #[param(inline, value_type = Option<OutcomeName>)]
    outcome: Option<String>,
}

/// The outcomes, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum OutcomeName {
    /// Published, confirmed and not returned.
    Sent,
    /// Sent, and died again.
    Returned,
    /// Deleted.
    Deleted,
    /// Restored.
    Restored,
    /// Refused by the broker.
    Refused,
    /// Not this operation's to act on.
    Skipped,
}

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationItems {
    /// The items, in the order in which they are acted on.
    items: Vec<ItemView>,
    /// For the page after this one; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// The items of an operation and their outcomes
#[utoipa::path(
    get,
    path = "/operations/{id}/items",
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation"), OutcomeInput, PageInput),
    responses(
        (status = 200, description = "A page", body = OperationItems),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn list_items(
    State(api): State<Api>,
    id: PathId,
    mut query: Query,
) -> Result<Json<OperationItems>, ApiError> {
    let id = path_id(id)?;
    let OutcomeInput { outcome } = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let hash = SearchHash::new(&format!("{id} {outcome:?}"), Order::Oldest);
    let after = page.cursor(hash)?.map_or(0, |cursor| i64::try_from(cursor.id.as_u128()).unwrap_or(i64::MAX));
    let outcome = outcome.map(|name| {
        Outcome::parse(&name).ok_or_else(|| {
            ApiError::field("outcome", "must be one of sent, returned, deleted, restored, refused, skipped")
        })
    });
    let outcome = outcome.transpose()?;
    api.store.operation(id).await?.ok_or_else(|| no_operation(id))?;
    let mut found = api.store.items(id, outcome, after, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let place = |position: i64| Uuid::from_u128(position.unsigned_abs().into());
    let last = found.last().filter(|_| more).map(|item| place(item.position));
    Ok(Json(OperationItems {
        next_cursor: last.map(|id| Cursor { backwards: false, id, search: hash }.encode()),
        items: found.into_iter().map(ItemView::from).collect(),
    }))
}
