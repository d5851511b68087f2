//! `COPY … (FORMAT binary)`: the fastest way in, as the database parses nothing.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::columns::{self, Column, Value};
use crate::domain::dead_letter::NewDeadLetter;

/// Size of a piece in bytes: a batch is not in memory twice, and a large body is sent without a copy.
const PIECE: usize = 256 << 10;

/// A batch in the binary format of `COPY`.
pub fn encode(rows: &[NewDeadLetter]) -> Vec<u8> {
    let (mut copy, mut whole) = (CopyData::of(rows), Vec::new());
    while let Some(piece) = copy.next_piece() {
        whole.extend_from_slice(piece);
    }
    whole
}

/// A batch that is being sent, piece by piece.
pub(super) struct CopyData<'r> {
    table: &'static str,
    columns: Vec<&'static Column>,
    rows: std::slice::Iter<'r, NewDeadLetter>,
    /// The piece that is being made, or was sent last.
    out: Writer,
    /// The rest of a large body.
    body: &'r [u8],
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    /// Nothing is sent.
    PastAttempts,
    /// There may be more.
    Sending,
    /// The end is sent.
    Ended,
}

impl<'r> CopyData<'r> {
    /// Of these rows, into `dead_letter`: the columns in which any row has something.
    pub fn of(rows: &'r [NewDeadLetter]) -> Self {
        let columns = columns::ALL.iter().filter(|column| !column.is_default(rows)).collect();
        Self::into_table("dead_letter", columns, rows, PIECE + PIECE / 4)
    }

    /// That they are dead, into `dead_letter_pending`.
    pub fn pending(rows: &'r [NewDeadLetter]) -> Self {
        Self::into_table("dead_letter_pending", columns::pending().collect(), rows, rows.len() * 100)
    }

    fn into_table(
        table: &'static str,
        columns: Vec<&'static Column>,
        rows: &'r [NewDeadLetter],
        capacity: usize,
    ) -> Self {
        let out = Writer(Vec::with_capacity(capacity));
        Self { table, columns, rows: rows.iter(), out, body: &[], state: State::PastAttempts }
    }

    /// What the database has to be told first.
    pub fn statement(&self) -> String {
        let names = columns::names(self.columns.iter().copied());
        format!("COPY {} ({names}) FROM STDIN (FORMAT binary)", self.table)
    }

    /// The next piece; none after the last.
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        if !self.body.is_empty() {
            let (piece, rest) = self.body.split_at(self.body.len().min(PIECE));
            self.body = rest;
            return Some(piece);
        }
        self.out.0.clear();
        match self.state {
            State::Ended => return None,
            State::PastAttempts => {
                self.out.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
                self.out.0.extend_from_slice(&[0; 8]); // no flags, no header extension
                self.state = State::Sending;
            }
            State::Sending => {}
        }
        while self.body.is_empty() && self.out.0.len() < PIECE {
            let Some(row) = self.rows.next() else {
                self.out.0.extend_from_slice(&(-1_i16).to_be_bytes());
                self.state = State::Ended;
                break;
            };
            if let Some(body) = self.out.row(&self.columns, row) {
                self.body = body;
            }
        }
        Some(&self.out.0)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    /// All but the bytes of a large body, which come last and are returned.
    fn row<'r>(&mut self, columns: &[&Column], row: &'r NewDeadLetter) -> Option<&'r [u8]> {
        let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
        self.0.extend_from_slice(&count.to_be_bytes());
        for column in columns {
            match column.value {
                Value::Bytes(of) if of(row).len() >= PIECE && column.name == "body" => {
                    self.length(row.body.len());
                    return Some(&row.body);
                }
                Value::Uuid(of) => self.uuid(of(row)),
                Value::Time(of) => self.time(of(row)),
                Value::Text(of) => self.bytes(of(row).map(str::as_bytes)),
                Value::Bytes(of) => self.bytes(Some(of(row))),
                Value::Bool(of) => self.bytes(Some(&[u8::from(of(row))])),
                Value::Integer(of) => self.bytes(Some(&of(row).to_be_bytes())),
                Value::BigInt(of) => self.bytes(Some(&of(row).to_be_bytes())),
            }
        }
        None
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
