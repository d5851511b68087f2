//! Operations: a request freezes a selection, and workers carry it out chunk by chunk: they publish or delete, and record.
//!
//! [`mod@request`] makes an operation; [`mod@worker`] takes chunks of whatever operation has waited longest; [`mod@redeliver`]
//! publishes the messages of one. [`mod@returns`] links messages that died again.

mod backpressure;
mod chunk_result;
mod hazards;
mod outcome_cache;
mod plan;
mod preview;
mod publishers;
mod redeliver;
mod request;
mod returns;
mod targets;
mod warning;
mod worker;

pub use plan::{Planned, PlannedGroup};
pub use preview::{Head, Sample};
pub use request::{Operations, Requested};
pub use returns::link_returns;
pub use warning::{Severity, Warning};
pub use worker::{Worker, work};
