//! What a consumer that speaks AMQP 1.0 says as it rejects a message: the annotations of its `modified` outcome, which
//! `RabbitMQ` 4 adds to the message, and shows as headers to whoever consumes it by AMQP 0-9-1. So they may come with each
//! convention, and say why where it does not.

use super::Recognised;
use super::reader::{self, Reader};

const REASON: &str = "x-opt-dead-letter-reason";
const CATEGORY: &str = "x-opt-dead-letter-category";

/// Adds what the convention has not told.
pub(super) fn read(reader: &mut Reader<'_>, read: &mut Recognised) {
    let failure = &mut read.failure;
    if failure.error_message.is_none() {
        failure.error_message = reader.error_text(REASON);
    }
    if failure.error_type.is_none() {
        failure.error_type = reader.filled(CATEGORY);
    }
}

/// Whether the header tells of the failure only.
pub(super) fn is_failure_header(name: &[u8]) -> bool {
    reader::is_one_of(name, &[REASON, CATEGORY])
}
