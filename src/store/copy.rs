//! `COPY … (FORMAT binary)`: the fastest way in, as the database parses nothing.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::convention::ToldBy;
use crate::domain::dead_letter::NewDeadLetter;

/// The columns in the order of [`encode`]; `status` takes its default.
pub(super) const STATEMENT: &str = "COPY dead_letter (id, identity, deaths, died_at, redelivery_id, error_group, \
     source, service, origin_queue, origin_exchange, origin_routing_key, reason, message_id, correlation_id, \
     message_type, convention, error_type, error_message, warning, error_trigrams, origin_claimed, redeliveries, broker, \
     vhost, properties, body) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 26;

/// About so many bytes are sent at once: a batch is not in memory twice, and a large body is sent from where it is.
const PIECE: usize = 256 << 10;

/// A batch in the binary format of `COPY`.
pub fn encode(rows: &[NewDeadLetter]) -> Vec<u8> {
    pieces(rows).flat_map(Cow::into_owned).collect()
}

/// The same, piece by piece.
pub(super) fn pieces(rows: &[NewDeadLetter]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut out = Writer(Vec::with_capacity(PIECE + PIECE / 4));
    out.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    out.0.extend_from_slice(&[0; 8]); // no flags, no header extension
    Pieces { rows: rows.iter(), out, body: &[], ended: false }
}

struct Pieces<'r> {
    rows: std::slice::Iter<'r, NewDeadLetter>,
    out: Writer,
    /// What is still to be sent of a large body.
    body: &'r [u8],
    ended: bool,
}

impl<'r> Iterator for Pieces<'r> {
    type Item = Cow<'r, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.body.is_empty() {
            let (piece, rest) = self.body.split_at(self.body.len().min(PIECE));
            self.body = rest;
            return Some(Cow::Borrowed(piece));
        }
        if self.ended {
            return None;
        }
        while self.body.is_empty() && self.out.0.len() < PIECE {
            let Some(row) = self.rows.next() else {
                self.out.0.extend_from_slice(&(-1_i16).to_be_bytes());
                self.ended = true;
                break;
            };
            self.out.row(row);
            if row.body.len() < PIECE {
                self.out.0.extend_from_slice(&row.body);
            } else {
                self.body = &row.body;
            }
        }
        let next = Writer(Vec::with_capacity(if self.ended { 0 } else { PIECE + PIECE / 4 }));
        Some(Cow::Owned(std::mem::replace(&mut self.out, next).0))
    }
}

struct Writer(Vec<u8>);

impl Writer {
    /// All but the bytes of the body, which come last.
    fn row(&mut self, row: &NewDeadLetter) {
        let derived = &row.derived;
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.uuid(Some(row.id));
        self.uuid(row.identity);
        self.bytes(Some(&derived.deaths.to_be_bytes()));
        self.time(derived.died_at);
        self.uuid(derived.redelivery_id);
        self.uuid(Some(row.fingerprint.group));
        self.text(Some(row.source.queue()));
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
        self.bytes(Some(&row.fingerprint.trigrams.to_be_bytes()));
        self.bytes(Some(&[u8::from(derived.origin_told_by == ToldBy::Message)]));
        self.bytes(Some(&derived.redeliveries.to_be_bytes()));
        let place = row.source.place();
        self.text(place.map(|place| place.broker.as_str()));
        self.text(place.map(|place| place.vhost.as_str()));
        self.bytes(Some(&row.properties));
        self.length(row.body.len());
    }

    fn bytes(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(value) => {
                self.length(value.len());
                self.0.extend_from_slice(value);
            }
        }
    }

    /// A field is at most a body, whose size the broker bounds at 512 MiB.
    fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
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
