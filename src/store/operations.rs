//! Reading operations and their items.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::lease::Lease;
use super::merged::whole_of;
use super::{Store, StoreError, filter_sql, merged};
use crate::domain::canary::Canary;
use crate::domain::error_group::error_name;
use crate::domain::operation::{
    Item, Kind, Operation, Outcome, Outcomes, ReturnedGroup, RoutingKey, Sequence, State,
};

/// The state as people are told it. An older version writes `last_error` alone, and so ends a wait.
const TOLD_STATE: &str =
    "CASE WHEN waits_for = last_error AND state IN ('pending', 'running') THEN 'waiting' ELSE state END";

/// Of lists: without edits, which may be long.
const LISTED: &str = "id, kind, selection::text AS selection, target::text AS target, item_order, rate, note, \
     canary_steps, canary_wait, canary_max_failed, canary_passed, max_queue_depth, copy, routing_key, again, \
     requested_by, requested_by_id, awaits_approval, total, sent, returned, deleted, restored, refused, skipped, last_error, created_at, started_at, ended_at, \
     next_chunk_at, services, not_done";

/// What [`operation`] reads of one.
pub(super) fn columns() -> String {
    format!("{LISTED}, {TOLD_STATE} AS state, edit::text AS edit")
}

/// What [`operation`] reads of many.
fn listed() -> String {
    format!("{LISTED}, {TOLD_STATE} AS state, NULL AS edit")
}

/// Number of chunks whose items are read together.
const CHUNKS_READ: i64 = 4;

/// Largest number of operations that are named.
const MAX_HOLDERS: i64 = 20;

/// Which operations are listed.
#[derive(Clone, Debug, Default)]
pub struct WantedOperations {
    /// Only those with dead letters of one of these services.
    pub services: Option<Vec<String>>,
    /// Only those in one of these states.
    pub states: Option<Vec<State>>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those that selected dead letters of this error group.
    pub error_group: Option<Uuid>,
    /// Only those whose requester's name has this text, whatever its case.
    pub requested_by: Option<String>,
    /// Only those that were under way at or after this time: they began later, or had not ended.
    pub from: Option<DateTime<Utc>>,
    /// Only those that were asked for before this time.
    pub to: Option<DateTime<Utc>>,
}

impl WantedOperations {
    /// Appends ` AND …` for each condition.
    fn push(&self, query: &mut QueryBuilder<'static, Postgres>) {
        if let Some(services) = &self.services {
            query.push(" AND services && ").push_bind(services.clone());
        }
        if let Some(states) = &self.states {
            let states: Vec<_> = states.iter().map(|state| state.as_str()).collect();
            query.push(format!(" AND {TOLD_STATE} = ANY(")).push_bind(states).push(")");
        }
        if let Some(kind) = self.kind {
            query.push(" AND kind = ").push_bind(kind.as_str());
        }
        if let Some(group) = self.error_group {
            query.push(" AND error_groups && ").push(merged::parts_of(group));
        }
        if let Some(name) = &self.requested_by {
            query.push(" AND requested_by ILIKE ").push_bind(filter_sql::like_pattern(name));
        }
        if let Some(from) = self.from {
            query.push(" AND (ended_at IS NULL OR ended_at >= ").push_bind(from).push(")");
        }
        if let Some(to) = self.to {
            query.push(" AND created_at < ").push_bind(to);
        }
    }
}

/// How many operations are in each state.
pub type StateCounts = Vec<(State, i64)>;

impl Store {
    /// The operation of this id.
    pub async fn operation(&self, id: Uuid) -> Result<Option<Operation>, StoreError> {
        let query = format!("SELECT {} FROM operation WHERE id = $1", columns());
        let mut connection = self.http.acquire().await?;
        let row = sqlx::query(&query).bind(id).fetch_optional(&mut connection).await?;
        let mut found = row.iter().map(operation).collect::<Result<Vec<_>, _>>()?;
        find_causes(&mut connection, &mut found).await?;
        Ok(found.pop())
    }

