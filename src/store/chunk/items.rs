//! The items of a chunk: locked first, and their messages read once there is room for them.

use futures_util::TryStreamExt;
use sqlx::Row;
use uuid::Uuid;

use crate::domain::convention::Provenance;
use crate::domain::dead_letter::{Payload, Status};
use crate::domain::operation::{Kind, Operation, State};
use crate::domain::place::Place;
use crate::store::dead_letters::{BODY_PART, whole_number};
use crate::store::lease::Transaction;
use crate::store::places::{self, Served};
use crate::store::provenance::{ORIGIN, provenance};
use crate::store::search::{PLACE, payload, place};
use crate::store::{StoreError, operations};

/// Longer bodies are read in pieces of so many bytes.
const PIECE: usize = 4 << 20;

/// A dead letter that is to be acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkItem {
    /// Its place in the operation.
    pub position: i64,
    /// The place of its row, which nothing moves while it is locked.
    pub(super) row: String,
    /// The dead letter.
    pub dead_letter: Uuid,
    /// Where it stands; `None` where it is no longer stored.
    pub status: Option<Status>,
    /// The broker and virtual host where it died; `None` where it is no longer stored.
    pub place: Option<Place>,
    /// Where it died there.
    pub provenance: Provenance,
    /// How many bytes it has.
    size: usize,
    /// Its bytes; none where nothing is to be published.
    pub payload: Payload,
}

#[cfg(test)]
impl ChunkItem {
    /// One that no database has.
    pub(crate) fn made(position: i64, dead_letter: Uuid, status: Status) -> Self {
        Self {
            position,
            row: String::new(),
            dead_letter,
            status: Some(status),
            place: None,
            provenance: Provenance::default(),
            size: 0,
            payload: Payload::default(),
        }
    }
}

/// Locks the next items that have no outcome: so many at most, of so many bytes together, but one at least. Of what died at the
/// places of `of`, if that is given.
pub(super) async fn next_items(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    (items, bytes): (i64, i64),
    of: Option<&Served>,
) -> Result<Vec<ChunkItem>, StoreError> {
    let ours = if of.is_some() { places::ITEMS_OF_PLACES } else { "" };
    // No body that is stored apart is read for its size. Each dead letter is looked up by its id: the LIMIT keeps
    // the planner, who knows nothing of a young partition, from reading all of it for every chunk instead.
    let query = format!(
        "WITH open AS MATERIALIZED ( \
             SELECT position, dead_letter_id, ctid AS row FROM operation_item \
             WHERE operation_id = $1 AND outcome IS NULL{ours} ORDER BY position LIMIT $2 \
             FOR UPDATE SKIP LOCKED), \
         sized AS ( \
             SELECT o.position, o.row, o.dead_letter_id, d.*, \
                 sum(COALESCE(d.size, 0)) OVER (ORDER BY o.position) - COALESCE(d.size, 0) AS before \
             FROM open o LEFT JOIN LATERAL ( \
                 SELECT d.status::text AS status, {ORIGIN}, {PLACE}, \
                     octet_length(d.properties) + octet_length(d.body) AS size \
                 FROM dead_letter_now d WHERE d.id = o.dead_letter_id LIMIT 1) d ON true) \
         SELECT position, row::text AS row, dead_letter_id, status, origin_queue, origin_exchange, \
             origin_routing_key, claimed_by, has_other_routing, broker, vhost, COALESCE(size, 0) AS size \
         FROM sized WHERE before = 0 OR before + COALESCE(size, 0) <= $3 ORDER BY position"
    );
    let mut query = sqlx::query(&query).bind(operation.id).bind(items).bind(bytes);
    if let Some(served) = of {
        let (brokers, vhosts) = served.names();
        query = query.bind(brokers).bind(vhosts);
    }
    let rows = query.fetch_all(&mut **transaction).await?;
    rows.iter()
        .map(|row| {
            Ok(ChunkItem {
                position: row.try_get("position")?,
                row: row.try_get("row")?,
                dead_letter: row.try_get("dead_letter_id")?,
                status: operations::named_option(row, "status", Status::parse)?,
                place: place(row)?,
                provenance: provenance(row)?,
                size: usize::try_from(row.try_get::<i32, _>("size")?).unwrap_or_default(),
                payload: Payload::default(),
            })
        })
        .collect()
}

/// Whether its message is published.
fn is_published(item: &ChunkItem, operation: &Operation) -> bool {
    operation.kind == Kind::Redeliver
        && operation.state != State::Cancelling
        && item.status == Some(operation.acts_on())
}

/// How many bytes the messages have that are published.
pub(super) fn bytes_of(items: &[ChunkItem], operation: &Operation) -> usize {
    items.iter().filter(|item| is_published(item, operation)).map(|item| item.size).sum()
}

/// Reads the messages that are published, one after the other, and long bodies in pieces: an answer takes three times its length
/// while it is read.
pub(super) async fn read_messages(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    items: &mut [ChunkItem],
) -> Result<(), StoreError> {
    let mut items: Vec<_> = items.iter_mut().filter(|item| is_published(item, operation)).collect();
    if items.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = items.iter().map(|item| item.dead_letter).collect();
    let mut rows = sqlx::query(
        "SELECT i.number, d.* FROM UNNEST($1::uuid[]) WITH ORDINALITY AS i (id, number) CROSS JOIN LATERAL ( \
             SELECT x.properties, x.convention, CASE WHEN octet_length(x.body) <= $2 THEN x.body END AS body \
             FROM dead_letter x WHERE x.id = i.id LIMIT 1) d",
    )
    .bind(ids)
    .bind(whole_number(PIECE))
    .fetch(&mut **transaction);
    while let Some(row) = rows.try_next().await? {
        // From 1.
        let number: i64 = row.try_get("number")?;
        let item = usize::try_from(number - 1).ok().and_then(|number| items.get_mut(number));
        if let Some(item) = item {
            item.payload = payload(&row)?;
        }
    }
    drop(rows);
    for item in items {
        if item.size > PIECE && item.payload.body.is_empty() {
            item.payload.body = long_body(transaction, item).await?;
        }
    }
    // The transaction stays open while they are published.
    transaction.shrink_buffers();
    Ok(())
}

async fn long_body(transaction: &mut Transaction<'static>, item: &ChunkItem) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::with_capacity(item.size);
    loop {
        let row = sqlx::query(BODY_PART)
            .bind(item.dead_letter)
            .bind(whole_number(body.len() + 1))
            .bind(whole_number(PIECE))
            .fetch_one(&mut **transaction)
            .await?;
        let piece: &[u8] = row.try_get(0)?;
        body.extend_from_slice(piece);
        if piece.len() < PIECE {
            return Ok(body);
        }
    }
}
