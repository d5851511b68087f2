//! What the first messages of a request would be.

use uuid::Uuid;

use super::Operations;
use super::redeliver::Road;
use crate::amqp::codec;
use crate::clock;
use crate::domain::convention::Conventions;
use crate::domain::message::{Message, Properties};
use crate::domain::operation::NewOperation;
use crate::domain::redelivery::{COPY_ID, REDELIVERY_ID};
use crate::store::StoreError;

/// So many are shown.
const SAMPLES: i64 = 10;

/// A message before and after.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The dead letter.
    pub dead_letter: Uuid,
    /// As it is stored.
    pub before: Message,
    /// As it would go out, but for the id that it would bear; or why it would not.
    pub after: Result<Message, String>,
}

impl Operations {
    /// The first messages of the selection by its order, and how many it has. Nothing is done, and nothing kept.
    pub async fn preview(
        &self,
        conventions: &Conventions,
        new: &NewOperation,
    ) -> Result<(i64, Vec<Sample>), StoreError> {
        let (total, letters) = self.store.preview(new, clock::now(), SAMPLES).await?;
        let options = &new.options;
        let road = Road {
            conventions,
            operation: Uuid::nil(),
            target: &options.target,
            edit: options.edit.as_ref(),
            copy: options.copy,
        };
        let samples = letters.into_iter().map(|(id, origin, payload)| {
            let after = road.outgoing(id, &origin, &payload).map_err(|refusal| refusal.detail);
            let after =
                after.map(|outgoing| Message::at_rest(without_id(outgoing.properties), outgoing.body));
            // What cannot be read is not sent either: `after` says so.
            let properties = codec::decode(&payload.properties).unwrap_or_default();
            Sample { dead_letter: id, before: Message::at_rest(properties, payload.body), after }
        });
        Ok((total, samples.collect()))
    }
}

/// Only an operation that exists has ids for its messages.
fn without_id(mut properties: Properties) -> Properties {
    if let Some(headers) = &mut properties.headers {
        headers.0.retain(|(name, _)| name != REDELIVERY_ID.as_bytes() && name != COPY_ID.as_bytes());
    }
    properties
}
