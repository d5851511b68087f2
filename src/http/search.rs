//! `GET /dead-letters`: search.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::{ApiError, BadRequest, Unavailable};
use super::filter::FilterInput;
use super::page::PageInput;
use super::query::Query;
use super::view::DeadLetteredMessage;
use crate::domain::cursor::{Cursor, SearchHash};
use crate::domain::filter::Order;
use crate::domain::operation::Sequence;
use crate::store::Edge;

/// In which order.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderInput {
    /// `newest` (the default) or `oldest` arrival first.
    #[param(inline, value_type = Option<OrderName>)]
    order: Option<String>,
}

/// The orders, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum OrderName {
    /// Last arrived first.
    Newest,
    /// First arrived first.
    Oldest,
}

impl OrderInput {
    /// The order; without one, the newest first.
    pub fn order(&self) -> Result<Order, ApiError> {
        let name = self.order.as_deref();
        name.map_or(Some(Order::default()), Order::parse)
            .ok_or_else(|| ApiError::field("order", "must be one of newest, oldest"))
    }
}

/// The orders of operations, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum SequenceName {
    /// Last arrived first.
    Newest,
    /// First arrived first.
    Oldest,
    /// As fast as they go, in no order at a queue.
    Any,
}

/// The order of that name; without one, the newest first.
pub fn parse_sequence(name: Option<&str>) -> Result<Sequence, ApiError> {
    name.map_or(Some(Sequence::default()), Sequence::parse)
        .ok_or_else(|| ApiError::field("order", "must be one of newest, oldest, any"))
}

/// A page of a search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetteredMessages {
    /// The dead letters of this page.
    messages: Vec<DeadLetteredMessage>,
    /// How many there are in all.
    total: TotalView,
    /// For the page after this one; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
    /// For the page before this one; null on the first.
    #[schema(required)]
    prev_cursor: Option<String>,
    /// As what `find` was found: `deadLetterId`, `messageId`, `correlationId`, `redeliveryId`, `operationId`; or `text`, where it is no id
    /// that is known. Absent without `find`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["correlationId"]))]
    found_as: Vec<&'static str>,
}

/// How many there are in all.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TotalView {
    /// The number.
    #[schema(example = 43_695)]
    value: i64,
    /// `eq`: exactly so many; `gte`: at least.
    #[schema(example = "eq")]
    relation: &'static str,
}

/// Search dead letters
///
/// Every condition must hold. Without `status`, only those that nothing was done with yet are listed.
#[utoipa::path(
    get,
    path = "/dead-letters",
    tag = "dead letters",
    params(FilterInput, OrderInput, PageInput),
    responses((status = 200, description = "A page", body = DeadLetteredMessages), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "search", skip_all)]
pub async fn search(
    State(api): State<Api>,
    mut query: Query,
) -> Result<Json<DeadLetteredMessages>, ApiError> {
    let input: FilterInput = query.take()?;
    let order: OrderInput = query.take()?;
    let page: PageInput = query.take()?;
    query.finish()?;
    let (order, limit) = (order.order()?, page.limit()?);
    let hash = SearchHash::new(&format!("{input:?}"), order);
    let cursor = page.cursor(hash)?;
    let filter = input.resolve(&api).await?;

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
        total: TotalView { value: total.value, relation: if total.exact { "eq" } else { "gte" } },
        next_cursor: next,
        prev_cursor: previous,
        found_as: found.found_as.iter().map(|kind| kind.as_str()).collect(),
    }))
}
