//! Searching: a page by keyset, and how many there are in all.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::lease::{Lease, Transaction};
use super::recheck::{self, Rechecked, Wanted};
use super::search_plan::{Counted, SearchPlan, push_counts};
use super::{Store, StoreError, filter_sql};
use crate::domain::convention::{Decoding, Origin, ToldBy};
use crate::domain::dead_letter::{DeadLetter, Derived, Payload, Status};
use crate::domain::filter::{Filter, Order};
use crate::domain::find::FoundAs;
use crate::domain::place::Place;
use crate::domain::recheck::Recheck;

/// What a list reads of a row; the payload stays where it is.
pub(super) const COLUMNS: &str = "d.id, d.status::text AS status, d.deaths, d.died_at, d.redelivery_id, \
     COALESCE((SELECT m.merged_into FROM error_group m WHERE m.id = d.error_group), d.error_group) AS error_group, \
     d.source, d.service, d.origin_queue, d.origin_exchange, d.origin_routing_key, d.reason, d.message_id, \
     d.correlation_id, d.message_type, d.convention, d.error_type, d.error_message, d.warning, d.origin_claimed, d.redeliveries, \
     octet_length(d.body)::bigint AS body_size, COALESCE(d.broker, (SELECT broker FROM home_place)) AS broker, \
     COALESCE(d.vhost, (SELECT vhost FROM home_place)) AS vhost";

/// What [`place`] reads of a row, as above.
pub(super) const PLACE: &str = "COALESCE(d.broker, (SELECT broker FROM home_place)) AS broker, \
     COALESCE(d.vhost, (SELECT vhost FROM home_place)) AS vhost";

/// Up to this number matches are counted one by one.
const COUNTED: i64 = 10_000;
const COUNTED_AT_MOST: usize = 10_001;
/// Longest count.
const COUNTING: Duration = Duration::from_secs(1);
/// Longest recheck: as long as a statement may take.
pub(super) const RECHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a page begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The page after this row.
    After(Uuid),
    /// The page before this row.
    Before(Uuid),
}

/// A page of a search.
#[derive(Debug)]
pub struct Page {
    /// The dead letters, in the requested order.
    pub rows: Vec<DeadLetter>,
    /// Whether there are more before the first.
    pub has_previous: bool,
    /// Whether there are more after the last.
    pub has_next: bool,
    /// What the text of `find` turned out to be.
    pub found_as: Vec<FoundAs>,
}

impl Page {
    /// The total, as far as the page shows it: exact, if it is the only page.
    fn total(&self) -> Total {
        let value = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        Total { value, exact: !self.has_previous && !self.has_next }
    }
}

/// The total number of matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: i64,
    /// Whether the number is exact. It is a lower bound otherwise.
    pub exact: bool,
}

impl Store {
    /// The page at this edge, or the first one, and how many dead letters the filter lists in all.
    pub async fn search(
        &self,
        filter: &Filter,
        order: Order,
        edge: Option<Edge>,
        limit: u32,
    ) -> Result<(Page, Total), StoreError> {
        let mut search = self.resolve(filter).await?;
        let paging = Paging { order, edge, limit };
        if search.is_indexed() {
            return read(&search, paging, &mut self.http.acquire().await?).await;
        }
        let mut permit = self.scans.acquire().await?;
        let found = read_closely(&mut search, paging, permit.connection()).await;
        permit.finish();
        found
    }

    /// Looks up what the filter needs.
    pub(super) async fn resolve<'f>(&self, filter: &'f Filter) -> Result<SearchPlan<'f>, StoreError> {
        SearchPlan::resolve(&mut self.http.acquire().await?, filter).await
    }

    /// Fetches all rows of a query. It counts as a scan, unless the matches are known already.
    pub(super) async fn fetch_all(
        &self,
        search: &SearchPlan<'_>,
        mut query: QueryBuilder<'static, Postgres>,
    ) -> Result<Vec<PgRow>, StoreError> {
        if search.rechecked.is_some() {
            return Ok(query.build().fetch_all(&self.http).await?);
        }
        self.scans.fetch_all(query).await
    }

    /// Narrows the plan to the matches.
    pub(super) async fn narrow(&self, search: &mut SearchPlan<'_>) -> Result<(), StoreError> {
        if search.recheck.is_none() {
            return Ok(());
        }
        let mut permit = self.scans.acquire().await?;
        let narrowed = search.narrow(permit.connection(), RECHECK_TIMEOUT).await;
        permit.finish();
        narrowed
    }
}

/// The columns to read.
#[derive(Clone, Copy)]
pub(super) enum Columns<'l> {
    /// The columns of a list.
    Listed,
    /// The id alone.
    Id,
    /// The columns of a recheck.
    Candidate(&'l Recheck),
}

/// The page to read.
#[derive(Clone, Copy)]
struct Paging {
    order: Order,
    edge: Option<Edge>,
    limit: u32,
}

impl Paging {
    /// The row at the edge.
    fn row(self) -> Option<Uuid> {
        self.edge.map(|(Edge::After(id) | Edge::Before(id))| id)
    }

