//! The only lapin: connections, the transport under it, sources to consume, and the confirmed publisher.
//!
//! lapin's automatic recovery stays off. It leaves a consumer silent after a channel error, and acknowledges old delivery
//! tags on new channels; the loops that own a [`Source`] or a [`Publisher`] drop everything and begin anew instead.

mod brokers;
mod connection;
mod error;
mod examination;
mod inspect;
mod lane;
mod loss_risks;
mod outgoing;
mod publisher;
mod received;
mod returned;
mod settings;
mod source;
pub mod transport;
mod version;
#[cfg(test)]
mod wire_tests;

pub use brokers::Brokers;
pub use connection::Broker;
pub use error::AmqpError;
pub use examination::{Examined, SourceState, examine};
pub use inspect::{QueueLimits, QueueState, inspect};
pub use lane::lane_to;
pub use loss_risks::{LossRisk, MANY_DELIVERIES};
pub use outgoing::{Outgoing, Receipt, Refusal};
pub use publisher::Publisher;
pub use received::Received;
pub use settings::QueueKind;
pub use source::{Arrival, QueueProbe, Source, SourceQueue};
