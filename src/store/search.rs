//! Searching: a page by keyset, and how many there are in all.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Store, StoreError, filter_sql};
use crate::domain::convention::Origin;
use crate::domain::dead_letter::{DeadLetter, Derived, Status};
use crate::domain::filter::{Filter, Order};

/// What a list reads of a row; the payload stays where it is.
pub(super) const COLUMNS: &str = "d.id, d.status::text AS status, d.deaths, d.died_at, d.redelivery_id, d.error_group, \
     d.source, d.service, d.origin_queue, d.origin_exchange, d.origin_routing_key, d.reason, d.message_id, \
     d.correlation_id, d.message_type, d.convention, d.error_type, d.error_message, d.warning, \
     octet_length(d.body)::bigint AS body_size";

/// Matches are counted one by one up to here.
const COUNTED: i64 = 10_000;

/// Longest that a search waits until those before it are done: as long as one of them may take.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// A page of a search.
#[derive(Debug)]
pub struct Page {
    /// The dead letters, in the order that was asked for.
    pub rows: Vec<DeadLetter>,
    /// Whether there are more before the first.
    pub has_previous: bool,
    /// Whether there are more after the last.
    pub has_next: bool,
}

impl Page {
    /// How many there are in all, as far as the page tells: exactly, where it is the only one.
    fn total(&self) -> Total {
        let value = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        Total { value, exact: !self.has_previous && !self.has_next }
    }
}

/// How many there are in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: i64,
    /// Whether it is exactly that, and not at least that.
    pub exact: bool,
}

impl Store {
    /// The page after (or before, for `backwards`) the row `edge`, or the first one.
    pub async fn search(
        &self,
        filter: &Filter,
        order: Order,
        edge: Option<Uuid>,
        backwards: bool,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let reading = if backwards { order.reversed() } else { order };
        let wanted = i64::from(limit) + 1;
        let mut query = page_query(filter, reading, edge, wanted);
        let _turn = self.turn(filter).await?;
        let rows = query.build().fetch_all(&mut *self.http.acquire().await?).await?;
        let mut rows = rows.iter().map(dead_letter).collect::<Result<Vec<_>, _>>()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        if backwards {
            rows.reverse();
        }
        let (has_previous, has_next) =
            if backwards { (more, edge.is_some()) } else { (edge.is_some(), more) };
        Ok(Page { rows, has_previous, has_next })
    }

    /// How many dead letters the filter lists, of which this is a page: exactly, as far as the page, the counters or a
    /// bounded count know; else at least.
    pub async fn total(&self, filter: &Filter, page: &Page) -> Result<Total, StoreError> {
        if page.total().exact {
            return Ok(page.total());
        }
        if filter.is_counted() {
            return Ok(Total { value: self.counted(filter).await?, exact: true });
        }
        let Ok(_turn) = self.turn(filter).await else { return Ok(page.total()) };
        let mut query = QueryBuilder::new("SELECT count(*) FROM (SELECT 1");
        filter_sql::push_from(&mut query, filter);
        filter_sql::push_services(&mut query, filter);
        filter_sql::push(&mut query, filter);
        query.push(" LIMIT ").push_bind(COUNTED + 1).push(") found");
        let mut transaction = self.http.begin().await?;
        // Unlike a page, a count has no order that says how to read: how many rows the values select is worth knowing.
        sqlx::query(
            "SELECT set_config('statement_timeout', '1s', true), \
                 set_config('plan_cache_mode', 'force_custom_plan', true)",
        )
        .execute(&mut *transaction)
        .await?;
        let counted: Result<i64, _> = query.build_query_scalar().fetch_one(&mut *transaction).await;
        match counted.map_err(StoreError::from) {
            Ok(found) => Ok(Total { value: found.min(COUNTED), exact: found <= COUNTED }),
            Err(StoreError::Slow) => Ok(page.total()),
            Err(error) => Err(error),
        }
    }

