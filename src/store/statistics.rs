//! Statistics of the tables that grow, for the planner.
//!
//! The database looks once a minute which tables have changed. In that minute a day's partition may grow from nothing to a
//! million rows, of which the planner believes that they are nearly none, or all alike. So a table is analysed here whenever it
//! has doubled.

use sqlx::Executor;

use super::partitions::PARTITIONED;
use super::{Store, StoreError};

/// Changes of which the planner may know nothing: so few rows are read in a moment, however they are read.
const WORTH_IT: i64 = 1_000;

impl Store {
    /// Analyses what has doubled since it was last analysed. Returns how many tables that are.
    pub async fn analyze_what_has_grown(&self) -> Result<usize, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_our_turn: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('dead-letter statistics', 0))",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !is_our_turn {
            return Ok(0);
        }
        let grown: Vec<String> = sqlx::query_scalar(
            "SELECT c.oid::regclass::text FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid \
             WHERE (c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY($1::regclass[])) \
                 OR c.oid = ANY($2::regclass[])) \
             AND s.n_mod_since_analyze > GREATEST($3, c.reltuples)",
        )
        .bind(PARTITIONED.as_slice())
        .bind(["operation_claim", "operation_chunk", "operation_run"].as_slice())
        .bind(WORTH_IT)
        .fetch_all(&mut *transaction)
        .await?;
        if !grown.is_empty() {
            // A sample of a tenth is enough for what doubles, and is read in a moment.
            let analysing = format!(
                "SET LOCAL default_statistics_target = 10; SET LOCAL lock_timeout = '1s'; ANALYZE {}",
                grown.join(", ")
            );
            transaction.execute(analysing.as_str()).await?;
        }
        transaction.commit().await?;
        Ok(grown.len())
    }
}