    /// At most `limit` operations requested before `before`, the latest first.
    pub async fn operations(
        &self,
        wanted: &WantedOperations,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let mut query = QueryBuilder::new(format!("SELECT {} FROM operation WHERE id < ", listed()));
        query.push_bind(before.unwrap_or(Uuid::max()));
        wanted.push(&mut query);
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        let mut connection = self.http.acquire().await?;
        let rows = query.build().fetch_all(&mut connection).await?;
        let mut found = rows.iter().map(operation).collect::<Result<Vec<_>, _>>()?;
        find_causes(&mut connection, &mut found).await?;
        Ok(found)
    }

    /// The operations that have dead letters of this plan now, and how many of these.
    pub async fn holders(&self, plan: Uuid) -> Result<Vec<(Operation, i64)>, StoreError> {
        let query = format!(
            "SELECT {}, held.count FROM operation JOIN ( \
                 SELECT i.operation_id, count(*) AS count FROM operation_plan_item p \
                     JOIN operation_claim i ON i.dead_letter_id = p.dead_letter_id \
                 WHERE p.plan_id = $1 AND i.operation_id <> $1 GROUP BY i.operation_id) held ON held.operation_id = id \
             ORDER BY held.count DESC LIMIT $2",
            listed()
        );
        let rows = sqlx::query(&query).bind(plan).bind(MAX_HOLDERS).fetch_all(&self.operations).await?;
        rows.iter().map(|row| Ok((operation(row)?, row.try_get("count")?))).collect()
    }

    /// How many items these operations have of these services, by outcome; `None` for those without one yet.
    pub async fn own_parts(
        &self,
        operations: &[Uuid],
        services: &[String],
    ) -> Result<Vec<(Uuid, Option<Outcome>, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT i.operation_id, i.outcome, count(*) AS count FROM operation_item i \
                 CROSS JOIN LATERAL (SELECT service FROM dead_letter d WHERE d.id = i.dead_letter_id LIMIT 1) d \
             WHERE i.operation_id = ANY($1) AND d.service = ANY($2) GROUP BY i.operation_id, i.outcome",
        )
        .bind(operations)
        .bind(services)
        .fetch_all(&self.http)
        .await?;
        rows.iter()
            .map(|row| {
                let outcome = named_option(row, "outcome", Outcome::parse)?;
                Ok((row.try_get("operation_id")?, outcome, row.try_get("count")?))
            })
            .collect()
    }

    /// At most `limit` items of an operation after the place `after`, of one outcome and of some services if these are given.
    pub async fn items(
        &self,
        operation: Uuid,
        outcome: Option<Outcome>,
        services: Option<&[String]>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        let mut connection = self.http.acquire().await?;
        let (mut found, mut passed) = (Vec::new(), after);
        loop {
            let chunks = chunks(&mut connection, operation, outcome, passed).await?;
            let (Some((first, _)), Some((_, last))) = (chunks.first(), chunks.last()) else {
                return Ok(found);
            };
            let rows = sqlx::query(
                "SELECT position, dead_letter_id, outcome, detail, redelivery_id, settled_at, returned_as FROM operation_item \
                 WHERE operation_id = $1 AND chunk BETWEEN $2 AND $3 AND position > $4 AND ($5::text IS NULL OR outcome = $5) \
                     AND ($7::text[] IS NULL OR EXISTS (SELECT FROM dead_letter d WHERE d.id = dead_letter_id AND d.service = ANY($7))) \
                 ORDER BY position LIMIT $6",
            )
            .bind(operation)
            .bind(first)
            .bind(last)
            .bind(after)
            .bind(outcome.map(Outcome::as_str))
            .bind(i64::from(limit) - i64::try_from(found.len()).unwrap_or_default())
            .bind(services)
            .fetch_all(&mut connection)
            .await?;
            for row in &rows {
                found.push(item(row)?);
            }
            if found.len() >= limit as usize {
                return Ok(found);
            }
            passed = *last;
        }
    }

    /// Why the messages of an operation that died again did so, most first.
    pub async fn returned_groups(&self, operation: Uuid) -> Result<Vec<ReturnedGroup>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.returned_group, g.service, g.error_type, g.template, r.count, r.soonest, r.median, r.latest FROM ( \
                 SELECT returned_group, count(*) AS count, min(after) AS soonest, max(after) AS latest, \
                     percentile_disc(0.5) WITHIN GROUP (ORDER BY after) AS median \
                 FROM (SELECT COALESCE(m.merged_into, r.returned_group) AS returned_group, GREATEST(extract(epoch FROM \
                           dead_letter_received_at(r.returned_as) - r.sent_at) * 1000, 0)::bigint AS after \
                       FROM operation_return r LEFT JOIN error_group m ON m.id = r.returned_group WHERE r.operation_id = $1) i \
                 GROUP BY returned_group) r \
             LEFT JOIN error_group g ON g.id = r.returned_group ORDER BY r.count DESC",
        )
        .bind(operation)
        .fetch_all(&self.http)
        .await?;
        let milliseconds =
            |row: &PgRow, column| Ok::<_, StoreError>(TimeDelta::milliseconds(row.try_get(column)?));
        rows.iter()
            .map(|row| {
                Ok(ReturnedGroup {
                    group: row.try_get("returned_group")?,
                    service: row.try_get("service")?,
                    error_type: row.try_get("error_type")?,
                    template: row.try_get("template")?,
                    count: row.try_get("count")?,
                    soonest: milliseconds(row, "soonest")?,
                    median: milliseconds(row, "median")?,
                    latest: milliseconds(row, "latest")?,
                })
            })
            .collect()
    }

    /// Which of these operations have ended, or are no longer stored.
    pub async fn ended(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT a.id FROM UNNEST($1::uuid[]) AS a (id) \
             WHERE NOT EXISTS (SELECT FROM operation o WHERE o.id = a.id AND o.state NOT IN ('completed', 'cancelled'))",
        )
        .bind(ids)
        .fetch_all(&self.operations)
        .await?)
    }

    /// How many operations are in each state.
    pub async fn operation_states(&self) -> Result<StateCounts, StoreError> {
        let query = format!("SELECT {TOLD_STATE} AS state, count(*) AS n FROM operation GROUP BY 1");
        let rows = sqlx::query(&query).fetch_all(&self.health).await?;
        rows.iter().map(|row| Ok((named(row, "state", State::parse)?, row.try_get("n")?))).collect()
    }
}

