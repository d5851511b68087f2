//! Celery: it rejects, and says nothing of why; its headers say which task it was.

use super::reader::Reader;
use super::{Convention, Recognised};

pub(super) struct Celery;

impl Convention for Celery {
    fn name(&self) -> &'static str {
        "celery"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        (reader.has("task") && reader.has("id") && reader.has("root_id")).then_some(())?;
        read.message_type = reader.filled("task");
        read.message_id = reader.filled("id");
        read.deaths = read.deaths.max(reader.number("retries").unwrap_or(0).saturating_add(1));
        Some(())
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }
}
