//! `GET /operations`: what was asked for.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, BadRequest, Unavailable};
use super::operation_view::OperationView;
use super::page::PageInput;
use super::query::Query;
use crate::domain::cursor::{Cursor, SearchHash};
use crate::domain::filter::Order;

/// A page of operations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationPage {
    /// The operations, the last one first.
    operations: Vec<OperationView>,
    /// For the page after this one; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Operations, the last one first
#[utoipa::path(
    get,
    path = "/operations",
    tag = "operations",
    params(PageInput),
    responses((status = 200, description = "A page", body = OperationPage), BadRequest, Unavailable)
)]
pub async fn list_operations(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<OperationPage>, ApiError> {
    let page: PageInput = query.take()?;
    query.finish()?;
    let limit = page.limit()?;
    let hash = SearchHash::new("operations", Order::Newest);
    let before = page.cursor(hash)?.map(|cursor| cursor.id);
    let mut found = api.store.operations(before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more).map(|operation| operation.id);
    Ok(Json(OperationPage {
        next_cursor: last.map(|id| Cursor { backwards: false, id, search: hash }.encode()),
        operations: found.into_iter().map(OperationView::from).collect(),
    }))
}
