//! Where redelivered messages go, as clients write it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::operation::Target;

/// Where redelivered messages go: `queue`, `exchange`, or an exchange with a routing key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Target)]
pub enum TargetInput {
    /// Back to where each message came from.
    Origin(OriginTarget),
    /// An exchange and a routing key.
    Explicit(ExplicitTarget),
}

/// Back to where each message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OriginTarget {
    /// The queue where each message died. Only the service that failed gets it again.
    Queue,
    /// The exchange that each message was published to, with its routing key. Every bound queue gets it again.
    Exchange,
}

/// An exchange and a routing key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplicitTarget {
    /// The exchange. Empty: the default exchange.
    #[schema(max_length = 255)]
    pub exchange: String,
    /// The routing key. With the default exchange, the name of a queue.
    #[schema(max_length = 255)]
    pub routing_key: String,
}

impl From<TargetInput> for Target {
    fn from(input: TargetInput) -> Self {
        match input {
            TargetInput::Origin(OriginTarget::Queue) => Self::Queue,
            TargetInput::Origin(OriginTarget::Exchange) => Self::Exchange,
            TargetInput::Explicit(ExplicitTarget { exchange, routing_key }) => {
                Self::Explicit { exchange, routing_key }
            }
        }
    }
}

impl From<Target> for TargetInput {
    fn from(target: Target) -> Self {
        match target {
            Target::Queue => Self::Origin(OriginTarget::Queue),
            Target::Exchange => Self::Origin(OriginTarget::Exchange),
            Target::Explicit { exchange, routing_key } => {
                Self::Explicit(ExplicitTarget { exchange, routing_key })
            }
        }
    }
}
