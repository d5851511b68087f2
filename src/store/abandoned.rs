//! Connections whose client went silent in the middle of a statement.
//!
//! The server ends statements that take too long, and transactions that are idle between two statements. It does neither while a
//! statement waits for data from its client, as `COPY` does. A client that lost power or its network leaves the transaction open
//! for as long as the kernel keeps the connection. Its rows block other replicas that receive the same messages.

use super::{BATCH_STATEMENT, Store, StoreError};

impl Store {
    /// Ends the connections, of any replica, that have waited for their client for longer than a statement of a batch may take.
    /// Returns how many.
    pub async fn end_abandoned(&self) -> Result<usize, StoreError> {
        let ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND usename = current_user \
             AND application_name = current_setting('application_name') \
             AND state = 'active' AND wait_event = 'ClientRead' AND query_start < now() - $1::interval",
        )
        .bind(BATCH_STATEMENT)
        .fetch_all(&self.operations)
        .await?;
        Ok(ended.into_iter().filter(|ended| *ended).count())
    }
}
