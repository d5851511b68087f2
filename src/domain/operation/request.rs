//! A request for an operation: the selection and the options.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Kind, RoutingKey, Sequence};
use crate::domain::audit::Actor;
use crate::domain::canary::Canary;
use crate::domain::dead_letter::Status;
use crate::domain::edit::Edit;
use crate::domain::filter::Filter;

/// Where redelivered messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// To the queue that each died in, through the default exchange.
    #[default]
    Queue,
    /// To the exchange that each had been published to, with its routing key: every bound queue gets it again.
    Exchange,
    /// To this exchange with this routing key.
    #[serde(rename_all = "camelCase")]
    Explicit {
        /// The exchange; empty for the default exchange.
        exchange: String,
        /// The routing key; with the default exchange, the name of the queue.
        routing_key: String,
    },
}

/// Which dead letters an operation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// These.
    Ids(Vec<Uuid>),
    /// Those that the filter lists.
    Filter(Box<Filter>),
    /// Those of the plan.
    Plan(Uuid),
    /// Those that this operation deleted.
    DeletedBy(Uuid),
}

/// How an operation is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Where to, for a redelivery.
    pub target: Target,
    /// Limit in messages per second.
    pub rate: Option<u32>,
    /// Limit of the selection.
    pub limit: Option<u64>,
    /// Which ones first.
    pub order: Sequence,
    /// Why, in words.
    pub note: Option<String>,
    /// A few first.
    pub canary: Canary,
    /// It waits while a target queue has more ready messages.
    pub max_queue_depth: Option<i64>,
    /// What is changed in the messages, of a redelivery.
    pub edit: Option<Edit>,
    /// Whether it publishes copies only, and the dead letters stay dead.
    pub copy: bool,
    /// Which routing key messages have at the queue that they died in.
    pub routing_key: RoutingKey,
    /// Whether it sends once more what was redelivered before.
    pub again: bool,
}

/// A request for an operation, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOperation {
    /// What to do.
    pub kind: Kind,
    /// With which dead letters.
    pub selection: Selection,
    /// The selection as requested, for the record (rule R13).
    pub asked: serde_json::Value,
    /// How.
    pub options: Options,
    /// The services whose dead letters the caller may act on. Others are not there for the caller. `None`: all. A filter has its own.
    pub within: Option<Vec<String>>,
    /// With more dead letters than this it waits for a second person to approve it.
    pub approved_above: Option<u64>,
    /// The caller.
    pub requested_by: Actor,
    /// The same request of the same caller with the same key is the same operation.
    pub idempotency_key: Option<String>,
}

impl NewOperation {
    /// The status of what it acts on.
    pub fn acts_on(&self) -> Status {
        if self.options.again { Status::Redelivered } else { self.kind.acts_on() }
    }

    /// Why it does not act on a dead letter of another status.
    pub fn refusal_of(&self, status: Status) -> String {
        let wanted = self.acts_on();
        match (wanted, status) {
            (Status::Redelivered, Status::Dead) => "Not redelivered yet: leave out `again`".into(),
            (Status::Dead, Status::Redelivered) if self.kind == Kind::Redeliver => {
                "Not dead: already redelivered. Add `again: true` to redeliver it once more".into()
            }
            _ => format!("Not {}: already {}", wanted.as_str(), status.as_str()),
        }
    }
}