/// Where the next chunks begin and end that have an item past this place, of this outcome, if one is given: as many as are read
/// at once.
async fn chunks(
    connection: &mut Lease,
    operation: Uuid,
    outcome: Option<Outcome>,
    after: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let wanted = match outcome {
        None => "",
        Some(Outcome::Returned) => {
            " AND EXISTS (SELECT FROM operation_return t WHERE t.operation_id = $1 \
                 AND t.position BETWEEN c.first_position AND c.last_position)"
        }
        Some(_) => {
            " AND EXISTS (SELECT FROM operation_run r WHERE r.operation_id = $1 \
                 AND r.first_position BETWEEN c.first_position AND c.last_position AND r.outcome = $4)"
        }
    };
    let query = format!(
        "SELECT c.first_position, c.last_position FROM operation_chunk c \
         WHERE c.operation_id = $1 AND c.last_position > $2{wanted} ORDER BY c.first_position LIMIT $3"
    );
    let mut query = sqlx::query_as(&query).bind(operation).bind(after).bind(CHUNKS_READ);
    if outcome.is_some_and(|outcome| outcome != Outcome::Returned) {
        query = query.bind(outcome.map(Outcome::as_str));
    }
    Ok(query.fetch_all(connection).await?)
}

fn item(row: &PgRow) -> Result<Item, StoreError> {
    Ok(Item {
        position: row.try_get("position")?,
        dead_letter: row.try_get("dead_letter_id")?,
        outcome: named_option(row, "outcome", Outcome::parse)?,
        detail: row.try_get("detail")?,
        redelivery_id: row.try_get("redelivery_id")?,
        settled_at: row.try_get("settled_at")?,
        returned_as: row.try_get("returned_as")?,
    })
}

