//! Symfony Messenger with its failure transport: the envelope's stamps, each a JSON header named by its class. With the PHP
//! serialiser they are inside the body, and the message is a native one.
//!
//! The stamps name the transport that the message came from, which stands for the queue.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::from_json::Scalar;
use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};
use crate::domain::bounded::{self, Budget};
use crate::domain::message::Message;

const PREFIX: &[u8] = b"X-Message-Stamp-";
const SENT_TO_FAILURE: &str = "\\SentToFailureTransportStamp";
const ERROR_DETAILS: &str = "\\ErrorDetailsStamp";
const REDELIVERY: &str = "\\RedeliveryStamp";

pub(super) struct Symfony;

/// What is read of a stamp, whichever it is.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stamp {
    original_receiver_name: Scalar,
    exception_class: Scalar,
    exception_message: Scalar,
    flatten_exception: Option<Box<RawValue>>,
    redelivered_at: Scalar,
    retry_count: Scalar,
}

/// What is read of an exception.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Flattened {
    trace_as_string: Scalar,
}

/// The last of the stamps of a class: they are in the order in which they were added.
struct Last(Option<Stamp>);

impl<'de> Deserialize<'de> for Last {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stamps;

        impl<'de> Visitor<'de> for Stamps {
            type Value = Last;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("stamps")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut stamps: A) -> Result<Last, A::Error> {
                let mut last = None;
                while let Some(stamp) = stamps.next_element()? {
                    last = Some(stamp);
                }
                Ok(Last(last))
            }
        }

        deserializer.deserialize_seq(Stamps)
    }
}

impl Convention for Symfony {
    fn name(&self) -> &'static str {
        "symfony"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if reader.ending(SENT_TO_FAILURE).is_none() && reader.ending(ERROR_DETAILS).is_none() {
            return None;
        }
        let sent = newest(reader, SENT_TO_FAILURE).unwrap_or_default();
        let queue = name(&sent.original_receiver_name).filter(|name| !name.is_empty());
        read.came_from(Origin { queue, ..Origin::default() });
        let details = newest(reader, ERROR_DETAILS).unwrap_or_default();
        read.failure.error_type = name(&details.exception_class);
        read.failure.error_message = details.exception_message.text().map(reader::error_text);
        let flattened: Option<Flattened> =
            details.flatten_exception.and_then(|json| serde_json::from_str(json.get()).ok());
        read.failure.error_stack =
            flattened.and_then(|exception| exception.trace_as_string.text().map(reader::stack_text));
        let redelivered = newest(reader, REDELIVERY).unwrap_or_default();
        read.failed_at(redelivered.redelivered_at.text().and_then(reader::rfc3339));
        let retries = redelivered.retry_count.whole().unwrap_or(0);
        read.deaths = read.deaths.max(retries.saturating_add(1));
        read.message_type = reader.filled("type");
        Some(())
    }

    fn reads_plain_headers(&self) -> bool {
        false
    }

    fn is_of(&self, message: &Message) -> bool {
        let names = message.properties.headers.iter().flat_map(|headers| &headers.0);
        [SENT_TO_FAILURE, ERROR_DETAILS]
            .iter()
            .any(|end| names.clone().any(|(name, _)| name.ends_with(end.as_bytes())))
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        name.starts_with(PREFIX)
            && [SENT_TO_FAILURE, ERROR_DETAILS, REDELIVERY].iter().any(|end| name.ends_with(end.as_bytes()))
    }
}

fn newest(reader: &mut Reader<'_>, class: &'static str) -> Option<Stamp> {
    let (_, value) = reader.ending(class)?;
    let stamps = value.as_text().and_then(|text| bounded::read::<Last>(text.as_bytes(), Budget::HEADER).ok());
    match stamps {
        Some(Last(stamp)) => stamp,
        None => reader.unreadable(class.trim_start_matches('\\')),
    }
}

fn name(value: &Scalar) -> Option<String> {
    value.text().map(reader::name)
}
