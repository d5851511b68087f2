//! What one caller may have at most. It is counted at the end of the transaction that adds to it, under a lock of the caller: requests at
//! the same time cannot slip past it, and wait for each other for two statements only.

use chrono::{DateTime, Utc};

use super::lease::Transaction;
use super::{Store, StoreError};
use crate::domain::audit::Actor;
use crate::domain::limit::Limit;

/// Rows that are removed at once.
const PORTION: i64 = 100_000;

/// What one caller may have at most.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Plans that can still be run.
    pub plans: Limit,
    /// Dead letters in plans that have not expired. A single plan may have any number.
    pub planned: Limit,
    /// Operations that have not ended.
    pub operations: Limit,
}

impl Bounds {
    /// Nothing is bounded.
    pub const OFF: Self = Self { plans: Limit::Off, planned: Limit::Off, operations: Limit::Off };
}

/// What a caller would have too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverBound {
    /// It has so many plans that can still be run. The first of them expires then.
    Plans(i64, DateTime<Utc>),
    /// Its plans would have so many dead letters. The first of them expires then.
    Planned(i64, DateTime<Utc>),
    /// It has so many operations that have not ended.
    Operations(i64),
}

/// Callers without a token are told apart by the name that they are recorded with.
const OF_CALLER: &str = "requested_by_id = $1 AND ($1 <> '' OR requested_by = $2)";

/// Until the transaction ends, nobody else counts what this caller has.
pub(super) async fn lock(transaction: &mut Transaction<'_>, caller: &Actor) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('dead-letter caller ' || $1 || ' ' || $2, 0))",
    )
    .bind(&caller.id)
    .bind(if caller.id.is_empty() { &caller.name } else { "" })
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// An error if the caller has too many plans, counting the one that this transaction has made.
pub(super) async fn check_plans(
    transaction: &mut Transaction<'_>,
    bounds: &Bounds,
    caller: &Actor,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = format!(
        "WITH own AS (SELECT items, expires_at, \
             NOT EXISTS (SELECT FROM operation o WHERE o.id = p.id) AS is_open FROM operation_plan p WHERE {OF_CALLER} AND expires_at > $3) \
         SELECT count(*) FILTER (WHERE is_open), COALESCE(min(expires_at) FILTER (WHERE is_open), $3), \
             count(*) FILTER (WHERE items > 0), COALESCE(sum(items), 0)::bigint, COALESCE(min(expires_at) FILTER (WHERE items > 0), $3) FROM own"
    );
    let (open, first_open, frozen, items, first_frozen): (i64, DateTime<Utc>, i64, i64, DateTime<Utc>) =
        sqlx::query_as(&query)
            .bind(&caller.id)
            .bind(&caller.name)
            .bind(now)
            .fetch_one(&mut **transaction)
            .await?;
    if bounds.plans.is_below(open) {
        return Err(StoreError::OverBound(OverBound::Plans(open - 1, first_open)));
    }
    if frozen > 1 && bounds.planned.is_below(items) {
        return Err(StoreError::OverBound(OverBound::Planned(items, first_frozen)));
    }
    Ok(())
}

/// An error if the caller has too many operations, counting the one that this transaction has made.
pub(super) async fn check_operations(
    transaction: &mut Transaction<'_>,
    bounds: &Bounds,
    caller: &Actor,
) -> Result<(), StoreError> {
    let query = format!(
        "SELECT count(*) FROM operation WHERE {OF_CALLER} AND state NOT IN ('completed', 'cancelled')"
    );
    let live: i64 =
        sqlx::query_scalar(&query).bind(&caller.id).bind(&caller.name).fetch_one(&mut **transaction).await?;
    if bounds.operations.is_below(live) {
        return Err(StoreError::OverBound(OverBound::Operations(live - 1)));
    }
    Ok(())
}

impl Store {
    /// Removes the dead letters of plans that expired before. The plans stay, so that the API can say that they have expired.
    pub async fn forget_planned(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let remove = "DELETE FROM operation_plan_item WHERE ctid = ANY(ARRAY( \
             SELECT i.ctid FROM operation_plan p JOIN operation_plan_item i ON i.plan_id = p.id \
             WHERE p.expires_at < $1 AND p.items > 0 LIMIT $2))";
        loop {
            let removed = sqlx::query(remove).bind(before).bind(PORTION).execute(&self.operations).await?;
            if removed.rows_affected() == 0 {
                break;
            }
        }
        let empty = "UPDATE operation_plan SET items = 0 WHERE expires_at < $1 AND items > 0";
        sqlx::query(empty).bind(before).execute(&self.operations).await?;
        Ok(())
    }
}
