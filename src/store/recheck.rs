//! Reads the candidates of a search and rechecks each. Candidates are read along the index of the page, in growing portions,
//! until enough have matched.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use tokio::time::Instant;
use uuid::Uuid;

use super::lease::Lease;
use super::search::{Columns, page_query};
use super::search_plan::SearchPlan;
use super::{StoreError, filter_sql};
use crate::domain::filter::Order;
use crate::domain::recheck::{DatabaseMatch, MAX_BODY, Recheck};
use crate::domain::wire;
use crate::memory_budget;

/// Rows in the first portion, and the bounds of a portion.
const FIRST: i64 = 100;
const MOST: i64 = 5_000;
const FEWEST: i64 = 10;
/// Bytes of bodies above which the next portion is smaller.
const MUCH: usize = 8 << 20;
/// A larger payload is rechecked on a blocking thread.
const LARGE: usize = 64 << 10;

/// The matches that are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub order: Order,
    /// After this one.
    pub edge: Option<Uuid>,
    pub count: usize,
    pub within: Duration,
}

/// The matches.
#[derive(Debug, Default)]
pub(super) struct Rechecked {
    /// In the requested order.
    pub ids: Vec<Uuid>,
    /// Whether there are no more.
    pub is_all: bool,
}

/// The dead letters for which all conditions hold, up to the wanted count.
pub(super) async fn recheck(
    search: &SearchPlan<'_>,
    recheck: &Arc<Recheck>,
    wanted: Wanted,
    connection: &mut Lease,
) -> Result<Rechecked, StoreError> {
    let until = Instant::now() + wanted.within;
    let (mut seen, mut edge, mut size) = (Rechecked::default(), wanted.edge, FIRST);
    while !seen.is_all {
        let mut query = page_query(Columns::Candidate(recheck), search, wanted.order, edge, size);
        let mut rows = query.build().fetch(&mut *connection);
        let (mut read, mut bytes) = (0, 0);
        while let Some(row) = rows.try_next().await? {
            read += 1;
            let id = row.try_get("id")?;
            edge = Some(id);
            bytes += row.try_get::<Option<&[u8]>, _>("body")?.map_or(0, <[u8]>::len);
            if is_match(recheck, &row).await? {
                seen.ids.push(id);
                if seen.ids.len() == wanted.count {
                    // The connection can be reused only after the whole answer has been read.
                    while rows.try_next().await?.is_some() {}
                    return Ok(seen);
                }
            }
            if Instant::now() > until {
                return Err(StoreError::Slow);
            }
        }
        seen.is_all = read < size;
        // The server sends a whole portion, even if less is needed.
        size = if bytes < MUCH { (size * 3).min(MOST) } else { (size / 3).max(FEWEST) };
    }
    Ok(seen)
}

async fn is_match(recheck: &Arc<Recheck>, row: &PgRow) -> Result<bool, StoreError> {
    let known = DatabaseMatch { contains: row.try_get("contains")?, finds: row.try_get("finds")? };
    if recheck.is_decided_by(known) {
        return Ok(true);
    }
    let properties: &[u8] = row.try_get("properties")?;
    let body: Option<&[u8]> = row.try_get("body")?;
    let body = body.unwrap_or_default();
    if properties.len() + body.len() < LARGE {
        return Ok(matches(recheck, known, properties, body));
    }
    // The body once more, decoded, and without its escapes.
    let _reserved = memory_budget::reserve(3 * body.len()).await;
    let (recheck, properties, body) = (Arc::clone(recheck), properties.to_vec(), body.to_vec());
    let seen = tokio::task::spawn_blocking(move || matches(&recheck, known, &properties, &body)).await;
    seen.map_err(|error| StoreError::Inconsistent(format!("a message could not be rechecked: {error}")))
}

/// Unreadable properties match nothing.
fn matches(recheck: &Recheck, known: DatabaseMatch, properties: &[u8], body: &[u8]) -> bool {
    recheck.matches(known, &wire::decode(properties).unwrap_or_default(), body)
}

/// Appends the columns to read of a row `d`. Bodies that need no recheck, or are too large for one, are not read.
pub(super) fn push_columns(
    query: &mut QueryBuilder<'static, Postgres>,
    search: &SearchPlan<'_>,
    recheck: &Recheck,
) {
    query.push("d.id, ");
    filter_sql::push_known_contains(query, recheck);
    query.push(" AS contains, ");
    filter_sql::push_known_finds(query, search);
    query.push(" AS finds, d.properties, ");
    if !recheck.needs_body() {
        query.push("NULL::bytea AS body");
        return;
    }
    query.push("CASE WHEN octet_length(d.body) <= ").push_bind(i64::try_from(MAX_BODY).unwrap_or(i64::MAX));
    if recheck.body_paths.is_empty() {
        query.push(" AND NOT (");
        filter_sql::push_known_contains(query, recheck);
        query.push(" AND ");
        filter_sql::push_known_finds(query, search);
        query.push(")");
    }
    query.push(" THEN d.body END AS body");
}
