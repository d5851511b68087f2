//! `NServiceBus`: a copy of the message in the error queue, the failure in headers `NServiceBus.*`. What `ServiceControl` takes
//! off when it retries is taken off here.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const PREFIXES: [&[u8]; 5] = [
    b"NServiceBus.Retries",
    b"NServiceBus.FailedQ",
    b"NServiceBus.TimeOfFailure",
    b"NServiceBus.ExceptionInfo.",
    b"ServiceControl.RetryTo",
];

pub(super) struct NServiceBus;

impl Convention for NServiceBus {
    fn name(&self) -> &'static str {
        "nservicebus"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !reader.has("NServiceBus.FailedQ") && !reader.has("NServiceBus.ExceptionInfo.ExceptionType") {
            return None;
        }
        read.came_from(Origin { queue: reader.filled("NServiceBus.FailedQ"), ..Origin::default() });
        read.failure.error_type = reader.filled("NServiceBus.ExceptionInfo.ExceptionType");
        read.failure.error_message = reader.error_text("NServiceBus.ExceptionInfo.Message");
        read.failure.error_stack = reader.stack("NServiceBus.ExceptionInfo.StackTrace");
        read.failed_at(reader.parsed("NServiceBus.TimeOfFailure", time));
        read.message_id = reader.filled("NServiceBus.MessageId");
        read.correlation_id = reader.filled("NServiceBus.CorrelationId");
        read.message_type = reader.filled("NServiceBus.EnclosedMessageTypes").map(|types| short_type(&types));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// `2026-11-23 03:00:00:123456 Z`
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S:%6f Z").ok()?;
    reader::in_our_years(time.and_utc())
}

/// The first of the types, without its assembly: `Shop.OrderPlaced, Shop, Version=1.0.0.0; …`.
fn short_type(types: &str) -> String {
    types.split([';', ',']).next().unwrap_or(types).trim().to_owned()
}
