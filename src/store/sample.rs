//! Samples of dead letters, with what their attributes are read from.
//!
//! A sample is taken at random, by a hash of the ids: the same dead letters come again as long as they are stored. Where it takes too
//! long to look at all ids, the newest are taken.

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::lease::Lease;
use super::merged::{self, push_is_one_of, whole_of};
use super::recheck::{self, Wanted};
use super::search::{Columns as Read, RECHECK_TIMEOUT, Total, page_query};
use super::search_plan::SearchPlan;
use super::{Store, StoreError, filter_sql, search};
use crate::domain::attribute::{Columns, Layer, Letter};
use crate::domain::convention::UNDECODED;
use crate::domain::filter::{Filter, Order};
use crate::memory_budget::{self, Reservation};

type Query = QueryBuilder<'static, Postgres>;

/// Longest properties and longest body that are read.
const MAX_PROPERTIES: i32 = 16 << 10;
const MAX_BODY: i32 = 32 << 10;
/// Bytes of all that is read for one sample.
const MAX_SAMPLED: usize = 16 << 20;

/// How a sample was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is all that there is.
    All,
    /// At random.
    Random,
    /// The newest.
    Newest,
}

/// A sample of a selection.
#[derive(Debug)]
pub struct Sampled {
    /// The dead letters.
    pub letters: Vec<Letter>,
    /// How they were chosen.
    pub choice: Choice,
    /// How many there are to choose from.
    pub total: Total,
    /// The memory that it takes.
    _reserved: Option<Reservation>,
}

impl Store {
    /// A sample of the dead letters that the filter lists, of so many at most, read down to this layer.
    pub async fn sample(&self, filter: &Filter, most: usize, down_to: Layer) -> Result<Sampled, StoreError> {
        let mut search = self.resolve(filter).await?;
        let mut permit = self.scans.acquire().await?;
        let sampled = sample(&mut search, most, down_to, permit.connection()).await;
        permit.finish();
        sampled
    }

    /// A sample of the dead letters of an error group that are dead, and one of the others of the same service.
    pub async fn sample_group(
        &self,
        group: Uuid,
        service: &str,
        most: usize,
        down_to: Layer,
    ) -> Result<[Sampled; 2], StoreError> {
        let mut permit = self.scans.acquire().await?;
        let sampled = sample_group(group, service, (most, down_to), permit.connection()).await;
        permit.finish();
        sampled
    }
}

async fn sample(
    search: &mut SearchPlan<'_>,
    most: usize,
    down_to: Layer,
    connection: &mut Lease,
) -> Result<Sampled, StoreError> {
    search.resolve_id_suffix(connection).await?;
    let chosen = if let Some(recheck) = search.recheck.clone() {
        let wanted = Wanted { order: Order::Newest, edge: None, count: most, within: RECHECK_TIMEOUT };
        let found = recheck::recheck(search, &recheck, wanted, connection).await?;
        let choice = if found.is_all { Choice::All } else { Choice::Newest };
        Chosen { ids: found.ids, choice }
    } else {
        let mut all = QueryBuilder::new("SELECT d.id");
        filter_sql::push_ids(&mut all, search);
        let newest = |limit| page_query(Read::Id, search, Order::Newest, None, limit);
        choose(all, newest, most, connection).await?
    };
    let count = i64::try_from(chosen.ids.len()).unwrap_or(i64::MAX);
    let at_least = Total { value: count, exact: chosen.choice == Choice::All };
    let is_counted = search.counted().is_some() || chosen.choice == Choice::Random;
    let total = match search.recheck {
        None if is_counted => search::total(search, at_least, connection).await?,
        _ => at_least,
    };
    let reserved = reserve(down_to, MAX_SAMPLED).await;
    let letters = read(&chosen.ids, down_to, connection).await?;
    Ok(Sampled { letters, choice: chosen.choice, total, _reserved: reserved })
}

async fn sample_group(
    group: Uuid,
    service: &str,
    (most, down_to): (usize, Layer),
    connection: &mut Lease,
) -> Result<[Sampled; 2], StoreError> {
    let parts = merged::parts(&mut *connection, group).await?;
    let inside = || {
        let mut query = QueryBuilder::new("SELECT d.id FROM dead_letter_pending d WHERE d.error_group");
        push_is_one_of(&mut query, &parts);
        query
    };
    let outside = || {
        let mut query = QueryBuilder::new("SELECT d.id FROM dead_letter_pending d WHERE d.service = ");
        query.push_bind(service.to_owned()).push(" AND (d.error_group");
        push_is_one_of(&mut query, &parts);
        query.push(") IS NOT TRUE");
        query
    };
    let inside = choose(inside(), newest(inside), most, connection).await?;
    let outside = choose(outside(), newest(outside), most, connection).await?;
    let (of_group, of_service): (i64, i64) = sqlx::query_as(
        "SELECT COALESCE(sum(t.dead) FILTER (WHERE g.id = ANY($1)), 0)::bigint, COALESCE(sum(t.dead), 0)::bigint \
         FROM error_group g JOIN error_group_count t ON t.error_group = g.id WHERE g.service = $2",
    )
    .bind(&parts)
    .bind(service)
    .fetch_one(&mut *connection)
    .await?;
    let sampled = |letters, choice, value, reserved| {
        let total = Total { value, exact: true };
        Sampled { letters, choice, total, _reserved: reserved }
    };
    // Of both at once: to hold one and wait for the other might be for ever.
    let reserved = reserve(down_to, 2 * MAX_SAMPLED).await;
    let letters = read(&inside.ids, down_to, connection).await?;
    let inside = sampled(letters, inside.choice, of_group, reserved);
    let letters = read(&outside.ids, down_to, connection).await?;
    Ok([inside, sampled(letters, outside.choice, of_service - of_group, None)])
}

