//! `GET /dead-letters`: search.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::DeadLetteredMessage;
use crate::access::Permission;
use crate::domain::cursor::Cursor;
use crate::domain::filter::Order as ByArrival;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::page::{PageInput, list_hash};
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::words::{FoundAs, Order, TotalRelation, Word};
use crate::store::{Edge, Total};

/// In which order.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderInput {
    /// Order by time of arrival. Default: `newest`.
    #[param(value_type = Option<Order>)]
    order: Option<String>,
}

groups!(OrderInput);

impl OrderInput {
    /// The order; without one, the newest first.
    pub fn order(&self) -> Result<ByArrival, ApiError> {
        let Some(name) = &self.order else { return Ok(ByArrival::default()) };
        Ok(Order::read("order", name)?.into())
    }
}

/// A page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessages {
    /// The dead letters of this page.
    messages: Vec<DeadLetteredMessage>,
    /// Total number of dead letters that match.
    total: TotalView,
    /// Cursor of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Cursor of the previous page. Null on the first page.
    #[schema(required)]
    prev_cursor: Option<String>,
    /// What the text in `find` turned out to be. Absent without `find`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found_as: Vec<FoundAs>,
}

/// A total.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Total)]
pub struct TotalView {
    /// The number.
    #[schema(example = 43_695)]
    value: i64,
    /// Whether the number is exact.
    relation: TotalRelation,
}

impl From<Total> for TotalView {
    fn from(Total { value, exact }: Total) -> Self {
        Self { value, relation: if exact { TotalRelation::Eq } else { TotalRelation::Gte } }
    }
}

/// Search dead letters
///
/// All conditions must match. Without `status`, only dead letters with the status `dead` are listed.
#[utoipa::path(
    get,
    path = "/dead-letters",
    operation_id = "searchDeadLetters",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "dead letters",
    params(FilterInput, OrderInput, PageInput),
    responses((status = 200, description = "A page of dead letters.", body = DeadLetteredMessages), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "search", skip_all)]
pub async fn search(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<DeadLetteredMessages>, ApiError> {
    let input: FilterInput = query.take()?;
    let order: OrderInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let (order, limit) = (order.order()?, page.limit()?);
    let hash = list_hash("dead letters", &input, order)?;
    let cursor = page.cursor(hash)?;
    let filter = input.resolve(&api, &caller, &[Permission::Read]).await?;

    let edge =
        cursor.map(|Cursor { id, backwards, .. }| if backwards { Edge::Before(id) } else { Edge::After(id) });
    let (found, total) = api.store.search(&filter, order, edge, limit).await?;

    let cursor_at = |id, backwards| Cursor { backwards, id, search: hash }.encode();
    let next = found.rows.last().filter(|_| found.has_next).map(|row| cursor_at(row.id, false));
    let previous = found.rows.first().filter(|_| found.has_previous).map(|row| cursor_at(row.id, true));
    let (owners, log_link) = (api.ownership.now(), api.log_link.as_deref());
    let view = |row| DeadLetteredMessage::new(row, &owners, log_link);
    Ok(Json(DeadLetteredMessages {
        messages: found.rows.into_iter().map(view).collect(),
        total: total.into(),
        next_cursor: next,
        prev_cursor: previous,
        found_as: found.found_as.into_iter().map(FoundAs::from).collect(),
    }))
}
