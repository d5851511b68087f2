//! The items of a chunk. They are locked first, and their messages are read once there is memory for them.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt;
use sqlx::Row;
use uuid::Uuid;

use crate::domain::convention::Provenance;
use crate::domain::dead_letter::{Payload, Status};
use crate::domain::identity::{former_redelivery_id, redelivery_id};
use crate::domain::operation::Operation;
use crate::domain::place::Place;
use crate::store::dead_letters::{BODY_PART, whole_number};
use crate::store::ids::Ids;
use crate::store::lease::Transaction;
use crate::store::provenance::{ORIGIN, provenance};
use crate::store::search::{PLACE, payload, place};
use crate::store::served_places::{self, ServedPlaces};
use crate::store::{StoreError, operations};

/// Largest number of ids in one row of an operation. A worker locks whole rows.
pub const IDS_IN_A_ROW: u32 = 250;
/// Longer bodies are read in pieces of this many bytes.
const PIECE: usize = 4 << 20;

/// A dead letter that is to be acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkItem {
    /// Its position in the operation.
    pub position: i64,
    /// The position of the first item of its row.
    pub(super) chunk: i64,
    /// The dead letter.
    pub dead_letter: Uuid,
    /// The redelivery id.
    pub redelivery_id: Uuid,
    /// Its status. `None` if it is no longer stored.
    pub status: Option<Status>,
    /// The broker and virtual host where it died. `None` if it is no longer stored.
    pub place: Option<Place>,
    /// Its origin.
    pub provenance: Provenance,
    /// Size in bytes.
    size: usize,
    /// Its bytes. Empty if it is not to be published.
    pub payload: Payload,
}

#[cfg(test)]
impl ChunkItem {
    /// An item for tests.
    pub(crate) fn made(position: i64, operation: Uuid, dead_letter: Uuid, status: Status) -> Self {
        Self {
            position,
            chunk: 1,
            dead_letter,
            redelivery_id: redelivery_id(operation, dead_letter),
            status: Some(status),
            place: None,
            provenance: Provenance::default(),
            size: 0,
            payload: Payload::default(),
        }
    }
}

/// The items to lock.
pub(super) struct Wanted<'s> {
    /// Items after this position.
    pub after: i64,
    /// Limit of items.
    pub items: i64,
    /// Limit in bytes. The first item may exceed it.
    pub bytes: i64,
    /// Only items that died at these places, if given.
    pub of: Option<&'s ServedPlaces>,
}

/// Locks the rows of the next items without an outcome, and reads the items.
pub(super) async fn next_items(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    wanted: &Wanted<'_>,
) -> Result<Vec<ChunkItem>, StoreError> {
    let locked = lock(transaction, operation, wanted).await?;
    let mut open = open_items(transaction, operation.id, locked).await?;
    open.truncate(usize::try_from(wanted.items).unwrap_or(usize::MAX));
    let mut items = look_up(transaction, open).await?;
    if let Some(served) = wanted.of {
        items.retain(|item| item.place.as_ref().is_none_or(|place| served.has(place)));
    }
    let (mut before, most) = (0, usize::try_from(wanted.bytes).unwrap_or(usize::MAX));
    items.retain(|item| {
        let is_in = before == 0 || before + item.size <= most;
        before += item.size;
        is_in
    });
    Ok(items)
}

/// A row with dead letters of an operation.
struct Locked {
    first_position: i64,
    dead_letters: Vec<Uuid>,
    id_scheme: i16,
    /// Number of dead letters without an outcome.
    open: i32,
}

/// Locks the next rows, as many as may be needed: unlocked ones or, if an order is kept, the first ones up to a locked one.
async fn lock(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    wanted: &Wanted<'_>,
) -> Result<Vec<Locked>, StoreError> {
    let ours = if wanted.of.is_some() { served_places::CHUNKS_OF_PLACES } else { "" };
    let next = format!(
        "FROM operation_chunk c WHERE c.operation_id = $1 AND c.open > 0 AND c.last_position > $2{ours} \
         ORDER BY c.first_position LIMIT $3"
    );
    let query = if operation.has_one_worker() {
        format!(
            "WITH next AS MATERIALIZED (SELECT c.first_position {next}) \
             SELECT c.first_position, c.dead_letters, c.id_scheme, c.open, ARRAY(SELECT first_position FROM next ORDER BY 1) AS next \
             FROM operation_chunk c WHERE c.operation_id = $1 AND c.open > 0 \
                 AND c.first_position = ANY(ARRAY(SELECT first_position FROM next)) \
             ORDER BY c.first_position FOR UPDATE SKIP LOCKED"
        )
    } else {
        format!(
            "SELECT c.first_position, c.dead_letters, c.id_scheme, c.open, NULL::bigint[] AS next {next} FOR UPDATE SKIP LOCKED"
        )
    };
    let rows = wanted.items.unsigned_abs().div_ceil(IDS_IN_A_ROW.into());
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let mut query = sqlx::query(&query).bind(operation.id).bind(wanted.after).bind(rows);
    if let Some(served) = wanted.of {
        let (brokers, vhosts) = served.names();
        query = query.bind(brokers).bind(vhosts);
    }
    let mut locked = Vec::new();
    for row in query.fetch_all(&mut **transaction).await? {
        let first_position = row.try_get("first_position")?;
        let next: Option<Vec<i64>> = row.try_get("next")?;
        if next.is_some_and(|next| next.get(locked.len()) != Some(&first_position)) {
            break;
        }
        locked.push(Locked {
            first_position,
            dead_letters: row.try_get("dead_letters")?,
            id_scheme: row.try_get("id_scheme")?,
            open: row.try_get("open")?,
        });
    }
    Ok(locked)
}

