//! Freezing a selection: an operation and its items are made in one transaction (rule R9).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{Executor, Postgres, QueryBuilder};
use uuid::Uuid;

use super::bounds::{self, Bounds, check_operations};
use super::lease::Transaction;
use super::search_plan::SearchPlan;
use super::{Store, StoreError, audit, filter_sql};
use crate::clock;
use crate::domain::audit::{Action, Entry};
use crate::domain::dead_letter::{Status, floor_id};
use crate::domain::operation::{Kind, NewOperation, Options, RequestHash, Selection};

/// Longest recheck of a selection: as long as a statement may take.
const RECHECK_TIMEOUT: Duration = Duration::from_mins(1);

/// A request for an operation, frozen or known from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// A new operation of this id.
    New(Uuid),
    /// The same request, by its idempotency key, was made before.
    Known(Uuid),
    /// The plan was run before.
    AlreadyRun,
}

impl Store {
    /// Makes the operation, with an item for each dead letter that is selected now, so many to a row. An item that another live
    /// operation has, or that cannot be acted on, ends at once as skipped.
    pub async fn freeze(
        &self,
        new: &NewOperation,
        id: Uuid,
        now: DateTime<Utc>,
        ids_in_a_row: u32,
        bounds: &Bounds,
    ) -> Result<Frozen, StoreError> {
        let hash = RequestHash::of(new).map_err(|error| StoreError::Inconsistent(error.to_string()))?;
        let mut transaction = self.operations.begin().await?;
        // A caller gets an error if the table is locked, but waits for other freezes.
        let lock = "SET LOCAL lock_timeout = '1s'; LOCK TABLE ONLY dead_letter IN ACCESS SHARE MODE; SET LOCAL lock_timeout = 0";
        transaction.execute(lock).await?;
        if !insert_operation(&mut transaction, new, id, now, hash.to_store()).await? {
            transaction.rollback().await?;
            return self.known(new, hash).await;
        }
        let chosen = chosen(&mut transaction, new, now).await?;
        let (total, skipped) =
            insert_chosen(&mut transaction, chosen, new, (id, ids_in_a_row.into())).await?;
        let services = sqlx::query_scalar(
            "UPDATE operation SET total = $2, skipped = $3, \
                 awaits_approval = $2 - $3 > $4, \
                 state = CASE WHEN $2 = $3 THEN 'completed' WHEN $2 - $3 > $4 THEN 'paused' ELSE state END, \
                 started_at = CASE WHEN $2 = $3 THEN created_at END, \
                 ended_at = CASE WHEN $2 = $3 THEN created_at END \
             WHERE id = $1 RETURNING COALESCE(services, '{}')",
        )
        .bind(id)
        .bind(total)
        .bind(skipped)
        .bind(new.approved_above.map_or(i64::MAX, |above| i64::try_from(above).unwrap_or(i64::MAX)))
        .fetch_one(&mut *transaction)
        .await?;
        audit::append(&mut transaction, &entry(new, id, total, skipped, services)).await?;
        bounds::lock(&mut transaction, &new.requested_by).await?;
        check_operations(&mut transaction, bounds, &new.requested_by).await?;
        transaction.commit().await?;
        Ok(Frozen::New(id))
    }

    /// The operation that stands in the way of a new one: the same request, or the run of the same plan.
    async fn known(&self, new: &NewOperation, hash: RequestHash) -> Result<Frozen, StoreError> {
        let known: Option<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT id, request_hash FROM operation WHERE requested_by_id = $1 AND idempotency_key = $2",
        )
        .bind(&new.requested_by.id)
        .bind(&new.idempotency_key)
        .fetch_optional(&self.operations)
        .await?;
        match known {
            None => Ok(Frozen::AlreadyRun),
            Some((known, stored)) if hash.is_that_of(stored) => Ok(Frozen::Known(known)),
            Some(_) => Err(StoreError::KeyReused),
        }
    }
}

/// What the audit says of an operation that begins.
fn entry(new: &NewOperation, id: Uuid, total: i64, skipped: i64, services: Vec<String>) -> Entry {
    let action = match new.kind {
        Kind::Redeliver => Action::Redeliver,
        Kind::Delete => Action::Delete,
        Kind::Restore => Action::Restore,
    };
    let details = json!({
        "selection": new.asked, "total": total, "skipped": skipped, "target": new.options.target, "copy": new.options.copy,
        "edited": new.options.edit.is_some(),
    });
    Entry {
        services,
        operation: Some(id),
        details,
        reason: new.options.note.clone(),
        ..Entry::new(clock::new_id(), new.requested_by.clone(), action)
    }
}

