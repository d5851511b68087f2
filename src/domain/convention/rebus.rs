//! Rebus: a copy of the message in the error queue, with where it came from and what was thrown in headers `rbs2-*`.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const SOURCE_QUEUE: &str = "rbs2-source-queue";
const ERROR_DETAILS: &str = "rbs2-error-details";

pub(super) struct Rebus;

impl Convention for Rebus {
    fn name(&self) -> &'static str {
        "rebus"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has(SOURCE_QUEUE) && !reader.has(ERROR_DETAILS) {
            return None;
        }
        read.came_from(Origin { queue: reader.filled(SOURCE_QUEUE), ..Origin::default() });
        if let Some(details) = reader.stack(ERROR_DETAILS) {
            read.failure.error_type = thrown(&details).map(reader::name);
            read.failure.error_message = details.lines().next().map(reader::error_text);
            read.failure.error_stack = Some(details);
        }
        read.message_id = reader.filled("rbs2-msg-id");
        read.correlation_id = reader.filled("rbs2-corr-id");
        read.message_type = reader.filled("rbs2-msg-type");
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        reader::is_one_of(name, &[SOURCE_QUEUE, ERROR_DETAILS])
    }
}

/// The first exception that the details print, one after the other, as `System.TimeoutException: …`.
fn thrown(details: &str) -> Option<&str> {
    details.split(|character: char| character.is_whitespace()).find_map(|word| {
        let kind = word.strip_suffix(':')?;
        (kind.contains('.') && kind.ends_with("Exception")).then_some(kind)
    })
}
