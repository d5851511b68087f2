//! One dead letter, whole.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::search::{COLUMNS, dead_letter, payload};
use super::{Store, StoreError};
use crate::domain::dead_letter::{DeadLetter, Payload};
use crate::domain::operation::{Kind, Outcome};

/// The longest history that is followed, in each direction.
const MAX_HISTORY: i64 = 100;

/// Of the body of `$1`, `$3` bytes from the `$2`nd on.
pub(super) const BODY_PART: &str = "SELECT substring(body FROM $2 FOR $3) FROM dead_letter WHERE id = $1";

/// What happened to a message: its deaths, and what was done about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The deaths of the message, as far as our redeliveries link them, first one first.
    pub deaths: Vec<Death>,
    /// The operations that had one of these deaths as an item, first one first.
    pub operations: Vec<HistoryOperation>,
}

/// One death in a history.
pub type Death = DeadLetter;

/// One operation in a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryOperation {
    /// The operation.
    pub operation: Uuid,
    /// What it does.
    pub kind: Kind,
    /// Whether it published a copy, and the dead letter stayed dead.
    pub copy: bool,
    /// The caller.
    pub requested_by: String,
    /// Why.
    pub note: Option<String>,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Which of the deaths it was about.
    pub dead_letter: Uuid,
    /// How that ended.
    pub outcome: Option<Outcome>,
    /// Why.
    pub detail: Option<String>,
    /// The id that the message was published with.
    pub redelivery_id: Option<Uuid>,
    /// When it ended.
    pub settled_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The dead letter, its properties, and the first bytes of its body.
    pub async fn get(&self, id: Uuid, head: usize) -> Result<Option<(DeadLetter, Payload)>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS}, d.properties, substring(d.body FROM 1 FOR $2) AS body FROM dead_letter_now d WHERE d.id = $1"
        );
        let Some(row) =
            sqlx::query(&query).bind(id).bind(whole_number(head)).fetch_optional(&self.http).await?
        else {
            return Ok(None);
        };
        Ok(Some((dead_letter(&row)?, payload(&row)?)))
    }

    /// The service of a dead letter.
    pub async fn service_of(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT service FROM dead_letter WHERE id = $1").bind(id);
        Ok(query.fetch_optional(&self.http).await?)
    }

    /// The services of these dead letters.
    pub async fn services_of(&self, ids: &[Uuid]) -> Result<Vec<String>, StoreError> {
        let query = "SELECT DISTINCT d.service FROM UNNEST($1::uuid[]) AS i (id) \
             CROSS JOIN LATERAL (SELECT service FROM dead_letter x WHERE x.id = i.id LIMIT 1) d";
        Ok(sqlx::query_scalar(query).bind(ids).fetch_all(&self.http).await?)
    }

    /// The service of a dead letter, and how long its body is.
    pub async fn body_size(&self, id: Uuid) -> Result<Option<(String, usize)>, StoreError> {
        let found: Option<(String, i32)> =
            sqlx::query_as("SELECT service, octet_length(body) FROM dead_letter WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.http)
                .await?;
        Ok(found.and_then(|(service, size)| Some((service, usize::try_from(size).ok()?))))
    }

    /// A part of the body.
    pub async fn body_part(
        &self,
        id: Uuid,
        from: usize,
        length: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar(BODY_PART)
            .bind(id)
            .bind(whole_number(from + 1))
            .bind(whole_number(length))
            .fetch_optional(&self.http)
            .await?)
    }

    /// The history of the message that died this death.
    pub async fn history(&self, id: Uuid) -> Result<History, StoreError> {
        let deaths = self.linked_deaths(id).await?;
        let ids: Vec<Uuid> = deaths.iter().map(|death| death.id).collect();
        let rows = sqlx::query(
            "SELECT o.id, o.kind, o.copy, o.requested_by, o.note, o.created_at, i.dead_letter_id, i.outcome, i.detail, \
                 i.redelivery_id, i.settled_at \
             FROM UNNEST($1::uuid[]) AS d (id) \
                 CROSS JOIN LATERAL (SELECT operation_id, first_position FROM operation_chunk c \
                     WHERE c.span @> d.id AND d.id = ANY(c.dead_letters)) c \
                 JOIN operation_item i ON i.operation_id = c.operation_id AND i.chunk = c.first_position AND i.dead_letter_id = d.id \
                 JOIN operation o ON o.id = i.operation_id ORDER BY o.id, i.position LIMIT $2",
        )
        .bind(ids)
        .bind(MAX_HISTORY)
        .fetch_all(&self.http)
        .await?;
        let operations = rows
            .iter()
            .map(|row| {
                Ok(HistoryOperation {
                    operation: row.try_get("id")?,
                    kind: super::operations::named(row, "kind", Kind::parse)?,
                    copy: row.try_get("copy")?,
                    requested_by: row.try_get("requested_by")?,
                    note: row.try_get("note")?,
                    requested_at: row.try_get("created_at")?,
                    dead_letter: row.try_get("dead_letter_id")?,
                    outcome: super::operations::named_option(row, "outcome", Outcome::parse)?,
                    detail: row.try_get("detail")?,
                    redelivery_id: row.try_get("redelivery_id")?,
                    settled_at: row.try_get("settled_at")?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(History { deaths, operations })
    }

    /// The deaths that redeliveries link with this one, itself included: those before it, found by the redelivery that it
    /// is the return of, and those after it, found by the redeliveries of it. Each step is a look-up by an index: the LIMITs
    /// keep the planner, who knows nothing of a young partition, from reading all of it instead.
    async fn linked_deaths(&self, id: Uuid) -> Result<Vec<Death>, StoreError> {
        let query = format!(
            "WITH RECURSIVE earlier (id, redelivery_id) AS ( \
                 SELECT id, redelivery_id FROM dead_letter WHERE id = $1 \
                 UNION \
                 SELECT d.id, d.redelivery_id FROM earlier e \
                     CROSS JOIN LATERAL (SELECT r.dead_letter_id FROM dead_letter_redelivery(e.redelivery_id) r LIMIT 1) i \
                     CROSS JOIN LATERAL (SELECT id, redelivery_id FROM dead_letter d \
                         WHERE d.id = i.dead_letter_id LIMIT 1) d), \
             later (id) AS ( \
                 SELECT $1 \
                 UNION \
                 SELECT d.id FROM later l \
                     CROSS JOIN LATERAL (SELECT operation_id, id_scheme FROM operation_chunk c \
                         WHERE c.span @> l.id AND l.id = ANY(c.dead_letters) LIMIT $2) c \
                     CROSS JOIN LATERAL (SELECT id FROM dead_letter d \
                         WHERE d.redelivery_id = dead_letter_redelivery_id(c.operation_id, l.id, c.id_scheme) LIMIT $2) d), \
             linked AS (SELECT id FROM earlier UNION SELECT id FROM later) \
             SELECT {COLUMNS} FROM linked l \
                 CROSS JOIN LATERAL (SELECT * FROM dead_letter_now x WHERE x.id = l.id LIMIT 1) d ORDER BY d.id LIMIT $2"
        );
        let rows = sqlx::query(&query).bind(id).bind(MAX_HISTORY).fetch_all(&self.http).await?;
        rows.iter().map(dead_letter).collect()
    }
}

/// No body has more bytes than that counts.
pub(super) fn whole_number(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