/// A row of [`columns`].
pub(super) fn operation(row: &PgRow) -> Result<Operation, StoreError> {
    let state = named(row, "state", State::parse)?;
    let said: Option<String> = row.try_get("last_error")?;
    let (waiting_for, last_error) = if state == State::Waiting { (said, None) } else { (None, said) };
    Ok(Operation {
        id: row.try_get("id")?,
        kind: named(row, "kind", Kind::parse)?,
        state,
        asked: json(row, "selection")?,
        target: json(row, "target")?,
        order: named(row, "item_order", Sequence::parse)?,
        rate: row.try_get::<Option<i32>, _>("rate")?.and_then(|rate| rate.try_into().ok()),
        note: row.try_get("note")?,
        canary: Canary {
            steps: row.try_get("canary_steps")?,
            wait_seconds: row.try_get("canary_wait")?,
            max_failed_percent: row.try_get("canary_max_failed")?,
        },
        canary_passed: row.try_get("canary_passed")?,
        max_queue_depth: row.try_get("max_queue_depth")?,
        edit: row
            .try_get::<Option<&str>, _>("edit")?
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| StoreError::Inconsistent(format!("edit: {error}")))?,
        copy: row.try_get("copy")?,
        routing_key: named(row, "routing_key", RoutingKey::parse)?,
        again: row.try_get("again")?,
        requested_by: row.try_get("requested_by")?,
        requested_by_id: row.try_get("requested_by_id")?,
        awaits_approval: row.try_get("awaits_approval")?,
        total: row.try_get("total")?,
        outcomes: Outcomes {
            sent: row.try_get("sent")?,
            returned: row.try_get("returned")?,
            deleted: row.try_get("deleted")?,
            restored: row.try_get("restored")?,
            refused: row.try_get("refused")?,
            skipped: row.try_get("skipped")?,
        },
        waiting_for,
        last_error,
        created_at: row.try_get("created_at")?,
        started_at: row.try_get("started_at")?,
        ended_at: row.try_get("ended_at")?,
        next_chunk_at: row.try_get("next_chunk_at")?,
        services: row.try_get("services")?,
        not_done: row.try_get("not_done")?,
        died_of: None,
    })
}

/// Finds what the messages of these operations that died again died of. The ends of an index tell: one group, or several, perhaps merged.
async fn find_causes(connection: &mut Lease, found: &mut [Operation]) -> Result<(), StoreError> {
    let returned = found.iter().filter(|operation| operation.outcomes.returned > 0);
    let ids: Vec<Uuid> = returned.map(|operation| operation.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let group =
        "SELECT returned_group AS id FROM operation_return WHERE operation_id = o.id ORDER BY returned_group";
    let whole = whole_of("first.id");
    let query = format!(
        "SELECT o.id, first.id IS DISTINCT FROM last.id AND EXISTS ( \
                 SELECT FROM operation_return r WHERE r.operation_id = o.id AND {} IS DISTINCT FROM {whole}) AS several, \
             g.error_type, g.template, g.reason \
         FROM UNNEST($1::uuid[]) AS o (id) CROSS JOIN LATERAL ({group} LIMIT 1) first \
             CROSS JOIN LATERAL ({group} DESC LIMIT 1) last LEFT JOIN error_group g ON g.id = {whole}",
        whole_of("r.returned_group")
    );
    for row in sqlx::query(&query).bind(ids).fetch_all(connection).await? {
        let (id, several): (Uuid, bool) = (row.try_get("id")?, row.try_get("several")?);
        let cause = error_name(
            row.try_get::<Option<&str>, _>("error_type")?,
            row.try_get::<Option<&str>, _>("template")?,
            row.try_get::<Option<&str>, _>("reason")?,
        );
        if let Some(operation) = found.iter_mut().find(|operation| operation.id == id) {
            operation.died_of = Some(if several { format!("{cause} and other errors") } else { cause });
        }
    }
    Ok(())
}

/// The thing that a column names.
pub(super) fn named<T>(row: &PgRow, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    named_option(row, column, parse)?.ok_or_else(|| StoreError::Inconsistent(format!("no {column}")))
}

/// The thing that a column names, if it names one.
pub(super) fn named_option<T>(
    row: &PgRow,
    column: &str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    row.try_get::<Option<String>, _>(column)?
        .map(|name| parse(&name).ok_or_else(|| StoreError::Inconsistent(format!("{column} {name}"))))
        .transpose()
}

/// The JSON of a column.
pub(super) fn json<T: serde::de::DeserializeOwned>(row: &PgRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.try_get::<String, _>(column)?)
        .map_err(|error| StoreError::Inconsistent(format!("{column}: {error}")))
}
