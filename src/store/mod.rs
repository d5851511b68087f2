//! The only SQL: dead letters, their counters, and operations, in `PostgreSQL`.
//!
//! Ingest, HTTP and operations have a pool of connections each, so that none starves another, and every statement has a
//! timeout. sqlx's types stop here.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

mod batch;
mod chunk;
mod copy;
mod counters;
mod dead_letters;
mod error;
mod filter_sql;
mod freeze;
mod operations;
mod overview;
mod partitions;
mod search;
#[cfg(feature = "planted-bugs")]
mod thawed;

pub use batch::Stored;
pub use chunk::{Chunk, ChunkItem};
pub use copy::encode as copy_data;
pub use dead_letters::{Death, History, HistoryOperation};
pub use error::StoreError;
pub use freeze::Frozen;
pub use overview::ServiceCount;
pub use search::{Page, Total};

use crate::planted::{Bug, planted};

/// Longest that a request waits for a connection: the answer is 503 after that.
const ACQUIRE_FOR_HTTP: Duration = Duration::from_millis(1500);

/// How many connections each part may open.
#[derive(Clone, Copy, Debug)]
pub struct PoolSizes {
    /// For ingest: one a batch in flight.
    pub ingest: u32,
    /// For HTTP requests.
    pub http: u32,
    /// For operations: one a worker, and one for each selection that is being frozen.
    pub operations: u32,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    ingest: PgPool,
    http: PgPool,
    operations: PgPool,
}

/// Use of one of the pools.
#[derive(Clone, Copy, Debug)]
pub struct PoolUse {
    /// Whose pool it is.
    pub name: &'static str,
    /// Connections that are open.
    pub size: u32,
    /// Of these, connections that nobody uses.
    pub idle: u32,
}

/// Gives up a connection of this process whose server leaves it without an answer for this long: one that hangs, or whose end
/// the network did not tell. To be longer than any statement may take.
pub fn set_answer_timeout(timeout: Duration) {
    sqlx_core::net::set_answer_timeout(timeout);
}

impl Store {
    /// Prepares the pools; connects when first asked to. Fails only on a URL that is none.
    pub fn new(url: &str, sizes: PoolSizes) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?.application_name("dead-letter").options([
            ("idle_in_transaction_session_timeout", "60s"),
            ("timezone", "UTC"),
            // Every statement here is short: compiling one takes longer than running it.
            ("jit", "off"),
        ]);
        let pool = |options: PgConnectOptions, size: u32, acquire: Duration, statement_timeout: &str| {
            let options = options.options([("statement_timeout", statement_timeout)]);
            PgPoolOptions::new().max_connections(size).acquire_timeout(acquire).connect_lazy_with(options)
        };
        // A batch never pauses in the middle: one that does was given up by us, and its rows are in the way of the next try.
        let batches = options.clone().options([("idle_in_transaction_session_timeout", "10s")]);
        // Pages are read along an index that has their order. Of a partition that is a minute old the planner believes that
        // it is nearly empty, and would read and sort all of it.
        // To plan for many partitions takes longer than to read a page, so it is done once for each statement.
        let pages = options.clone().options([
            ("enable_bitmapscan", "off"),
            ("enable_sort", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ]);
        Ok(Self {
            ingest: pool(batches, sizes.ingest, Duration::from_secs(5), "30s"),
            http: pool(pages, sizes.http, ACQUIRE_FOR_HTTP, "5s"),
            operations: pool(options, sizes.operations, ACQUIRE_FOR_HTTP, "60s"),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.http).await?;
        Ok(())
    }

    /// Brings the schema up to date; of several replicas that start together one does it and the others wait.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        sqlx::migrate!().run(&self.operations).await.map_err(StoreError::from_migration)?;
        if planted(Bug::SeveralOperations) {
            sqlx::query("DROP INDEX IF EXISTS operation_item_live_idx").execute(&self.operations).await?;
        }
        Ok(())
    }

    /// How the pools are used.
    pub fn pool_use(&self) -> [PoolUse; 3] {
        [("ingest", &self.ingest), ("http", &self.http), ("operations", &self.operations)].map(
            |(name, pool)| PoolUse {
                name,
                size: pool.size(),
                idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
            },
        )
    }

    /// Closes every connection once it is no longer used.
    pub async fn close(&self) {
        tokio::join!(self.ingest.close(), self.http.close(), self.operations.close());
    }
}
