//! Watermill's poison queue: the message is published to a topic of its own, with the reason in headers. The topic that it
//! came from stands for the queue, which Watermill may have given another name.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const TOPIC: &str = "topic_poisoned";
const HEADERS: [&str; 4] = [TOPIC, "reason_poisoned", "handler_poisoned", "subscriber_poisoned"];

pub(super) struct Watermill;

impl Convention for Watermill {
    fn name(&self) -> &'static str {
        "watermill"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has("reason_poisoned") && !reader.has(TOPIC) {
            return None;
        }
        read.came_from(Origin { queue: reader.filled(TOPIC), ..Origin::default() });
        read.failure.error_message = reader.error_text("reason_poisoned");
        read.message_id = reader.filled("_watermill_message_uuid");
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        reader::is_one_of(name, &HEADERS)
    }
}
