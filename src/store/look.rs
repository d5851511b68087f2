//! Reading dead letters for a closer look at each: what the database lets through is read along the index of the page, a few more each
//! time, until enough are seen.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use tokio::time::Instant;
use uuid::Uuid;

use super::lease::Lease;
use super::search::{Columns, page_query};
use super::sought::Sought;
use super::{StoreError, filter_sql};
use crate::domain::filter::Order;
use crate::domain::look::{Known, Look, MAX_BODY};
use crate::domain::wire;
use crate::room;

/// So many rows are read at first, and at most and at least at once.
const FIRST: i64 = 100;
const MOST: i64 = 5_000;
const FEWEST: i64 = 10;
/// So many bytes of bodies at once are many.
const MUCH: usize = 8 << 20;
/// A larger payload is looked at apart from what must answer at once.
const LARGE: usize = 64 << 10;

/// What is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub order: Order,
    /// After this one.
    pub edge: Option<Uuid>,
    pub count: usize,
    pub within: Duration,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// In the order asked for.
    pub ids: Vec<Uuid>,
    /// Whether there are no more.
    pub is_all: bool,
}

/// The dead letters of which all conditions hold, as many as are wanted.
pub(super) async fn look(
    sought: &Sought<'_>,
    look: &Arc<Look>,
    wanted: Wanted,
    connection: &mut Lease,
) -> Result<Seen, StoreError> {
    let until = Instant::now() + wanted.within;
    let (mut seen, mut edge, mut size) = (Seen::default(), wanted.edge, FIRST);
    while !seen.is_all {
        let mut query = page_query(Columns::Candidate(look), sought, wanted.order, edge, size);
        let mut rows = query.build().fetch(&mut *connection);
        let (mut read, mut bytes) = (0, 0);
        while let Some(row) = rows.try_next().await? {
            read += 1;
            let id = row.try_get("id")?;
            edge = Some(id);
            bytes += row.try_get::<Option<&[u8]>, _>("body")?.map_or(0, <[u8]>::len);
            if is_meant(look, &row).await? {
                seen.ids.push(id);
                if seen.ids.len() == wanted.count {
                    // The connection is of use again once the answer is heard to its end.
                    while rows.try_next().await?.is_some() {}
                    return Ok(seen);
                }
            }
            if Instant::now() > until {
                return Err(StoreError::Slow);
            }
        }
        seen.is_all = read < size;
        // What is not wanted any more is sent all the same.
        size = if bytes < MUCH { (size * 3).min(MOST) } else { (size / 3).max(FEWEST) };
    }
    Ok(seen)
}

async fn is_meant(look: &Arc<Look>, row: &PgRow) -> Result<bool, StoreError> {
    let known = Known { contains: row.try_get("contains")?, finds: row.try_get("finds")? };
    if look.is_certain(known) {
        return Ok(true);
    }
    let properties: &[u8] = row.try_get("properties")?;
    let body: Option<&[u8]> = row.try_get("body")?;
    let body = body.unwrap_or_default();
    if properties.len() + body.len() < LARGE {
        return Ok(sees(look, known, properties, body));
    }
    // The body once more, decoded, and without its escapes.
    let _room = room::take(3 * body.len()).await;
    let (look, properties, body) = (Arc::clone(look), properties.to_vec(), body.to_vec());
    let seen = tokio::task::spawn_blocking(move || sees(&look, known, &properties, &body)).await;
    seen.map_err(|error| StoreError::Inconsistent(format!("a message could not be looked at: {error}")))
}

/// Properties that cannot be read have nothing to see.
fn sees(look: &Look, known: Known, properties: &[u8], body: &[u8]) -> bool {
    look.sees(known, &wire::decode(properties).unwrap_or_default(), body)
}

/// Appends what is read of a row `d`. Bodies that need no look, or are too large for one, stay where they are.
pub(super) fn push_columns(query: &mut QueryBuilder<'static, Postgres>, sought: &Sought<'_>, look: &Look) {
    query.push("d.id, ");
    filter_sql::push_known_contains(query, look);
    query.push(" AS contains, ");
    filter_sql::push_known_finds(query, sought);
    query.push(" AS finds, d.properties, ");
    if !look.needs_body() {
        query.push("NULL::bytea AS body");
        return;
    }
    query.push("CASE WHEN octet_length(d.body) <= ").push_bind(i64::try_from(MAX_BODY).unwrap_or(i64::MAX));
    if look.body_paths.is_empty() {
        query.push(" AND NOT (");
        filter_sql::push_known_contains(query, look);
        query.push(" AND ");
        filter_sql::push_known_finds(query, sought);
        query.push(")");
    }
    query.push(" THEN d.body END AS body");
}
