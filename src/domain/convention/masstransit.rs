//! `MassTransit`: a copy of the message in `<queue>_error` (a fault) or `<queue>_skipped` (no consumer for it), the failure in
//! headers `MT-*`. Its texts are cut at 2,048 characters.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

const PREFIXES: [&[u8]; 4] = [b"MT-Fault-", b"MT-Reason", b"MT-Host-", b"MT-Redelivery-Count"];

pub(super) struct MassTransit;

impl Convention for MassTransit {
    fn name(&self) -> &'static str {
        "masstransit"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        if !["MT-Reason", "MT-Fault-ExceptionType", "MT-Fault-InputAddress"]
            .iter()
            .any(|name| reader.has(name))
        {
            return None;
        }
        let reason = reader.filled("MT-Reason");
        let address = reader.parsed("MT-Fault-InputAddress", reader::queue_of_address);
        if address.is_none() {
            let by_source = ["_error", "_skipped"].iter().find_map(|end| reader.source.strip_suffix(end));
            read.lies_beside(by_source.map(str::to_owned));
        }
        read.came_from(Origin { queue: address, ..Origin::default() });
        read.failure.error_type = reader.filled("MT-Fault-ExceptionType");
        read.failure.error_message = reader.error_text("MT-Fault-Message");
        read.failure.error_stack = reader.stack("MT-Fault-StackTrace");
        if reason.as_deref() == Some("dead-letter") {
            read.failure.error_message.get_or_insert_with(|| "no consumer took this type of message".into());
        }
        read.failed_at(reader.parsed("MT-Fault-Timestamp", reader::rfc3339));
        let retries = reader.number("MT-Fault-RetryCount").unwrap_or(0);
        read.deaths = read.deaths.max(retries.saturating_add(1));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    }
}
