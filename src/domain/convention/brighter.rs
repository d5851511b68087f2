//! Brighter (.NET): it rejects, and counts how often a message was handled in a header, by which it gives up.

use super::reader::Reader;
use super::{Convention, Origin, Recognised};

const HANDLED: &str = "HandledCount";

pub(super) struct Brighter;

impl Convention for Brighter {
    fn name(&self) -> &'static str {
        "brighter"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        (reader.has(HANDLED) && reader.has("MessageType")).then_some(())?;
        if read.origin.routing_key.is_none() {
            read.came_from(Origin { routing_key: reader.filled("Topic"), ..Origin::default() });
        }
        read.deaths = read.deaths.max(reader.number(HANDLED).unwrap_or(0));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        name == HANDLED.as_bytes()
    }
}
