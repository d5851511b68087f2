//! Symfony Messenger with its failure transport: the envelope's stamps, each a JSON header named by its class. With the PHP
//! serialiser they are inside the body, and the message is a native one.
//!
//! The stamps name the transport that the message came from, which stands for the queue.

use serde_json::Value as Json;

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const PREFIX: &[u8] = b"X-Message-Stamp-";
const SENT_TO_FAILURE: &str = "\\SentToFailureTransportStamp";
const ERROR_DETAILS: &str = "\\ErrorDetailsStamp";
const REDELIVERY: &str = "\\RedeliveryStamp";

pub(super) struct Symfony;

impl Convention for Symfony {
    fn name(&self) -> &'static str {
        "symfony"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if reader.ending(SENT_TO_FAILURE).is_none() && reader.ending(ERROR_DETAILS).is_none() {
            return None;
        }
        let sent = newest(reader, SENT_TO_FAILURE);
        let queue = text(sent.as_ref(), "originalReceiverName").filter(|name| !name.is_empty());
        read.came_from(Origin { queue, ..Origin::default() });
        let details = newest(reader, ERROR_DETAILS);
        read.failure.error_type = text(details.as_ref(), "exceptionClass");
        read.failure.error_message = details
            .as_ref()
            .and_then(|stamp| stamp.get("exceptionMessage")?.as_str())
            .map(reader::error_text);
        read.failure.error_stack = details
            .as_ref()
            .and_then(|stamp| stamp.get("flattenException")?.get("traceAsString")?.as_str())
            .map(reader::stack_text);
        let redelivered = newest(reader, REDELIVERY);
        let time = text(redelivered.as_ref(), "redeliveredAt").and_then(|text| reader::rfc3339(&text));
        read.failed_at(time);
        let retries = redelivered.as_ref().and_then(|stamp| stamp.get("retryCount")?.as_i64()).unwrap_or(0);
        read.deaths = read.deaths.max(retries.saturating_add(1));
        read.message_type = reader.filled("type");
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        name.starts_with(PREFIX)
            && [SENT_TO_FAILURE, ERROR_DETAILS, REDELIVERY].iter().any(|end| name.ends_with(end.as_bytes()))
    }
}

/// The last of the stamps of a class: they are in the order in which they were added.
fn newest(reader: &mut Reader<'_>, class: &'static str) -> Option<Json> {
    let (_, value) = reader.ending(class)?;
    let stamps = value.as_text().and_then(|text| serde_json::from_str::<Vec<Json>>(&text).ok());
    match stamps {
        Some(mut stamps) => stamps.pop(),
        None => reader.unreadable(class.trim_start_matches('\\')),
    }
}

fn text(stamp: Option<&Json>, field: &str) -> Option<String> {
    stamp?.get(field)?.as_str().map(reader::name)
}