async fn reserve(down_to: Layer, bytes: usize) -> Option<Reservation> {
    match down_to {
        Layer::Row => None,
        Layer::Properties | Layer::Body => Some(memory_budget::reserve(bytes).await),
    }
}

/// The ids of a sample.
struct Chosen {
    ids: Vec<Uuid>,
    choice: Choice,
}

/// The newest of these, along their index.
fn newest(query: impl Fn() -> Query) -> impl FnOnce(i64) -> Query {
    move |limit| {
        let mut query = query();
        query.push(" ORDER BY d.id DESC LIMIT ").push_bind(limit);
        query
    }
}

/// Chooses at random among the ids of a query. If that takes too long: the newest.
async fn choose(
    all: Query,
    newest: impl FnOnce(i64) -> Query,
    most: usize,
    connection: &mut Lease,
) -> Result<Chosen, StoreError> {
    // One more, to know whether these are all.
    let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
    match at_random(all, limit, connection).await {
        Ok(ids) => Ok(cut(ids, most, Choice::Random)),
        Err(StoreError::Slow) => {
            let ids = newest(limit).build_query_scalar().fetch_all(&mut *connection).await?;
            Ok(cut(ids, most, Choice::Newest))
        }
        Err(error) => Err(error),
    }
}

async fn at_random(mut all: Query, limit: i64, connection: &mut Lease) -> Result<Vec<Uuid>, StoreError> {
    all.push(" ORDER BY uuid_hash(d.id) LIMIT ").push_bind(limit);
    let mut transaction = search::begin_short(connection).await?;
    let chosen: Result<Vec<Uuid>, _> = all.build_query_scalar().fetch_all(&mut *transaction).await;
    transaction.rollback().await?;
    Ok(chosen?)
}

fn cut(mut ids: Vec<Uuid>, most: usize, choice: Choice) -> Chosen {
    let choice = if ids.len() > most { choice } else { Choice::All };
    ids.truncate(most);
    Chosen { ids, choice }
}

/// Reads what attributes are read from, in the order of the ids. What is too large, or was stored undecoded, is left out.
async fn read(ids: &[Uuid], down_to: Layer, connection: &mut Lease) -> Result<Vec<Letter>, StoreError> {
    let mut query = QueryBuilder::new(format!(
        "SELECT d.service, d.message_type, d.origin_routing_key, d.origin_exchange, d.origin_queue, {}::text AS error_group, \
             d.error_type, d.error_message, d.died_at, d.deaths, ",
        whole_of("d.error_group")
    ));
    let columns = [(Layer::Properties, "properties", MAX_PROPERTIES), (Layer::Body, "body", MAX_BODY)];
    for (layer, column, most) in columns {
        let is_read = layer <= down_to;
        query.push(format!(
            "CASE WHEN {is_read} AND octet_length(d.{column}) <= {most} AND d.convention IS DISTINCT FROM "
        ));
        query.push_bind(UNDECODED).push(format!(" THEN d.{column} END AS {column}, "));
    }
    query.push("true FROM UNNEST(").push_bind(ids.to_vec());
    query.push("::uuid[]) WITH ORDINALITY AS i (id, place) CROSS JOIN LATERAL (SELECT * FROM dead_letter x WHERE x.id = i.id LIMIT 1) d");
    let mut rows = query.build().fetch(&mut *connection);
    let (mut letters, mut bytes) = (Vec::with_capacity(ids.len()), 0);
    while let Some(row) = rows.try_next().await? {
        let mut letter = letter(&row)?;
        let [properties, body] =
            [&letter.properties, &letter.body].map(|part| part.as_ref().map_or(0, Vec::len));
        bytes += properties + body;
        if bytes > MAX_SAMPLED {
            (letter.properties, letter.body) = (None, None);
        }
        letters.push(letter);
    }
    Ok(letters)
}

fn letter(row: &PgRow) -> Result<Letter, StoreError> {
    Ok(Letter {
        columns: Columns {
            service: row.try_get("service")?,
            message_type: row.try_get("message_type")?,
            routing_key: row.try_get("origin_routing_key")?,
            exchange: row.try_get("origin_exchange")?,
            queue: row.try_get("origin_queue")?,
            error_group: row.try_get("error_group")?,
            error_type: row.try_get("error_type")?,
            error_message: row.try_get("error_message")?,
            died_at: row.try_get("died_at")?,
            deaths: row.try_get("deaths")?,
        },
        properties: row.try_get("properties")?,
        body: row.try_get("body")?,
    })
}