    /// Leave to search. Searches that no index serves read until they have found enough, and take turns, so that many of them
    /// do not take the processors from ingest.
    async fn turn(&self, filter: &Filter) -> Result<Option<SemaphorePermit<'_>>, StoreError> {
        if filter.is_indexed() {
            return Ok(None);
        }
        let turn = timeout(LONGEST_TURN, self.scans.acquire()).await.map_err(|_| StoreError::Slow)?;
        Ok(turn.ok())
    }

    async fn counted(&self, filter: &Filter) -> Result<i64, StoreError> {
        let column = match filter.status.status() {
            Some(status) => status.as_str(),
            None => "dead + redelivered + deleted",
        };
        let mut query = QueryBuilder::<Postgres>::new("SELECT COALESCE(sum(");
        query.push(column).push("), 0)::bigint FROM dead_letter_counter d WHERE true");
        filter_sql::push_services(&mut query, filter);
        Ok(query.build_query_scalar().fetch_one(&mut *self.http.acquire().await?).await?)
    }
}

/// Reads a page, along the index that makes it cheap whatever the planner believes of a young partition.
fn page_query(filter: &Filter, order: Order, edge: Option<Uuid>, wanted: i64) -> QueryBuilder<Postgres> {
    let dead_services = filter.services.as_ref().filter(|_| filter.status.status() == Some(Status::Dead));
    if let Some(services) = dead_services.filter(|_| !filter.names_an_id()) {
        return services_query(services, filter, order, edge, wanted);
    }
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS}"));
    filter_sql::push_from(&mut query, filter);
    filter_sql::push_services(&mut query, filter);
    push_page(&mut query, filter, order, edge, wanted);
    query
}

/// Each service is read along its own index, and the heads are merged: the cost is that of the page, however many other
/// services' dead letters lie between. Only ids are merged; the rows of the page are looked up by them.
fn services_query(
    services: &[String],
    filter: &Filter,
    order: Order,
    edge: Option<Uuid>,
    wanted: i64,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM (SELECT d.id FROM UNNEST("));
    query.push_bind(services.to_vec());
    query.push(
        ") AS s (service) CROSS JOIN LATERAL (SELECT d.id FROM dead_letter d WHERE d.service = s.service",
    );
    push_page(&mut query, filter, order, edge, wanted);
    query.push(") d");
    push_order(&mut query, order, wanted);
    query.push(") p CROSS JOIN LATERAL (SELECT * FROM dead_letter x WHERE x.id = p.id LIMIT 1) d");
    push_order(&mut query, order, wanted);
    query
}

fn push_page(
    query: &mut QueryBuilder<Postgres>,
    filter: &Filter,
    order: Order,
    edge: Option<Uuid>,
    wanted: i64,
) {
    filter_sql::push(query, filter);
    push_edge(query, order, edge);
    push_order(query, order, wanted);
}

fn push_edge(query: &mut QueryBuilder<Postgres>, order: Order, edge: Option<Uuid>) {
    if let Some(edge) = edge {
        query.push(match order {
            Order::Newest => " AND d.id < ",
            Order::Oldest => " AND d.id > ",
        });
        query.push_bind(edge);
    }
}

fn push_order(query: &mut QueryBuilder<Postgres>, order: Order, wanted: i64) {
    query.push(match order {
        Order::Newest => " ORDER BY d.id DESC LIMIT ",
        Order::Oldest => " ORDER BY d.id ASC LIMIT ",
    });
    query.push_bind(wanted);
}

/// A row of [`COLUMNS`].
pub(super) fn dead_letter(row: &PgRow) -> Result<DeadLetter, StoreError> {
    let status: String = row.try_get("status")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        status: Status::parse(&status).ok_or(StoreError::Inconsistent(format!("status {status}")))?,
        source: row.try_get("source")?,
        derived: Derived {
            service: row.try_get("service")?,
            origin: Origin {
                queue: row.try_get("origin_queue")?,
                exchange: row.try_get("origin_exchange")?,
                routing_key: row.try_get("origin_routing_key")?,
            },
            reason: row.try_get("reason")?,
            message_id: row.try_get("message_id")?,
            correlation_id: row.try_get("correlation_id")?,
            message_type: row.try_get("message_type")?,
            convention: row.try_get("convention")?,
            error_type: row.try_get("error_type")?,
            error_message: row.try_get("error_message")?,
            error_group: row.try_get("error_group")?,
            died_at: row.try_get("died_at")?,
            deaths: row.try_get("deaths")?,
            redelivery_id: row.try_get("redelivery_id")?,
        },
        warning: row.try_get("warning")?,
        body_size: row.try_get("body_size")?,
    })
}
