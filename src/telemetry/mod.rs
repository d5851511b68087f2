//! Logs, metrics and traces. None of them ever holds a payload or a secret (rule R14).

mod events;
mod metrics;
mod tracing_setup;

pub use events::{BatchStored, ChunkDone, RequestDone, RequestLimited, RowPoisoned};
pub use metrics::{CatalogState, Metrics, PoolUse, SourceLabels, SourceMetrics, SquadBacklog};
pub use tracing_setup::{Telemetry, link_to_message};
