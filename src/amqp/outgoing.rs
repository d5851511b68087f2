//! A message to publish, and what the broker did with it.

use crate::domain::message::Properties;

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The exchange; empty for the default exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The queue, if the exchange is a lane.
    pub lane: Option<String>,
    /// Properties and headers.
    pub properties: Properties,
    /// The body.
    pub body: Vec<u8>,
}

/// The broker's answer for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in every queue that it was routed to, and in at least one.
    Confirmed,
    /// This publish put it in no queue.
    Refused(Refusal),
    /// Unknown, for this reason.
    Unknown(String),
}

/// Why a message was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One of a few words, for metrics.
    pub kind: &'static str,
    /// The broker's words, if it has any.
    pub detail: String,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}
