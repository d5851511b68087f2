//! What the first messages of a request would be.

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Operations;
use super::redeliver::{Redelivery, edited};
use crate::amqp::{Outgoing, Refusal};
use crate::domain::convention::{Conventions, Origin};
use crate::domain::headers::{COPY_ID, REDELIVERY_ID};
use crate::domain::message::{Message, Properties};
use crate::domain::operation::{NewOperation, Options};
use crate::domain::patch;
use crate::domain::wire;
use crate::store::{MAX_PREVIEWED, Previewed, StoreError};
use crate::{clock, memory_budget};

/// So many are shown.
const SAMPLES: i64 = 10;
/// So much is kept of a body: enough for what is shown of it, also where it is compressed.
const HEAD: usize = 128 << 10;
/// What a preview holds in the meantime: the bodies as they were stored, one as it is changed, and the heads.
const ROOM: usize = MAX_PREVIEWED as usize + 4 * patch::MAX_BYTES + (4 << 20);

/// A message before and after.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The dead letter.
    pub dead_letter: Uuid,
    /// Where it died, and what it was published with.
    pub origin: Origin,
    /// As it is stored.
    pub before: Head,
    /// As it would go out, but for the id that it would bear; or why it would not.
    pub after: Result<Head, String>,
}

/// A message; of a large body the head only.
#[derive(Clone, Debug)]
pub struct Head {
    /// The message.
    pub message: Message,
    /// How long the body is.
    pub size: usize,
}

impl Head {
    fn of(mut message: Message) -> Self {
        let size = message.body.len();
        message.body.truncate(HEAD);
        message.body.shrink_to_fit();
        Self { message, size }
    }
}

impl Operations {
    /// The first messages of the selection by its order, and how many it has. Nothing is done, and nothing kept.
    pub async fn preview(&self, new: &NewOperation) -> Result<(i64, Vec<Sample>), StoreError> {
        let _reserved = memory_budget::reserve(ROOM).await;
        let (total, letters) = self.store.preview(new, clock::now(), SAMPLES).await?;
        let (conventions, options) = (self.conventions.clone(), new.options.clone());
        let samples = spawn_blocking(move || {
            letters.into_iter().map(|letter| sample(&conventions, &options, letter)).collect()
        });
        let samples = samples.await.map_err(|error| StoreError::Inconsistent(error.to_string()))?;
        Ok((total, samples))
    }
}

fn sample(conventions: &Conventions, options: &Options, letter: Previewed) -> Sample {
    let Previewed { id, provenance, payload, size } = letter;
    let redelivery = Redelivery {
        conventions,
        target: &options.target,
        copy: options.copy,
        routing_key: options.routing_key,
    };
    // What cannot be read is not sent either: `after` says so.
    let properties = wire::decode(&payload.properties).unwrap_or_default();
    let head = payload.body[..payload.body.len().min(HEAD)].to_vec();
    let before = Head { message: Message::at_rest(properties, head), size };
    let after = if payload.body.len() == size {
        redelivery.outgoing(Uuid::nil(), &provenance, payload).and_then(|mut outgoing| {
            if let Some(edit) = &options.edit {
                edited(edit, &mut outgoing)?;
            }
            let Outgoing { exchange, routing_key, properties, body, .. } = outgoing;
            Ok(Head::of(Message { exchange, routing_key, properties: without_id(properties), body }))
        })
    } else {
        let most = MAX_PREVIEWED >> 20;
        Err(Refusal::new("preview", format!("it is not known here: the body is larger than {most} MiB")))
    };
    Sample {
        dead_letter: id,
        origin: provenance.origin,
        before,
        after: after.map_err(|refusal| refusal.detail),
    }
}

/// Only an operation that exists has ids for its messages.
fn without_id(mut properties: Properties) -> Properties {
    if let Some(headers) = &mut properties.headers {
        headers.0.retain(|(name, _)| name != REDELIVERY_ID.as_bytes() && name != COPY_ID.as_bytes());
    }
    properties
}
