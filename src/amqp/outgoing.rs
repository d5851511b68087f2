//! A message to publish, and what the broker did with it.

use crate::domain::message::Properties;

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The exchange; empty for the default exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The one queue that the exchange leads to, where it is a lane of ours.
    pub lane: Option<String>,
    /// Properties and headers.
    pub properties: Properties,
    /// The body.
    pub body: Vec<u8>,
}

/// What the broker did with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in every queue that it was routed to, and in at least one.
    Confirmed,
    /// It is in no queue on our account, for this reason.
    Refused(Refusal),
    /// Nobody knows, for this reason.
    Unknown(String),
}

/// Why a message was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In one of a few words, for metrics.
    pub kind: &'static str,
    /// In the broker's words, where it has some.
    pub detail: String,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}
