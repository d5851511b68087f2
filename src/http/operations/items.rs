//! `GET /operations/{id}/items`: what became of each dead letter.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::seen;
use super::view::ItemView;
use crate::domain::filter::Order;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::page::{PageInput, cut, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, NotFound, Unavailable};
use crate::http::words::{Outcome, Word};

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomeInput {
    /// Only items with this outcome.
    #[param(value_type = Option<Outcome>)]
    outcome: Option<String>,
}

groups!(OutcomeInput);

/// A page of items.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationItems {
    /// The items, in the order in which they are acted on.
    items: Vec<ItemView>,
    /// Cursor of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List the items of an operation and their outcomes
#[utoipa::path(
    get,
    path = "/operations/{id}/items",
    operation_id = "listOperationItems",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "operations",
    params(("id" = Uuid, Path, description = "Id of the operation."), OutcomeInput, PageInput),
    responses(
        (status = 200, description = "A page of items.", body = OperationItems),
        BadRequest, NotFound, Unavailable
    )
)]
pub async fn list_items(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    mut query: Query,
) -> Result<Json<OperationItems>, ApiError> {
    let id = path_id(id)?;
    let OutcomeInput { outcome } = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let hash = list_hash("items", &(id, &outcome), Order::Oldest)?;
    let after = page.cursor(hash)?.map_or(0, |cursor| i64::try_from(cursor.id.as_u128()).unwrap_or(i64::MAX));
    let outcome = outcome.map(|name| Outcome::read("outcome", &name)).transpose()?.map(Into::into);
    let only = seen::one(&api, &caller, id).await?.only;
    let mut found = api.store.items(id, outcome, only.as_deref(), after, limit + 1).await?;
    Ok(Json(OperationItems {
        next_cursor: cut(&mut found, limit, hash, |item| {
            Uuid::from_u128(item.position.unsigned_abs().into())
        }),
        items: found.into_iter().map(ItemView::from).collect(),
    }))
}
