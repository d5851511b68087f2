//! CAP (.NET): its messages say group (the queue) and name (the routing key), and what was thrown.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const EXCEPTION: &str = "cap-exception";

pub(super) struct Cap;

impl Convention for Cap {
    fn name(&self) -> &'static str {
        "cap"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has("cap-msg-id") && !reader.has(EXCEPTION) {
            return None;
        }
        read.came_from(Origin {
            queue: reader.filled("cap-msg-group"),
            exchange: None,
            routing_key: reader.filled("cap-msg-name"),
        });
        if let Some(exception) = reader.header(EXCEPTION) {
            let (kind, text) = exception.split_once("-->").unwrap_or(("", &exception));
            read.failure.error_type = (!kind.is_empty()).then(|| reader::name(kind));
            read.failure.error_message = Some(reader::error_text(text));
        }
        read.message_id = reader.filled("cap-msg-id");
        read.correlation_id = reader.filled("cap-corr-id");
        read.message_type = reader.filled("cap-msg-type");
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        name == EXCEPTION.as_bytes()
    }
}