    /// The order in which the page is read: a page before an edge is read backwards.
    fn reading_order(self) -> Order {
        if self.is_before() { self.order.reversed() } else { self.order }
    }

    fn is_before(self) -> bool {
        matches!(self.edge, Some(Edge::Before(_)))
    }
}

async fn read(
    search: &SearchPlan<'_>,
    paging: Paging,
    connection: &mut Lease,
) -> Result<(Page, Total), StoreError> {
    let page = page(search, paging, connection).await?;
    let total = total(search, page.total(), connection).await?;
    Ok((page, total))
}

/// The same for a plan that needs a scan or a recheck.
async fn read_closely(
    search: &mut SearchPlan<'_>,
    paging: Paging,
    connection: &mut Lease,
) -> Result<(Page, Total), StoreError> {
    search.resolve_id_suffix(connection).await?;
    let Some(recheck) = search.recheck.clone() else { return read(search, paging, connection).await };
    let Paging { order, limit, .. } = paging;
    let count = limit as usize + 1;
    let wanted = Wanted { order: paging.reading_order(), edge: paging.row(), count, within: RECHECK_TIMEOUT };
    search.rechecked = Some(recheck::recheck(search, &recheck, wanted, connection).await?.ids);
    let page = page(search, paging, connection).await?;
    if page.total().exact {
        let total = page.total();
        return Ok((page, total));
    }
    search.rechecked = None;
    let wanted = Wanted { order, edge: None, count: COUNTED_AT_MOST, within: COUNTING };
    let total = match recheck_counting(search, &recheck, wanted, connection).await {
        Ok(Rechecked { ids, is_all }) => {
            let found = i64::try_from(ids.len()).unwrap_or(i64::MAX);
            Total { value: found.min(COUNTED), exact: is_all }
        }
        Err(StoreError::Slow) => page.total(),
        Err(error) => return Err(error),
    };
    Ok((page, total))
}

async fn page(search: &SearchPlan<'_>, paging: Paging, connection: &mut Lease) -> Result<Page, StoreError> {
    let (edge, limit) = (paging.row(), paging.limit);
    let mut query = page_query(Columns::Listed, search, paging.reading_order(), edge, i64::from(limit) + 1);
    let rows = query.build().fetch_all(connection).await?;
    let mut rows = rows.iter().map(dead_letter).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    if paging.is_before() {
        rows.reverse();
    }
    let (has_previous, has_next) = if paging.is_before() { (more, true) } else { (edge.is_some(), more) };
    Ok(Page { rows, has_previous, has_next, found_as: search.found_as() })
}

/// The exact number, if it is known already, or the counters or a bounded count have it. What is known otherwise.
pub(super) async fn total(
    search: &SearchPlan<'_>,
    known: Total,
    connection: &mut Lease,
) -> Result<Total, StoreError> {
    if known.exact {
        return Ok(known);
    }
    match search.counted() {
        Some(Counted::Known(value)) => return Ok(Total { value, exact: true }),
        Some(Counted::ByGroups) => {
            return Ok(Total { value: counted(search, connection).await?, exact: true });
        }
        None => {}
    }
    let mut query = QueryBuilder::new("SELECT count(*) FROM (SELECT 1");
    filter_sql::push_ids(&mut query, search);
    query.push(" LIMIT ").push_bind(COUNTED + 1).push(") found");
    let mut transaction = begin_short(connection).await?;
    let counted: Result<i64, _> = query.build_query_scalar().fetch_one(&mut *transaction).await;
    transaction.rollback().await?;
    match counted.map_err(StoreError::from) {
        Ok(found) => Ok(Total { value: found.min(COUNTED), exact: found <= COUNTED }),
        Err(StoreError::Slow) => Ok(known),
        Err(error) => Err(error),
    }
}

/// A transaction for what is given up after a second: a count, or a choice among all ids.
pub(super) async fn begin_short(connection: &mut Lease) -> Result<Transaction<'_>, StoreError> {
    let mut transaction = connection.begin().await?;
    // A page is read in its order. These have none, so the planner should know how many rows the values select.
    sqlx::query(
        "SELECT set_config('statement_timeout', '1s', true), \
             set_config('plan_cache_mode', 'force_custom_plan', true)",
    )
    .execute(&mut *transaction)
    .await?;
    Ok(transaction)
}

/// Rechecks with a short timeout. If it expires, the transaction is dropped without reading the rest of the answer.
async fn recheck_counting(
    search: &SearchPlan<'_>,
    recheck: &Arc<Recheck>,
    wanted: Wanted,
    connection: &mut Lease,
) -> Result<Rechecked, StoreError> {
    let mut transaction = begin_short(connection).await?;
    recheck::recheck(search, recheck, wanted, &mut transaction).await
}

async fn counted(search: &SearchPlan<'_>, connection: &mut Lease) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT COALESCE(sum(t.count), 0)::bigint FROM error_group g");
    push_counts(&mut query, search.filter.status);
    search.push_groups(&mut query);
    Ok(query.build_query_scalar().fetch_one(connection).await?)
}

