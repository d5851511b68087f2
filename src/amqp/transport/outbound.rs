//! What lapin sends, as the broker is to have it.

use std::io;
use std::sync::Arc;

use super::frames::{BEFORE_PROPERTIES, Frames, HEAD, HEADER, Rewrite, TOKEN_FLAGS, malformed};
use super::side_table::SideTables;

/// Bytes with which a client begins, before the first frame.
const PROTOCOL_HEADER: usize = 8;

/// Translates what lapin sends, without I/O.
#[derive(Debug)]
pub struct Outbound {
    frames: Frames,
    contents: Contents,
}

#[derive(Debug)]
struct Contents(Arc<SideTables>);

impl Outbound {
    /// The translation of one stream, from its first byte.
    pub fn new(tables: &Arc<SideTables>) -> Self {
        Self { frames: Frames::after(PROTOCOL_HEADER), contents: Contents(Arc::clone(tables)) }
    }

    /// Takes bytes of the input until `most` are there for output, and says how many it took: a token of a few bytes may become a
    /// frame of many. A content header without a token of ours is an error, so that no token ever gets out as a property.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        self.frames.feed(input, out, most, &mut self.contents)
    }
}

impl Rewrite for Contents {
    fn wants(&self, kind: u8, _length: usize) -> io::Result<bool> {
        Ok(kind == HEADER)
    }

    fn rewrite(&mut self, frame: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let past = || malformed("a message was published past the transport");
        let (head, payload) = frame.split_at(HEAD);
        let (before, stand_in) = payload.split_at_checked(BEFORE_PROPERTIES).ok_or_else(past)?;
        let token = stand_in.strip_prefix(&TOKEN_FLAGS).and_then(<[u8]>::split_first_chunk);
        let (token, [end]) = token.ok_or_else(past)? else { return Err(past()) };
        let properties = self.0.outgoing.take(u64::from_be_bytes(*token)).ok_or_else(past)?;
        let size = u32::try_from(BEFORE_PROPERTIES + properties.len())
            .map_err(|_| malformed("properties are longer than a frame can be"))?;
        out.extend_from_slice(&head[..3]);
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(before);
        out.extend_from_slice(&properties);
        out.push(*end);
        Ok(())
    }
}