async fn insert_operation(
    transaction: &mut Transaction<'_>,
    new: &NewOperation,
    id: Uuid,
    now: DateTime<Utc>,
    hash: Uuid,
) -> Result<bool, StoreError> {
    let Options {
        target, order, rate, note, canary, max_queue_depth, edit, copy, routing_key, again, ..
    } = &new.options;
    let record = |error: serde_json::Error| StoreError::Inconsistent(error.to_string());
    let target = serde_json::to_value(target).map_err(record)?;
    let edit = edit.as_ref().map(serde_json::to_string).transpose().map_err(record)?;
    let inserted = sqlx::query(
        "INSERT INTO operation (id, kind, selection, target, rate, note, requested_by, idempotency_key, \
             request_hash, total, created_at, next_chunk_at, canary_steps, canary_wait, canary_max_failed, \
             max_queue_depth, edit, copy, item_order, routing_key, again, requested_by_id) \
         VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7, $8, $9, 0, $10, $10, $11, $12, $13, $14, $15::json, $16, $17, $18, $19, $20) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(new.kind.as_str())
    .bind(new.asked.to_string())
    .bind(target.to_string())
    .bind(rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)))
    .bind(note)
    .bind(&new.requested_by.name)
    .bind(&new.idempotency_key)
    .bind(hash)
    .bind(now)
    .bind(&canary.steps)
    .bind(canary.wait_seconds)
    .bind(canary.max_failed_percent)
    .bind(max_queue_depth)
    .bind(edit)
    .bind(copy)
    .bind(order.as_str())
    .bind(routing_key.as_str())
    .bind(again)
    .bind(&new.requested_by.id)
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The dead letters that are selected now, and why some cannot be acted on, as `WITH chosen (id, service, error_group, refusal)`. A
/// plan and a run choose alike (rule R9).
pub(super) async fn chosen(
    transaction: &mut Transaction<'_>,
    new: &NewOperation,
    now: DateTime<Utc>,
) -> Result<QueryBuilder<'static, Postgres>, StoreError> {
    let mut query = QueryBuilder::new("WITH chosen AS MATERIALIZED (SELECT ");
    // Texts of ours.
    let refusals = [Status::Dead, Status::Redelivered, Status::Deleted].map(|status| match status {
        wanted if wanted == new.acts_on() => String::new(),
        other => format!("WHEN d.status = '{}' THEN '{}' ", other.as_str(), new.refusal_of(other)),
    });
    let named = format!(
        "c.id, d.service, d.error_group, CASE WHEN d.id IS NULL THEN 'No longer stored, or never was' {}END AS refusal FROM ",
        refusals.concat()
    );
    let id = match &new.selection {
        Selection::Ids(ids) => {
            query.push(named).push("UNNEST(").push_bind(ids.clone()).push("::uuid[]) AS c (id) LEFT");
            push_looked_up(&mut query, new);
            "c.id"
        }
        Selection::Plan(plan) => {
            query.push(named).push("(SELECT dead_letter_id FROM operation_plan_item WHERE plan_id = ");
            query.push_bind(*plan).push(") AS c (id) LEFT");
            push_looked_up(&mut query, new);
            "c.id"
        }
        Selection::DeletedBy(operation) => {
            query.push(named).push("(SELECT dead_letter_id FROM operation_item WHERE operation_id = ");
            query.push_bind(*operation).push(" AND outcome = 'deleted') AS c (id) ");
            // What the caller may not see, it did not ask for.
            query.push(if new.within.is_some() { "INNER" } else { "LEFT" });
            push_looked_up(&mut query, new);
            "c.id"
        }
        Selection::Filter(filter) => {
            let mut search = SearchPlan::resolve(&mut *transaction, filter).await?;
            if search.recheck.is_some() {
                search.narrow(&mut *transaction, RECHECK_TIMEOUT).await?;
            }
            query.push("d.id, d.service, d.error_group, NULL::text AS refusal");
            filter_sql::push_ids(&mut query, &search);
            // What arrives from now on is not meant, whenever this statement reads.
            query.push(" AND d.id < ").push_bind(floor_id(now));
            "d.id"
        }
    };
    if let Some(limit) = new.options.limit {
        query.push(" ORDER BY ").push(id).push(" ").push(new.options.order.of_choice().direction());
        query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    }
    query.push(")");
    Ok(query)
}

/// Joins the dead letters that ids name, if the caller may act on them.
fn push_looked_up(query: &mut QueryBuilder<'static, Postgres>, new: &NewOperation) {
    query.push(" JOIN dead_letter_now d ON d.id = c.id");
    if let Some(services) = &new.within {
        query.push(" AND d.service = ANY(").push_bind(services.clone()).push(")");
    }
}

