//! What the broker sends, as lapin can read it.

use std::io;
use std::sync::Arc;

use super::frames::{BEFORE_PROPERTIES, Frames, HEAD, HEADER, METHOD, Rewrite, TOKEN_FLAGS, malformed};
use super::side_table::SideTables;

/// The longest method that is read, in bytes: far longer than any that has a short string of a publisher's in it.
const MOST_METHOD: usize = 64 << 10;
/// The longest content header, in bytes. The broker does not split one, whatever was agreed, and what it adds as a message dies
/// makes one longer than the publisher's, which fitted a frame.
const MOST_HEADER: usize = 64 << 20;
/// Payload of a content header that has a token for properties.
const TOKEN_PAYLOAD: u32 = 12 + 2 + 8;

/// Class and id of the method with which the broker introduces itself.
const START: [u8; 4] = [0, 10, 0, 10];
/// Class, id and the version of the protocol, before the table of its properties.
const BEFORE_SERVER_PROPERTIES: usize = 4 + 2;

/// A part of a method's arguments.
enum Part {
    /// This many bytes.
    Bytes(usize),
    /// A short string: a length of one byte, and the text.
    Short,
}

/// The short strings that a publisher chooses, or that the broker cuts within a character, by class and id of the method.
const fn short_strings(method: [u8; 4]) -> &'static [Part] {
    use Part::{Bytes, Short};
    match method {
        // connection.close and channel.close: code, text.
        [0, 10, 0, 50] | [0, 20, 0, 40] => &[Bytes(2), Short],
        // connection.blocked: reason.
        [0, 10, 0, 60] => &[Short],
        // basic.return: code, text, exchange, routing key.
        [0, 60, 0, 50] => &[Bytes(2), Short, Short, Short],
        // basic.deliver: consumer tag, delivery tag and redelivered, exchange, routing key.
        [0, 60, 0, 60] => &[Short, Bytes(9), Short, Short],
        // basic.get-ok: delivery tag and redelivered, exchange, routing key.
        [0, 60, 0, 71] => &[Bytes(9), Short, Short],
        _ => &[],
    }
}

/// Translates what comes from the broker, without I/O.
#[derive(Debug)]
pub struct Inbound {
    pub(super) frames: Frames,
    contents: Contents,
}

/// The properties that came with the bytes at hand.
#[derive(Debug)]
struct Contents {
    tables: Arc<SideTables>,
    arrived: Vec<(u64, Vec<u8>)>,
}

impl Inbound {
    /// The translation of one stream, from its first byte.
    pub fn new(tables: &Arc<SideTables>) -> Self {
        let contents = Contents { tables: Arc::clone(tables), arrived: Vec::new() };
        Self { frames: Frames::default(), contents }
    }

    /// Takes all of the input, which may begin and end anywhere, and appends what lapin is to read. Nothing of the input is
    /// output before the properties in it can be taken off the shelf. An error is for good.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.frames.feed(input, out, usize::MAX, &mut self.contents)?;
        // One lock for all of them: the readers contend for it.
        let Contents { tables, arrived } = &mut self.contents;
        if !arrived.is_empty() {
            tables.incoming.put_all(arrived.drain(..));
        }
        Ok(())
    }
}

impl Rewrite for Contents {
    fn wants(&self, kind: u8, length: usize) -> io::Result<bool> {
        match kind {
            HEADER if length > MOST_HEADER => Err(malformed("a content header is longer than 64 MiB")),
            HEADER => Ok(true),
            METHOD => Ok(length <= MOST_METHOD),
            _ => Ok(false),
        }
    }

    fn rewrite(&mut self, frame: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let (head, payload) = frame.split_at(HEAD);
        let (end, payload) = payload.split_last().ok_or_else(|| malformed("a frame without an end"))?;
        if head[0] == METHOD {
            self.tables.note_server(server_properties(payload));
            out.extend_from_slice(frame);
            let method = out.len() - payload.len() - 1;
            make_readable(&mut out[method..]);
            return Ok(());
        }
        let (before, properties) = payload
            .split_at_checked(BEFORE_PROPERTIES)
            .ok_or_else(|| malformed("a content header is too short"))?;
        let token = self.tables.incoming.token();
        self.arrived.push((token, properties.to_vec()));
        out.extend_from_slice(&head[..3]);
        out.extend_from_slice(&TOKEN_PAYLOAD.to_be_bytes());
        out.extend_from_slice(before);
        out.extend_from_slice(&TOKEN_FLAGS);
        out.extend_from_slice(&token.to_be_bytes());
        // As it came: lapin checks it.
        out.push(*end);
        Ok(())
    }
}

/// The table with which the broker introduces itself, if that is what this method does.
fn server_properties(method: &[u8]) -> Option<&[u8]> {
    let table = method.strip_prefix(&START).and(method.get(BEFORE_SERVER_PROPERTIES..))?;
    let length = u32::from_be_bytes(*table.first_chunk()?) as usize;
    table.get(..length.checked_add(4)?)
}

/// Each byte beyond ASCII of a short string that is not UTF-8 becomes `?`, in place. What is cut off stays as it is, for lapin to
/// refuse.
fn make_readable(method: &mut [u8]) {
    let Some((&mut name, mut left)) = method.split_first_chunk_mut() else { return };
    for part in short_strings(name) {
        let length = match part {
            Part::Bytes(length) => *length,
            Part::Short => {
                let Some((length, rest)) = left.split_first_mut() else { return };
                left = rest;
                usize::from(*length)
            }
        };
        let Some((bytes, rest)) = left.split_at_mut_checked(length) else { return };
        left = rest;
        if matches!(part, Part::Short) && std::str::from_utf8(bytes).is_err() {
            bytes.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        }
    }
}
