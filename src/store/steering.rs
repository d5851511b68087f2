//! Steers running operations (rule R13: who did what).

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{Store, StoreError, audit};
use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::operation::{OperationEvent, Steering};

/// The longest record that is shown.
const MAX_EVENTS: i64 = 200;

impl Store {
    /// Steers the operation, if it is in a state that allows it; whether it was.
    pub async fn steer(
        &self,
        id: Uuid,
        steering: Steering,
        done_by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let change = match steering {
            // A paused operation waits for the user.
            Steering::Pause => {
                "state = 'paused', last_error = CASE WHEN last_error = waits_for THEN NULL ELSE last_error END"
            }
            // The user who resumes it has seen the verdict of the canary.
            Steering::Resume => {
                "state = CASE WHEN started_at IS NULL THEN 'pending' ELSE 'running' END, last_error = NULL, \
                 canary_passed = CASE WHEN state = 'paused' THEN COALESCE((SELECT max(step) FROM UNNEST(canary_steps) AS s (step) \
                     WHERE step <= sent + returned + refused), 0) ELSE canary_passed END"
            }
            Steering::Approve => "state = 'pending', awaits_approval = false",
            Steering::Cancel => "state = 'cancelling', last_error = NULL, awaits_approval = false",
            Steering::Rate(_) => "rate = $4",
        };
        // What workers died with is tried anew.
        let tried_anew = match steering {
            Steering::Resume => {
                ", tried_anew AS (DELETE FROM operation_begin b USING steered s WHERE b.operation_id = s.id)"
            }
            _ => "",
        };
        let rate = match steering {
            Steering::Rate(rate) => rate.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)),
            _ => None,
        };
        let states: Vec<_> = steering.allowed_in().iter().map(|state| state.as_str()).collect();
        let statement = format!(
            "WITH steered AS ( \
                 UPDATE operation SET {change}, next_chunk_at = LEAST(next_chunk_at, $3) \
                 WHERE id = $1 AND state = ANY($2) RETURNING id){tried_anew} \
             INSERT INTO operation_event (id, operation_id, action, detail, done_by) \
             SELECT $5, id, $6, $4::integer::text, $7 FROM steered \
             RETURNING (SELECT COALESCE(services, '{{}}') FROM operation WHERE id = operation_id)"
        );
        let mut transaction = self.http.begin().await?;
        let services = sqlx::query_scalar(&statement)
            .bind(id)
            .bind(states)
            .bind(now)
            .bind(rate)
            .bind(clock::new_id())
            .bind(steering.as_str())
            .bind(&done_by.name)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(services) = services else { return Ok(false) };
        let (action, details) = match steering {
            Steering::Pause => (Action::Pause, json!({})),
            Steering::Resume => (Action::Resume, json!({})),
            Steering::Approve => (Action::Approve, json!({})),
            Steering::Cancel => (Action::Cancel, json!({})),
            Steering::Rate(rate) => (Action::Rate, json!({ "rate": rate })),
        };
        let entry = Entry {
            services,
            operation: Some(id),
            details,
            ..Entry::new(clock::new_id(), done_by.clone(), action)
        };
        audit::append(&mut transaction, &entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What was done to the operation, first one first.
    pub async fn operation_events(&self, id: Uuid) -> Result<Vec<OperationEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, action, detail, done_by FROM operation_event WHERE operation_id = $1 ORDER BY id LIMIT $2",
        )
        .bind(id)
        .bind(MAX_EVENTS)
        .fetch_all(&self.http)
        .await?;
        rows.iter().map(event).collect()
    }
}

pub(super) fn event(row: &PgRow) -> Result<OperationEvent, StoreError> {
    Ok(OperationEvent {
        id: row.try_get("id")?,
        action: row.try_get("action")?,
        detail: row.try_get("detail")?,
        done_by: row.try_get("done_by")?,
    })
}