/// An item without an outcome.
struct Open {
    chunk: i64,
    position: i64,
    dead_letter: Uuid,
    redelivery_id: Uuid,
}

/// The items of locked chunks without an outcome. Other workers may have recorded some before the lock, so outcomes are read only
/// now.
async fn open_items(
    transaction: &mut Transaction<'static>,
    operation: Uuid,
    chunks: Vec<Locked>,
) -> Result<Vec<Open>, StoreError> {
    let begun: Vec<i64> = chunks
        .iter()
        .filter(|chunk| usize::try_from(chunk.open) != Ok(chunk.dead_letters.len()))
        .map(|chunk| chunk.first_position)
        .collect();
    let runs: Vec<(i64, i64)> = if begun.is_empty() {
        Vec::new()
    } else {
        let query = "SELECT r.first_position, r.last_position FROM operation_chunk c JOIN operation_run r \
                 ON r.operation_id = c.operation_id AND r.first_position BETWEEN c.first_position AND c.last_position \
             WHERE c.operation_id = $1 AND c.first_position = ANY($2)";
        sqlx::query_as(query).bind(operation).bind(begun).fetch_all(&mut **transaction).await?
    };
    let ended: HashSet<i64> = runs.into_iter().flat_map(|(first, last)| first..=last).collect();
    let items = chunks.into_iter().flat_map(|chunk| {
        let positions = chunk.first_position..;
        let redelivery_id = if chunk.id_scheme == 1 { former_redelivery_id } else { redelivery_id };
        positions.zip(chunk.dead_letters).map(move |(position, dead_letter)| Open {
            chunk: chunk.first_position,
            position,
            dead_letter,
            redelivery_id: redelivery_id(operation, dead_letter),
        })
    });
    Ok(items.filter(|item| !ended.contains(&item.position)).collect())
}

/// Looks up the dead letters of these items. Sizes are read without the bodies.
async fn look_up(
    transaction: &mut Transaction<'static>,
    open: Vec<Open>,
) -> Result<Vec<ChunkItem>, StoreError> {
    let ids = Ids::of(open.iter().map(|item| item.dead_letter));
    let query = sqlx::query(
        "SELECT id, status::text AS status FROM dead_letter_left WHERE id = ANY($1) AND id BETWEEN $2 AND $3",
    )
    .bind(&ids.all)
    .bind(ids.least)
    .bind(ids.greatest);
    let mut left = HashMap::new();
    for row in query.fetch_all(&mut **transaction).await? {
        left.insert(row.try_get::<Uuid, _>("id")?, operations::named(&row, "status", Status::parse)?);
    }
    let query = format!(
        "SELECT d.id, {ORIGIN}, {PLACE}, octet_length(d.properties) + octet_length(d.body) AS size \
         FROM dead_letter d WHERE d.id = ANY($1) AND d.id BETWEEN $2 AND $3"
    );
    let query = sqlx::query(&query).bind(&ids.all).bind(ids.least).bind(ids.greatest);
    let mut stored = HashMap::new();
    for row in query.fetch_all(&mut **transaction).await? {
        stored.insert(row.try_get::<Uuid, _>("id")?, row);
    }
    open.into_iter()
        .map(|item| {
            let row = stored.get(&item.dead_letter);
            let size: Option<i32> = row.map(|row| row.try_get("size")).transpose()?;
            Ok(ChunkItem {
                chunk: item.chunk,
                position: item.position,
                dead_letter: item.dead_letter,
                redelivery_id: item.redelivery_id,
                status: row.map(|_| left.get(&item.dead_letter).copied().unwrap_or(Status::Dead)),
                place: row.map(place).transpose()?.flatten(),
                provenance: row.map(provenance).transpose()?.unwrap_or_default(),
                size: size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default(),
                payload: Payload::default(),
            })
        })
        .collect()
}

/// Whether its message is to be published.
fn is_published(item: &ChunkItem, operation: &Operation) -> bool {
    operation.publishes() && item.status == Some(operation.acts_on())
}

/// Bytes of the messages that are to be published.
pub(super) fn bytes_of(items: &[ChunkItem], operation: &Operation) -> usize {
    items.iter().filter(|item| is_published(item, operation)).map(|item| item.size).sum()
}

/// Reads the messages to publish, one after the other, and long bodies in pieces: an answer takes three times its length while it
/// is read.
pub(super) async fn read_messages(
    transaction: &mut Transaction<'static>,
    operation: &Operation,
    items: &mut [ChunkItem],
) -> Result<(), StoreError> {
    let mut items: Vec<_> = items.iter_mut().filter(|item| is_published(item, operation)).collect();
    if items.is_empty() {
        return Ok(());
    }
    let ids = Ids::of(items.iter().map(|item| item.dead_letter));
    let mut numbers: HashMap<Uuid, usize> = ids.all.iter().copied().zip(0..).collect();
    let mut rows = sqlx::query(
        "SELECT x.id, x.properties, x.convention, CASE WHEN octet_length(x.body) <= $4 THEN x.body END AS body \
         FROM dead_letter x WHERE x.id = ANY($1) AND x.id BETWEEN $2 AND $3",
    )
    .bind(&ids.all)
    .bind(ids.least)
    .bind(ids.greatest)
    .bind(whole_number(PIECE))
    .fetch(&mut **transaction);
    while let Some(row) = rows.try_next().await? {
        let item = numbers.remove(&row.try_get::<Uuid, _>("id")?).and_then(|number| items.get_mut(number));
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
    // The connection stays in use while the messages are published.
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
