//! Wolverine with its interop-friendly dead letters: a copy of the message, enriched by headers. Without, it rejects, and the
//! message is a native one.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const HEADERS: [&str; 8] = [
    "exception-type",
    "exception-message",
    "exception-stack",
    "failed-at",
    "original-destination",
    "original-partition",
    "original-offset",
    // Counted by the handler, which gives up by it.
    "attempts",
];

pub(super) struct Wolverine;

impl Convention for Wolverine {
    fn name(&self) -> &'static str {
        "wolverine"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has("exception-type") || !(reader.has("original-destination") || reader.has("failed-at")) {
            return None;
        }
        let queue = reader.parsed("original-destination", reader::queue_of_address);
        read.came_from(Origin { queue, ..Origin::default() });
        read.failure.error_type = reader.filled("exception-type");
        read.failure.error_message = reader.error_text("exception-message");
        read.failure.error_stack = reader.stack("exception-stack");
        let time = reader.number("failed-at").and_then(reader::unix_milliseconds);
        read.failed_at(time);
        read.deaths = read.deaths.max(reader.number("attempts").unwrap_or(0));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        reader::is_one_of(name, &HEADERS)
    }
}
