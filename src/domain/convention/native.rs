//! The native convention: `RabbitMQ`'s `x-death`, and plain headers for what the broker cannot know.
//!
//! A consumer that rejects a message cannot say why. One that wants to publishes the failed message to the dead-letter
//! exchange itself, with these headers added (long strings), and acknowledges the original once that is confirmed:
//!
//! | header | what |
//! |---|---|
//! | `dead-letter-error-type` | the error's type |
//! | `dead-letter-error-message` | its text |
//! | `dead-letter-error-stack` | its stack trace |
//! | `dead-letter-origin-queue`, `-exchange`, `-routing-key` | where it failed, where `x-death` cannot tell |
//! | `dead-letter-failed-at` | when, RFC 3339 |

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

/// The headers of this convention.
pub const HEADERS: [&str; 7] = [
    "dead-letter-error-message",
    "dead-letter-error-type",
    "dead-letter-error-stack",
    "dead-letter-origin-queue",
    "dead-letter-origin-exchange",
    "dead-letter-origin-routing-key",
    "dead-letter-failed-at",
];

pub(super) struct Native;

impl Convention for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        let origin = Origin {
            queue: reader.name("dead-letter-origin-queue"),
            exchange: reader.name("dead-letter-origin-exchange"),
            routing_key: reader.name("dead-letter-origin-routing-key"),
        };
        read.came_from(origin);
        read.failure.error_type = reader.name("dead-letter-error-type");
        read.failure.error_message = reader.error_text("dead-letter-error-message");
        read.failure.error_stack = reader.stack("dead-letter-error-stack");
        read.failed_at(reader.parsed("dead-letter-failed-at", reader::rfc3339));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        reader::is_one_of(name, &HEADERS)
    }
}
