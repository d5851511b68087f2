//! The road in: a source's messages are decoded, gathered into batches, stored, and only then acknowledged.
//!
//! [`supervisor`] keeps a source consumed, whatever fails; [`pump`] moves its messages; [`mod@decode`] reads one, with the care that
//! [`crash_guard`] finds it needs; [`batch`] gathers them; [`writer`] stores a batch; [`ledger`] knows which tags may be acknowledged.

mod batch;
mod crash_guard;
mod decode;
mod ledger;
mod prefetch;
mod pump;
mod status;
mod supervisor;
mod writer;

use std::sync::Arc;

use crate::amqp::{Broker, SourceQueue};
use crate::config::IngestConfig;
use crate::domain::convention::Conventions;
use crate::domain::service::ServiceRule;
use crate::store::{ConsumerSession, Store};
use crate::telemetry::SourceMetrics;

pub use decode::{Decoder, decode};
pub use ledger::AckLedger;
pub use status::{SourceState, SourceStatus};
pub use supervisor::supervise;

/// What ingest of one source works with.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The broker.
    pub broker: Broker,
    /// The source.
    pub source: SourceQueue,
    /// The database.
    pub store: Store,
    /// From queue to service.
    pub service_rule: ServiceRule,
    /// How libraries tell of failures.
    pub conventions: Conventions,
    /// Who consumes it, for others to know of if that dies.
    pub session: ConsumerSession,
    /// Settings.
    pub config: IngestConfig,
    /// Its metrics.
    pub metrics: SourceMetrics,
    /// What it is doing, for readiness.
    pub status: Arc<SourceStatus>,
}
