//! `COPY … (FORMAT binary)`: the fastest way in, as the database parses nothing.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::dead_letter::NewDeadLetter;

/// The columns in the order of [`encode`]; `status` takes its default.
pub(super) const STATEMENT: &str = "COPY dead_letter (id, identity, deaths, died_at, redelivery_id, error_group, \
     source, service, origin_queue, origin_exchange, origin_routing_key, reason, message_id, correlation_id, \
     message_type, convention, error_type, error_message, warning, properties, body) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 21;

/// A batch in the binary format of `COPY`.
pub fn encode(rows: &[NewDeadLetter]) -> Vec<u8> {
    let size = rows.iter().map(|row| row.size() + 512).sum::<usize>();
    let mut out = Writer(Vec::with_capacity(size));
    out.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    out.0.extend_from_slice(&[0; 8]); // no flags, no header extension
    for row in rows {
        out.row(row);
    }
    out.0.extend_from_slice(&(-1_i16).to_be_bytes());
    out.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn row(&mut self, row: &NewDeadLetter) {
        let derived = &row.derived;
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.uuid(Some(row.id));
        self.uuid(row.identity);
        self.bytes(Some(&derived.deaths.to_be_bytes()));
        self.time(derived.died_at);
        self.uuid(derived.redelivery_id);
        self.uuid(derived.error_group);
        self.text(Some(&row.source));
        self.text(Some(&derived.service));
        self.text(derived.origin.queue.as_deref());
        self.text(derived.origin.exchange.as_deref());
        self.text(derived.origin.routing_key.as_deref());
        self.text(derived.reason.as_deref());
        self.text(derived.message_id.as_deref());
        self.text(derived.correlation_id.as_deref());
        self.text(derived.message_type.as_deref());
        self.text(derived.convention.as_deref());
        self.text(derived.error_type.as_deref());
        self.text(derived.error_message.as_deref());
        self.text(row.warning.as_deref());
        self.bytes(Some(&row.properties));
        self.bytes(Some(&row.body));
    }

    fn bytes(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                // A field is at most a body, whose size the broker bounds at 512 MiB.
                let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
                self.0.extend_from_slice(&length.to_be_bytes());
                self.0.extend_from_slice(value);
            }
        }
    }

    fn text(&mut self, value: Option<&str>) {
        self.bytes(value.map(str::as_bytes));
    }

    fn uuid(&mut self, value: Option<Uuid>) {
        self.bytes(value.as_ref().map(|value| value.as_bytes().as_slice()));
    }

    /// Microseconds since 2000, as `PostgreSQL` counts.
    fn time(&mut self, value: Option<DateTime<Utc>>) {
        const YEAR_2000_SECONDS: i64 = 946_684_800;
        let microseconds =
            value.map(|time| (time.timestamp_micros() - YEAR_2000_SECONDS * 1_000_000).to_be_bytes());
        self.bytes(microseconds.as_ref().map(<[u8; 8]>::as_slice));
    }
}
