//! Previews the first messages of a request.

use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Operations;
use super::redeliver::{Redelivery, apply_edit};
use crate::amqp::{Outgoing, Refusal};
use crate::domain::convention::{Conventions, Origin};
use crate::domain::headers::{COPY_ID, REDELIVERY_ID};
use crate::domain::message::{Message, Properties};
use crate::domain::operation::{NewOperation, Options};
use crate::domain::patch;
use crate::domain::wire;
use crate::store::{MAX_PREVIEWED, Previewed, StoreError};
use crate::{clock, memory_budget};

/// Number of samples.
const SAMPLES: i64 = 10;
/// Bytes of a body that are kept: enough for what is shown of it, even if it is compressed.
const HEAD: usize = 128 << 10;
/// Memory of a preview in bytes: the stored bodies, one that is being edited, and the heads.
const MEMORY: usize = MAX_PREVIEWED as usize + 4 * patch::MAX_BYTES + (4 << 20);

/// A message before and after the operation.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The dead letter.
    pub dead_letter: Uuid,
    /// Where it died, and how it was published.
    pub origin: Origin,
    /// The stored message.
    pub before: Head,
    /// The message that would be published, without its redelivery id; or why it would be refused.
    pub after: Result<Head, String>,
}

/// A message with the head of its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// The message.
    pub message: Message,
    /// Length of the whole body in bytes.
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
    /// The first messages of the selection, and how many there are in all. Changes nothing.
    pub async fn preview(&self, new: &NewOperation) -> Result<(i64, Vec<Sample>), StoreError> {
        let _reserved = memory_budget::reserve(MEMORY).await;
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
    // Unreadable properties are refused: `after` says so.
    let properties = wire::decode(&payload.properties).unwrap_or_default();
    let head = payload.body[..payload.body.len().min(HEAD)].to_vec();
    let before = Head { message: Message::at_rest(properties, head), size };
    let after = if payload.body.len() == size {
        redelivery.outgoing(Uuid::nil(), &provenance, payload).and_then(|mut outgoing| {
            if let Some(edit) = &options.edit {
                apply_edit(edit, &mut outgoing)?;
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

/// Redelivery ids belong to an operation, and there is none.
fn without_id(mut properties: Properties) -> Properties {
    if let Some(headers) = &mut properties.headers {
        headers.0.retain(|(name, _)| name != REDELIVERY_ID.as_bytes() && name != COPY_ID.as_bytes());
    }
    properties
}