/// Reads a page, along the index that makes it cheap whatever the planner believes of a young partition.
pub(super) fn page_query(
    columns: Columns<'_>,
    search: &SearchPlan<'_>,
    order: Order,
    edge: Option<Uuid>,
    wanted: i64,
) -> QueryBuilder<'static, Postgres> {
    let filter = search.filter;
    let mut query = QueryBuilder::new("SELECT ");
    match columns {
        Columns::Listed => {
            query.push(COLUMNS);
        }
        Columns::Id => {
            query.push("d.id");
        }
        Columns::Candidate(recheck) => recheck::push_columns(&mut query, search, recheck),
    }
    if let Some(heads) = search.heads() {
        query.push(" FROM (SELECT k.id FROM ");
        filter_sql::push_heads(&mut query, heads);
        query.push(" CROSS JOIN LATERAL (SELECT k.id FROM (");
        filter_sql::push_head_ids(&mut query, filter, order, edge);
        query.push(" ORDER BY k.id ").push(order.direction()).push(" OFFSET 0");
        query.push(") k");
        filter_sql::push_dead_row(&mut query, "k");
        filter_sql::push_where(&mut query, search);
        push_order(&mut query, "k", order, wanted);
        query.push(") k");
        push_merged(&mut query, "k", order, wanted);
    } else if let Some(services) = filter.services.as_ref().filter(|_| search.leads_by_service()) {
        // Each service is read along its own index, and the heads are merged: the cost is that of the page, however many
        // other services' dead letters lie between.
        query.push(" FROM (SELECT d.id FROM UNNEST(").push_bind(services.clone());
        query.push(") AS s (service) CROSS JOIN LATERAL (SELECT k.id FROM dead_letter_pending k");
        if !search.is_answered_by_pending() {
            filter_sql::push_dead_row(&mut query, "k");
        }
        query.push(" WHERE k.service = s.service");
        filter_sql::push_arrival(&mut query, filter, "k");
        filter_sql::push_edge(&mut query, "k", order, edge);
        if !search.is_answered_by_pending() {
            filter_sql::push_conditions(&mut query, search);
        }
        push_order(&mut query, "k", order, wanted);
        query.push(") d");
        push_merged(&mut query, "d", order, wanted);
    } else {
        let ordered = filter_sql::push(&mut query, search);
        filter_sql::push_edge(&mut query, ordered, order, edge);
        push_order(&mut query, ordered, order, wanted);
    }
    query
}

/// Only ids are merged; the rows of the page are looked up by them.
fn push_merged(query: &mut QueryBuilder<'static, Postgres>, heads: &str, order: Order, wanted: i64) {
    push_order(query, heads, order, wanted);
    query.push(") p");
    filter_sql::push_row(query, "p");
    push_order(query, "d", order, wanted);
}

fn push_order(query: &mut QueryBuilder<'static, Postgres>, alias: &str, order: Order, wanted: i64) {
    query.push(" ORDER BY ").push(alias).push(".id ").push(order.direction());
    query.push(" LIMIT ").push_bind(wanted);
}

/// Where the dead letter of a row died.
pub(super) fn place(row: &PgRow) -> Result<Option<Place>, StoreError> {
    let (broker, vhost): (Option<String>, Option<String>) = (row.try_get("broker")?, row.try_get("vhost")?);
    Ok(broker.zip(vhost).map(|(broker, vhost)| Place { broker, vhost }))
}

/// The bytes of a row with `properties`, `body` and `convention`.
pub(super) fn payload(row: &PgRow) -> Result<Payload, StoreError> {
    Ok(Payload {
        properties: row.try_get::<Option<_>, _>("properties")?.unwrap_or_default(),
        body: row.try_get::<Option<_>, _>("body")?.unwrap_or_default(),
        decoding: Decoding::of(row.try_get("convention")?),
    })
}

/// A row of [`COLUMNS`].
pub(super) fn dead_letter(row: &PgRow) -> Result<DeadLetter, StoreError> {
    let status: String = row.try_get("status")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        status: Status::parse(&status).ok_or(StoreError::Inconsistent(format!("status {status}")))?,
        source: row.try_get("source")?,
        place: place(row)?,
        derived: Derived {
            service: row.try_get("service")?,
            origin: Origin {
                queue: row.try_get("origin_queue")?,
                exchange: row.try_get("origin_exchange")?,
                routing_key: row.try_get("origin_routing_key")?,
            },
            origin_told_by: if row.try_get("origin_claimed")? { ToldBy::Message } else { ToldBy::Broker },
            reason: row.try_get("reason")?,
            message_id: row.try_get("message_id")?,
            correlation_id: row.try_get("correlation_id")?,
            message_type: row.try_get("message_type")?,
            convention: row.try_get("convention")?,
            error_type: row.try_get("error_type")?,
            error_message: row.try_get("error_message")?,
            died_at: row.try_get("died_at")?,
            deaths: row.try_get("deaths")?,
            redeliveries: row.try_get("redeliveries")?,
            redelivery_id: row.try_get("redelivery_id")?,
        },
        error_group: row.try_get("error_group")?,
        warning: row.try_get("warning")?,
        body_size: row.try_get("body_size")?,
    })
}