/// Makes an item of each row that was chosen, and says how many that are, and how many of them have ended. The live ones are
/// claimed in the order of their ids, whatever order they are to be acted on in, so that two operations that want the same ones
/// wait for each other in one direction only; the key of the claims then says who has each (rule R8). Which of them are taken is
/// looked up in a hash table, however few the planner expects: of an error group that began a moment ago it knows nothing.
async fn insert_chosen(
    transaction: &mut Transaction<'_>,
    mut query: QueryBuilder<'static, Postgres>,
    new: &NewOperation,
    (id, ids_in_a_row): (Uuid, i64),
) -> Result<(i64, i64), StoreError> {
    query
        .push(", placed AS MATERIALIZED (SELECT id, refusal, row_number() OVER (ORDER BY id ")
        .push(new.options.order.of_choice().direction())
        .push(") AS position FROM chosen), taken AS (INSERT INTO operation_claim (dead_letter_id, operation_id) SELECT id, ")
        .push_bind(id)
        .push(
            " FROM placed WHERE refusal IS NULL ORDER BY id ON CONFLICT DO NOTHING RETURNING dead_letter_id), \
             listed AS (INSERT INTO operation_chunk (operation_id, first_position, last_position, dead_letters, span, open) SELECT ",
        )
        .push_bind(id)
        .push(
            ", first, last, ids, uuid_range(LEAST(ids[1], ids[cardinality(ids)]), GREATEST(ids[1], ids[cardinality(ids)]), '[]'), open \
             FROM (SELECT min(p.position) AS first, max(p.position) AS last, array_agg(p.id ORDER BY p.position) AS ids, \
                       count(*) FILTER (WHERE p.id IN (SELECT dead_letter_id FROM taken)) AS open \
                   FROM placed p GROUP BY (p.position - 1) / ",
        )
        .push_bind(ids_in_a_row)
        .push(
            ") c RETURNING open), \
             named AS (UPDATE operation SET services = ARRAY( \
                 SELECT service FROM chosen WHERE service IS NOT NULL GROUP BY service ORDER BY service), \
                 error_groups = ARRAY(SELECT error_group FROM chosen WHERE error_group IS NOT NULL GROUP BY error_group) \
             WHERE id = ",
        )
        .push_bind(id)
        .push("), refused AS (INSERT INTO operation_run (operation_id, first_position, last_position, outcome, detail) SELECT ")
        .push_bind(id)
        .push(", min(position), max(position), 'skipped', detail FROM (SELECT position, chunk, detail, ")
        .push(ISLAND)
        .push(" AS island FROM (SELECT position, (position - 1) / ")
        .push_bind(ids_in_a_row)
        .push(
            " AS chunk, refusal AS detail FROM placed WHERE refusal IS NOT NULL) r) r GROUP BY chunk, detail, island), \
             counted AS (SELECT count(*) AS total, count(refusal) AS refused FROM placed) \
             SELECT total, refused, (SELECT COALESCE(sum(open), 0)::bigint FROM listed) AS open FROM counted",
        );
    let (total, refused, open): (i64, i64, i64) =
        query.build_query_as().fetch_one(&mut **transaction).await?;
    if refused + open < total {
        skip_those_of_others(transaction, id).await?;
    }
    Ok((total, total - open))
}

/// The same number for neighbours, of rows with `position`, `chunk` and `detail`.
const ISLAND: &str = "position - row_number() OVER (PARTITION BY chunk, detail ORDER BY position)";

/// Skips the items that another operation has claimed, and names that operation.
async fn skip_those_of_others(transaction: &mut Transaction<'_>, id: Uuid) -> Result<(), StoreError> {
    let query = format!(
        "INSERT INTO operation_run (operation_id, first_position, last_position, outcome, detail) \
         SELECT $1, min(position), max(position), 'skipped', detail FROM ( \
             SELECT position, chunk, detail, {ISLAND} AS island FROM ( \
                 SELECT i.position, i.chunk, 'In operation ' || COALESCE(h.operation_id, ( \
                     SELECT c.operation_id FROM operation_chunk c WHERE c.span @> i.dead_letter_id AND c.operation_id <> $1 \
                         AND i.dead_letter_id = ANY(c.dead_letters) ORDER BY c.operation_id DESC LIMIT 1))::text AS detail \
                 FROM operation_item i LEFT JOIN operation_claim h ON h.dead_letter_id = i.dead_letter_id \
                 WHERE i.operation_id = $1 AND i.outcome IS NULL AND h.operation_id IS DISTINCT FROM $1) held) held \
         GROUP BY chunk, detail, island"
    );
    sqlx::query(&query).bind(id).execute(&mut **transaction).await?;
    Ok(())
}
