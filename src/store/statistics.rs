//! Statistics of the tables that grow, for the planner.
//!
//! The database looks once a minute which tables have changed. In that minute a day's partition may grow from nothing to a
//! million rows, of which the planner believes that they are nearly none, or all alike. So a table is analysed here whenever it
//! has doubled.

use super::{Store, StoreError};

/// Changes of which the planner may know nothing: so few rows are read in a moment, however they are read.
const WORTH_IT: i64 = 1_000;

impl Store {
    /// Analyses what has doubled since it was last analysed. Returns how many tables that are.
    pub async fn analyze_what_has_grown(&self) -> Result<i64, StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_our_turn: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('dead-letter statistics', 0))",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !is_our_turn {
            return Ok(0);
        }
        sqlx::query("SET LOCAL lock_timeout = '1s'").execute(&mut *transaction).await?;
        let grown: i64 = sqlx::query_scalar("SELECT dead_letter_analyze_grown($1)")
            .bind(WORTH_IT)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(grown)
    }
}
