//! Logs, metrics and traces. None of them ever holds a payload or a secret (rule R14).

mod events;
mod export;
mod metrics;
mod otlp;
mod tracing_setup;

pub use events::{
    BatchStored, ChunkDone, NotificationTried, RequestDone, RequestLimited, RowPoisoned, Tried,
};
pub use export::MetricsExport;
pub use metrics::{
    CatalogState, Metrics, PoolUse, Scraped, SourceLabels, SourceMetrics, SquadBacklog, TellingState, render,
};
pub use tracing_setup::{Telemetry, link_to_message};
