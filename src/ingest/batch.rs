//! Batches: bounded in rows, in bytes, and in the time that the first row waits.

use tokio::time::Instant;

use crate::config::IngestConfig;
use crate::domain::dead_letter::NewDeadLetter;

/// Messages of one channel with consecutive tags.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub rows: Vec<NewDeadLetter>,
    pub bytes: usize,
    /// Tags of the first and the last message.
    pub tags: (u64, u64),
    /// When the first message arrived.
    pub since: Option<Instant>,
}

impl Batch {
    pub fn push(&mut self, tag: u64, row: NewDeadLetter) {
        if self.rows.is_empty() {
            self.tags.0 = tag;
            self.since = Some(Instant::now());
        }
        self.tags.1 = tag;
        self.bytes += row.size();
        self.rows.push(row);
    }

    pub fn is_full(&self, config: &IngestConfig) -> bool {
        self.rows.len() >= config.batch_rows as usize || self.bytes >= config.batch_bytes
    }

    /// When it is to be stored even if it is not full. `None` while it is empty.
    pub fn due(&self, config: &IngestConfig) -> Option<Instant> {
        self.since.map(|since| since + config.batch_linger)
    }
}
