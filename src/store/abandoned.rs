//! Connections whose client went silent in the middle of a statement.
//!
//! The server ends a statement that takes too long, and a transaction whose client pauses between two statements. It does neither
//! where a statement waits for the rest of what its client sends, as `COPY` does: a client that lost power, or whose connection
//! is cut without a word, leaves a transaction open for as long as the kernel believes in the connection. Its rows are in the way
//! of whoever receives the same messages.

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
