//! Cuts a stream of bytes into frames, wherever reads and writes have cut it before.

use std::io;

/// Type, channel and payload size, before the payload. One octet ends it.
pub(super) const HEAD: usize = 7;
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
/// Class, weight and body size, before the properties of a content header.
pub(super) const BEFORE_PROPERTIES: usize = 12;
/// Flags that say that the timestamp is the only property, then the timestamp.
pub(super) const TOKEN_FLAGS: [u8; 2] = [0, 0x40];
/// Bytes of a frame that was gathered which stay allocated.
const HELD: usize = 64 << 10;

/// What becomes of frames.
pub(super) trait Rewrite {
    /// Whether a frame of this type and length (in bytes) is to be buffered. Other frames pass unchanged.
    fn wants(&self, kind: u8, length: usize) -> io::Result<bool>;

    /// Writes a frame, from its type to the octet that ends it, or another one in its place.
    fn rewrite(&mut self, frame: &[u8], out: &mut Vec<u8>) -> io::Result<()>;
}

/// Where in the stream we are.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// This many bytes pass unchanged.
    passing: usize,
    /// The beginning of a frame that is to be rewritten.
    pub held: Vec<u8>,
}

impl Frames {
    /// This many bytes precede the first frame.
    pub fn after(bytes: usize) -> Self {
        Self { passing: bytes, held: Vec::new() }
    }

    /// Takes bytes until there are `most` for output, and says how many it took.
    pub fn feed(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        most: usize,
        rewrite: &mut impl Rewrite,
    ) -> io::Result<usize> {
        let mut left = input;
        while !left.is_empty() && out.len() < most {
            if self.passing > 0 {
                let (passed, rest) = left.split_at(left.len().min(self.passing).min(most - out.len()));
                out.extend_from_slice(passed);
                self.passing -= passed.len();
                left = rest;
                continue;
            }
            if self.held.is_empty()
                && let Some(head) = left.first_chunk().copied()
            {
                let length = frame_length(head);
                if !rewrite.wants(head[0], length)? {
                    self.passing = length;
                    continue;
                }
                if let Some((frame, rest)) = left.split_at_checked(length) {
                    rewrite.rewrite(frame, out)?;
                    left = rest;
                    continue;
                }
            }
            left = self.hold(left, out, rewrite)?;
        }
        Ok(input.len() - left.len())
    }

    /// Gathers the head of a frame, then the rest; memory grows with what comes, not with what a head claims.
    fn hold<'a>(
        &mut self,
        input: &'a [u8],
        out: &mut Vec<u8>,
        rewrite: &mut impl Rewrite,
    ) -> io::Result<&'a [u8]> {
        let wanted = self.held.first_chunk().copied().map_or(HEAD, frame_length);
        let (taken, rest) = input.split_at(input.len().min(wanted - self.held.len()));
        self.held.extend_from_slice(taken);
        let Some(head) = self.held.first_chunk().copied() else { return Ok(rest) };
        let length = frame_length(head);
        if self.held.len() == length {
            rewrite.rewrite(&self.held, out)?;
            self.held.clear();
            self.held.shrink_to(HELD);
        } else if self.held.len() == HEAD && !rewrite.wants(head[0], length)? {
            self.passing = length - HEAD;
            out.append(&mut self.held);
        }
        Ok(rest)
    }
}

fn frame_length([_, _, _, size @ ..]: [u8; HEAD]) -> usize {
    (u32::from_be_bytes(size) as usize).saturating_add(HEAD + 1)
}

/// Bytes that no peer may send.
pub(super) fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
