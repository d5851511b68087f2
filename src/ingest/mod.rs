//! Ingest: messages of a source are decoded, gathered into batches, stored, and only then acknowledged.
//!
//! [`supervisor`] keeps a source consumed, whatever fails. [`pump`] moves its messages, in the phases of [`mod@phase`].
//! [`intake`] makes a row of a message: [`crash_guard`] decides how much of it is decoded, and [`mod@decode`] does so. [`batch`]
//! gathers rows, [`writer`] stores a batch, and [`ledger`] knows which tags may be acknowledged. [`depth_monitor`] notices a
//! consumer that the broker has lost.

mod batch;
mod crash_guard;
mod decode;
mod depth_monitor;
mod intake;
mod ledger;
mod phase;
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

/// Everything that the ingest of one source needs.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The broker.
    pub broker: Broker,
    /// The source.
    pub source: SourceQueue,
    /// The database.
    pub store: Store,
    /// Derives the service from the queue.
    pub service_rule: ServiceRule,
    /// Describes failures.
    pub conventions: Conventions,
    /// The session of this process, by which other processes notice a crash.
    pub session: ConsumerSession,
    /// Settings.
    pub config: IngestConfig,
    /// Its metrics.
    pub metrics: SourceMetrics,
    /// Its state, for readiness.
    pub status: Arc<SourceStatus>,
}
