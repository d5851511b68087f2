//! The only SQL: dead letters, their counters, and operations, in `PostgreSQL`.
//!
//! Ingest, HTTP, operations and health have a pool of connections each, so that none starves another, and every statement has
//! a timeout. sqlx's types stop here.

use std::time::Duration;

use tokio::time::timeout;

use known_groups::KnownGroups;
use pool::{Pool, Setting};
use scan_limiter::ScanLimiter;
use schema::KnownSchema;
use served_places::KnownHome;

use crate::telemetry::PoolUse;
use crate::tls::Tls;

mod abandoned;
mod attempts;
mod audit;
mod backlog;
mod batch;
mod bounds;
mod catalog;
mod chunk;
mod columns;
mod copy;
mod counters;
mod dead_letters;
mod deployments;
mod error;
mod error_groups;
mod examination;
mod filter_sql;
mod find;
mod freeze;
mod gate;
mod heartbeat;
mod histogram;
mod ids;
mod incident_watch;
mod incidents;
mod known_groups;
mod lease;
mod merged;
mod merging;
mod migrations;
mod operations;
mod outbox;
mod overview;
mod partitions;
mod plans;
mod pool;
mod preview;
mod provenance;
mod recheck;
mod returns;
mod roles;
mod sample;
mod scan_limiter;
mod schema;
mod search;
mod search_plan;
mod served_places;
mod sessions;
mod shift_log;
mod statistics;
mod steering;
mod url;

pub use audit::{Sealed, Verified, WantedEntries};
pub use backlog::Backlog;
pub use batch::Stored;
pub use bounds::{Bounds, OverBound};
pub use catalog::CatalogSnapshot;
pub use chunk::{Chunk, ChunkItem, Follower, IDS_IN_A_ROW, Next};
pub use copy::encode as copy_data;
pub use dead_letters::{Death, History, HistoryOperation};
pub use deployments::{Told, WantedDeployments};
pub use error::StoreError;
pub use error_groups::{GroupPreview, SPARKLINE};
pub use examination::Examined;
pub use freeze::Frozen;
pub use heartbeat::Heartbeat;
pub use histogram::Bucket;
pub use incident_watch::{LaggingSource, SourceReading, WatchedOperation};
pub use incidents::{IncidentTurn, WantedIncidents};
pub use merging::{Done, Regrouped};
pub use migrations::migrator;
pub use operations::WantedOperations;
pub use outbox::{Delivery, DeliveryState, Leased, OutboxState, Recipient};
pub use overview::{DayCount, ServiceCount, Trend};
pub use plans::{Plan, QueueCount, Summary};
pub use preview::{MAX_BYTES as MAX_PREVIEWED, Previewed};
pub use sample::{Choice, Sampled};
pub use schema::{LOCKED_RETRY, Schema};
pub use search::{Edge, Page, Total};
pub use served_places::ServedPlaces;
pub use sessions::{ConsumerSession, Peers};
pub use shift_log::{Shift, ShiftCounts};

/// Longest wait of a request for a connection, before it is answered with 503.
const ACQUIRE_FOR_HTTP: Duration = Duration::from_secs(1);

/// Connections that are reserved for health and metrics, so that slow searches that occupy all others do not make the database
/// look down.
const HEALTH_CONNECTIONS: u32 = 2;

/// Longest statement of a batch.
const BATCH_STATEMENT: &str = "30s";

const EVERYWHERE: [Setting; 2] = [
    ("timezone", "UTC"),
    // Statements are short: compiling one takes longer than running it.
    ("jit", "off"),
];
// A transaction of a batch is never idle. If it is, it was abandoned, and its rows block the next attempt.
const FOR_BATCHES: [Setting; 2] =
    [("statement_timeout", BATCH_STATEMENT), ("idle_in_transaction_session_timeout", "10s")];
// Planning for many partitions takes longer than reading a page, so each statement is planned once.
const FOR_PAGES: [Setting; 5] = [
    ("statement_timeout", "5s"),
    // A caller gets an error if a table is locked.
    ("lock_timeout", "1s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("plan_cache_mode", "force_generic_plan"),
    // Ingest needs the other processors.
    ("max_parallel_workers_per_gather", "0"),
];
const FOR_OPERATIONS: [Setting; 2] =
    [("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "45s")];

/// Sizes of the pools, and the timeout of answers.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// For ingest: one per batch in flight.
    pub ingest: u32,
    /// For HTTP requests.
    pub http: u32,
    /// Largest number of concurrent scans among these.
    pub scans: usize,
    /// For operations: three per worker (the chunk that is published, the previous or next one, and the attempt), and one for
    /// each selection that is being frozen.
    pub operations: u32,
    /// Close a connection that has not answered for this long: the server hangs, or the network failed silently. Must be longer
    /// than any statement may take. `None` waits forever.
    pub answer_timeout: Option<Duration>,
}

/// For a command that runs one statement at a time.
impl Default for PoolSettings {
    fn default() -> Self {
        Self { ingest: 1, http: 1, scans: 1, operations: 1, answer_timeout: None }
    }
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    ingest: Pool,
    http: Pool,
    operations: Pool,
    health: Pool,
    scans: ScanLimiter,
    known_groups: KnownGroups,
    schema: KnownSchema,
    home: KnownHome,
}

impl Store {
    /// Prepares the pools. Connects on first use. Fails only if the URL is invalid.
    pub fn new(url: &str, settings: PoolSettings) -> Result<Self, StoreError> {
        Self::secured(url, settings, &Tls::default())
    }

    /// The same with connections as these settings say (R18).
    pub fn secured(url: &str, settings: PoolSettings, tls: &Tls) -> Result<Self, StoreError> {
        let options = url::secured(url, tls)?.application_name("dead-letter");
        let pooler = pool::is_pooler(url);
        let pool = |size, acquire, session: &[Setting]| {
            let session = [&EVERYWHERE, session].concat();
            Pool::new(&options, pooler, size, acquire, settings.answer_timeout, &session)
        };
        let http = pool(settings.http, ACQUIRE_FOR_HTTP, &FOR_PAGES);
        let health = pool(HEALTH_CONNECTIONS, ACQUIRE_FOR_HTTP, &FOR_PAGES);
        Ok(Self {
            scans: ScanLimiter::new(settings.scans, http.clone(), health.clone()),
            ingest: pool(settings.ingest, Duration::from_secs(5), &FOR_BATCHES),
            http,
            operations: pool(settings.operations, ACQUIRE_FOR_HTTP, &FOR_OPERATIONS),
            health,
            known_groups: KnownGroups::default(),
            schema: KnownSchema::default(),
            home: KnownHome::default(),
        })
    }

    /// Whether the database answers in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let asking = async { Ok(sqlx::query("SELECT 1").execute(&self.health).await?) };
        let answer: Result<_, StoreError> =
            timeout(ACQUIRE_FOR_HTTP, asking).await.unwrap_or(Err(StoreError::Slow));
        answer.map(drop)
    }

    /// Use of the pools.
    pub fn pool_use(&self) -> [PoolUse; 3] {
        [("ingest", &self.ingest), ("http", &self.http), ("operations", &self.operations)].map(
            |(name, pool)| {
                let (size, idle) = pool.size();
                PoolUse { name, size, idle }
            },
        )
    }

    /// Closes every connection when it is no longer used.
    pub async fn close(&self) {
        tokio::join!(self.ingest.close(), self.http.close(), self.operations.close(), self.health.close());
    }
}
